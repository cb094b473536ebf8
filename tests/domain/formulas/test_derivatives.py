"""Derivatives as formulas: their text, and their values against those of `derivative`."""

import numpy as np
import pytest
from hypothesis import given

from service.domain.activations.activation import Activation
from service.domain.activations.catalogue import CATALOGUE
from service.domain.formulas.derivatives import MOST_NODES, derivative_formula
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.expression import Expression, X, formula, is_elementwise, nodes, softmax
from service.domain.formulas.parser import parse
from tests.domain.formulas.generating import trees

X_POINTS = np.array([-90.0, -7.3, -1.1, -0.2, 0.3, 0.9, 2.6, 8.0, 90.0])


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("3", "0"),
        ("a * x", "a"),
        ("x ** 3", "3 * x ** 2"),
        ("x * x", "x + x"),
        ("2 * (3 * x)", "6"),
        ("x / 2", "1 / 2"),
        ("sin(2 * x)", "2 * cos(2 * x)"),
        ("cos(x)", "-sin(x)"),
        ("x - tanh(x)", "tanh(x) ** 2"),
        ("log(x)", "1 / x"),
        ("exp(-x)", "-exp(-x)"),
        ("atan(x)", "1 / (1 + x * x)"),
        ("where(x > 0, x, exp(x) - 1)", "where(x > 0, 1, exp(x))"),
        ("where(x > 0, 2, 3)", "0"),
        ("x > 0", "0"),
        ("x ** 1", "1"),
        ("softplus(x)", "sigmoid(x)"),
        ("x * sigmoid(a * x)", "sigmoid(a * x) + x * sigmoid(a * x) * sigmoid(-(a * x)) * a"),
    ],
)
def test_derivative_formula_is_simplified(text: str, slope: str) -> None:
    derived = derivative_formula(parse(text, ["a"]))
    assert derived is not None
    assert formula(derived) == slope
    assert parse(slope, ["a"]) == derived


@pytest.mark.parametrize("row", [row for row in CATALOGUE.values() if row.elementwise], ids=lambda row: row.name)
def test_derivative_formula_has_the_values_of_derivative_for_the_catalogue(row: Activation) -> None:
    derived, values = derivative_formula(row.expression), row.values()
    assert derived is not None
    slopes = derivative(row.expression, X_POINTS, values)
    np.testing.assert_allclose(evaluate(derived, X_POINTS, values), slopes, rtol=1e-12, atol=1e-14)


@given(trees())
def test_derivative_formula_has_the_values_of_derivative_for_any_tree(tree: Expression) -> None:
    derived, values = derivative_formula(tree), {"a": 0.5, "b": -1.25}
    if not is_elementwise(tree):
        assert derived is None
        return
    if derived is not None:
        one, other = evaluate(derived, X_POINTS, values), derivative(tree, X_POINTS, values)
        usable = np.isfinite(one) & np.isfinite(other) & (np.abs(other) < 1e9)
        np.testing.assert_allclose(one[usable], other[usable], rtol=1e-6, atol=1e-6)


def test_derivative_formula_is_none_for_softmax_and_too_many_nodes() -> None:
    assert derivative_formula(softmax(X)) is None
    tower: Expression = X
    for _ in range(12):
        tower = tower**tower
        if sum(1 for _ in nodes(tower)) > MOST_NODES:
            break
    assert derivative_formula(tower) is None
