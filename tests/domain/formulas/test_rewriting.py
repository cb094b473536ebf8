"""The stable forms of formulas."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given

from service.domain.formulas.evaluation import evaluate
from service.domain.formulas.expression import Expression, formula
from service.domain.formulas.parser import parse
from service.domain.formulas.rewriting import stable
from tests.domain.formulas.generating import POINTS, TEXTBOOK, trees


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 / (1 + exp(-x))", "sigmoid(x)"),
        ("exp(x) / (exp(x) + 1)", "sigmoid(x)"),
        ("x / (1 + exp(-a * x))", "x * sigmoid(a * x)"),
        ("log(1 + exp(x))", "softplus(x)"),
        ("log1p(exp(x))", "softplus(x)"),
        ("log(sigmoid(x))", "-softplus(-x)"),
        ("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "tanh(x)"),
        ("exp(x) - 1", "expm1(x)"),
        ("log(1 + x * x)", "log1p(x * x)"),
        ("1 - sigmoid(x)", "sigmoid(-x)"),
        ("x * tanh(log(1 + exp(x)))", "x * tanh(softplus(x))"),
        ("exp(x) * exp(-x * x)", "exp(x + -x * x)"),
        ("log(exp(x))", "x"),
        ("1 / (2 + exp(-x))", "1 / (2 + exp(-x))"),
        ("(exp(x) - exp(-x)) / (exp(-x) + exp(x))", "tanh(x)"),
        ("(exp(x) - 1) / (exp(x) + 1)", "tanh(0.5 * x)"),
        ("sinh(x) / cosh(x)", "tanh(x)"),
        ("x * exp(x) / (1 + exp(x))", "x * sigmoid(x)"),
        ("x * (exp(x) / (1 + exp(x)))", "x * sigmoid(x)"),
        ("exp(a * x) * x / (exp(a * x) + 1)", "x * sigmoid(a * x)"),
        ("x / (1 + 1 / exp(x))", "x * sigmoid(x)"),
        ("x * (1 + exp(-x)) ** -1", "x * sigmoid(x)"),
        ("x * e ** x / (1 + e ** x)", "x * sigmoid(x)"),
        ("exp(x) / (1 + exp(x)) ** 2", "sigmoid(-x) * sigmoid(x)"),
        ("x * exp(-x) * exp(-exp(-x))", "x * exp(-exp(-x) - x)"),
        ("x / exp(x)", "x * exp(-x)"),
        ("log(0.5 * exp(x) + 0.5)", "softplus(x) - 0.6931471805599453"),
        ("log(exp(x) + exp(-x))", "-x + softplus(2 * x)"),
        ("log(1 / (2 + exp(x)))", "-softplus(x - 0.6931471805599453) - 0.6931471805599453"),
        (
            "exp(x) / (2 + exp(x))",
            "exp(x - maximum(x, 0)) / (2 * exp(-maximum(x, 0)) + exp(x - maximum(x, 0)))",
        ),
        ("log((1 + exp(x)) / (1 + exp(-x)))", "x"),
        ("log(sigmoid(x) / (1 - sigmoid(x)))", "x"),
        ("log1p(expm1(x))", "x"),
        ("log(1 + sqrt(exp(x)))", "softplus(0.5 * x)"),
        ("log(abs(x * exp(x)))", "x + log(abs(x))"),
        ("log(3 + 2 * exp(-2 * x))", "softplus(-0.4054651081081645 - 2 * x) + 1.0986122886681098"),
        ("exp(x) ** a", "exp(a * x)"),
        ("(1 + exp(-x)) ** -a", "exp(-a * softplus(-x))"),
        ("x * sigmoid(x) ** a", "x * exp(a * -softplus(-x))"),
        ("x / (1 - exp(-x))", "x / -expm1(-x)"),
        ("x / (exp(x) - exp(-x))", "x / (2 * sinh(x))"),
        ("sigmoid(x) * sigmoid(-x)", "sigmoid(x) * sigmoid(-x)"),
        ("gelu(x) + relu(2 * x)", "x * (1 + erf(x / sqrt(2))) / 2 + relu(2 * x)"),
    ],
)
def test_stable_rewrites_textbook_forms(text: str, same: str) -> None:
    assert formula(stable(parse(text, ["a"]))) == same


@given(trees())
def test_stable_keeps_the_function(tree: Expression) -> None:
    x, values = np.linspace(-3, 3, 7)[:, None], {"a": 0.5, "b": -1.25}
    before, after = evaluate(tree, x, values), evaluate(stable(tree), x, values)
    usable = np.isfinite(before) & (np.abs(before) < 1e6)
    np.testing.assert_allclose(after[usable], before[usable], rtol=1e-6, atol=1e-6)


EXPONENTIALS = [
    "exp(x) / (2 + exp(x))",
    "x * exp(x) / (3 + 2 * exp(x))",
    "(x * exp(x) + 1) / (exp(x) + 1)",
    "sinh(x) / (2 + cosh(x))",
    "x * ((1 + exp(x)) ** 2 - 1) / ((1 + exp(x)) ** 2 + 1)",
    "exp(x) / sqrt(1 + exp(2 * x))",
    "exp(3 * x) / (1 + exp(x)) ** 3",
    "x * exp(-x) / (1 + exp(-x)) ** 2",
    "log(1 + exp(x) + exp(2 * x))",
    "log(cosh(x))",
    "log(2 * exp(-x) + 3 * exp(x / 2))",
    "log((1 + exp(x)) / (3 + exp(x)))",
    "(exp(x) - exp(-x)) / (exp(x) + 3 * exp(-x))",
    "1 / cosh(x) ** 2",
    "x / (exp(x) + exp(-x) + 1)",
    "x * (exp(x) + 2) / ((1 + exp(x)) * (1 + 2 * exp(-x)))",
    "log(x * exp(x) + exp(-x) + 3) - x",
    "(1 - exp(-2 * x)) / (1 + exp(-2 * x)) + sqrt(exp(x) * exp(-x))",
    "log(abs(exp(x) - 1))",
    "log(abs(sinh(x)))",
    "sqrt(1 + exp(x))",
    "sqrt(cosh(x)) - 1",
    "(1 + exp(x)) ** 0.5 / (1 + exp(-x))",
    "(1 + exp(-x)) ** (-x / (1 + abs(x)))",
]


def exactly(text: str, x: float) -> float:
    """Evaluate a formula by mpmath to 60 digits, read by Python's own grammar."""
    names = ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "atan", "tanh", "erf")
    scope = {name: getattr(mpmath, name) for name in names} | {
        "__builtins__": {},
        "abs": abs,
        "minimum": min,
        "maximum": max,
        "where": lambda met, taken, otherwise: taken if met else otherwise,
        "softplus": lambda value: mpmath.log1p(mpmath.exp(value)),
        "sinh": mpmath.sinh,
        "cosh": mpmath.cosh,
        "x": mpmath.mpf(x),
    }
    with mpmath.workdps(60):
        return float(mpmath.re(eval(text, scope)))  # the branch not taken may be complex


@pytest.mark.parametrize("text", [*TEXTBOOK, *EXPONENTIALS])
def test_stable_gives_finite_values_in_float32(text: str) -> None:
    tree = stable(parse(text))
    for x in POINTS:
        exact = exactly(text, x)
        if math.isfinite(exact) and abs(exact) < 3e38:
            (value,) = evaluate(tree, np.array([x], np.float32), {})
            assert value == pytest.approx(exactly(text, float(np.float32(x))), rel=1e-4, abs=1e-5), x
