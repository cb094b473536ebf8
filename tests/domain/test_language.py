"""Formulas as text: what is read, what is refused and where it points, and that nothing makes the reader crash."""

import math
import random
import string
import time
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.activations import CATALOGUE, evaluate
from service.domain.activations.expression import Call, Expression, Reference, X, formula, nodes, sigmoid, where
from service.domain.activations.language import (
    DEEPEST,
    FUNCTIONS,
    LARGEST_NUMBER,
    LONGEST,
    MOST_NODES,
    canonical,
    constant,
    parse,
)
from service.domain.activations.stability import stable
from service.domain.activations.tokens import FormulaError
from tests.domain.test_expression import trees

a, beta = Reference("a"), Reference("beta")


def deepest(tree: Expression) -> int:
    arguments = tree.arguments if isinstance(tree, Call) else ()
    return 1 + max(map(deepest, arguments), default=0)


def within_limits(tree: Expression) -> bool:
    numbers = [value for value in map(constant, nodes(tree)) if value]
    calls = [node for node in nodes(tree) if isinstance(node, Call)]
    powers = [abs(constant(call.arguments[1]) or 0) for call in calls if call.function == "**"]
    return (
        all(1 / LARGEST_NUMBER <= abs(value) <= LARGEST_NUMBER for value in numbers)
        and max(powers, default=0) <= 100
        and deepest(tree) < DEEPEST / 2
        and len(formula(tree)) <= LONGEST
    )


# --- what is read --------------------------------------------------------------------------------------------------


@given(trees().filter(within_limits))
def test_the_printers_text_parses_back_to_the_same_tree(tree: Expression) -> None:
    assert parse(formula(tree), ["a", "b"]) == tree


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_row_of_the_catalogue_can_be_written(name: str) -> None:
    assert parse(CATALOGUE[name].formula, CATALOGUE[name].values()) == CATALOGUE[name].expression


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("x*sigmoid(beta*x)", X * sigmoid(beta * X)),
        (" ( ( x ) ) ", X),
        ("-x ** 2", -(X**2)),
        ("2 ** -x", 2 ** (-X)),
        ("-x * 3", (-X) * 3),
        ("x - 1 - a", (X - 1) - a),
        ("x ** a ** beta", X ** (a**beta)),
        ("1 - -x", 1 - (-X)),
        (".5e1 * x + 1.", 5 * X + 1),
        ("where(x>=0, x, 1e-3*x)", where(X >= 0, X, 1e-3 * X)),
        ("(x > 0) * x", (X > 0) * X),
        ("x\n\t+ 1", X + 1),
    ],
)
def test_text_reads_as_in_mathematics(text: str, tree: Expression) -> None:
    assert parse(text, ["a", "beta"]) == tree


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "found", "expected"),
    [
        ("", 1, "the end", "a number, x"),
        ("x +", 4, "the end", "a number, x"),
        ("x + * 2", 5, "'*'", "a number, x"),
        ("+x", 1, "'+'", "a number, x"),
        ("2x", 2, "'x'", "an operator"),
        ("(x", 3, "the end", "')'"),
        ("x)", 2, "')'", "the end"),
        ("()", 2, "')'", "a number, x"),
        ("x ^ 2", 3, "'^'", "** for a power"),
        ("x == 1", 3, "'='", "to compare"),
        ("0 < x < 1", 7, "'<'", "one comparison at a time"),
        ("relu(x)", 1, "the unknown name 'relu'", "minimum"),
        ("x * sigmod(x)", 5, "the unknown name 'sigmod'", "perhaps sigmoid"),
        ("y", 1, "the unknown name 'y'", "x, a parameter"),
        ("negative(x)", 1, "the unknown name 'negative'", "function"),
        ("sin x", 5, "'x'", "'(' after sin"),
        ("sin", 4, "the end", "'(' after sin"),
        ("tanh(x, 1)", 7, "','", "1 argument"),
        ("tanh()", 6, "')'", "a number, x"),
        ("where(x > 0, x)", 15, "')'", "3 arguments"),
        ("x(1)", 2, "'('", "an operator"),
        ("x.__class__", 2, "'.'", "an operator"),
        ("__import__('os')", 1, "'_'", "a number, a name"),
        ("x if x > 0 else 0", 3, "'if'", "an operator"),
        ("lambda x", 1, "the unknown name 'lambda'", "x, a parameter"),
        ("x\N{MULTIPLICATION SIGN}2", 2, "'\\xd7'", "'*'"),
        ("x + \N{GREEK SMALL LETTER BETA}", 5, "'\\u03b2'", "a name"),
        ("\N{ARABIC-INDIC DIGIT TWO} * x", 1, "'\\u0662'", "a number"),
        ("x ** 101", 3, "the power '101'", "at most 100"),
        ("x ** -1000", 3, "the power '-1000'", "at most 100"),
        ("x * 1e31", 5, "'1e31'", "from 1e-30 to 1e+30"),
        ("x * 1e-400", 5, "'1e-400'", "from 1e-30"),
        ("1e999999999", 1, "'1e999999999'", "from 1e-30"),
        ("x" * (LONGEST + 1), LONGEST + 1, "501 characters", "at most 500"),
        ("(" * 41 + "x", 41, "one more level", "at most 40"),
        ("-" * 41 + "x", 41, "one more level", "at most 40"),
        ("+".join("x" * 60), 80, "one more level", "at most 40"),
    ],
)
def test_an_error_says_where_what_and_what_instead(text: str, column: int, found: str, expected: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)
    assert caught.value.column == column
    assert found in caught.value.found
    assert expected in caught.value.expected
    assert str(caught.value).isprintable()


def test_a_formula_holds_so_many_nodes() -> None:
    with pytest.raises(FormulaError, match=f"at most {MOST_NODES}"):
        parse("*".join(["(x+x+x+x+x+x+x+x+x+x)"] * 12))


def test_a_formula_whose_canonical_text_is_too_long_is_refused() -> None:
    long = "*".join(["(9e15*x+9e15-x)"] * 12)
    assert len(long) < LONGEST < len(formula(parse(long)))
    with pytest.raises(FormulaError, match=r"Column 192: found \d+ characters, with single spaces"):
        canonical(long)
    assert parse(canonical("x*9e15")) == parse("x*9e15")


# --- anything at all -----------------------------------------------------------------------------------------------

PIECES = [*FUNCTIONS, "x", "a", "b", "c", "(", ")", ",", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "0", "1",
          "2.5", "1e9", "1e-40", " ", "\n", ".", "^", "=", "__", "é", "\0", "\ud800", "1e", "9" * 40]  # fmt: skip
NAMES = {name for row in CATALOGUE.values() for name in row.values()} | {"a", "b"}
_SEEDS = [row.formula for row in CATALOGUE.values()]


def grammatical(rng: random.Random, levels: int) -> str:
    if levels == 0:
        return rng.choice(["x", "a", "b", "1", "0.5", "2e3"])
    part = [grammatical(rng, levels - rng.randint(1, 2) if levels > 1 else 0) for _ in range(3)]
    name = rng.choice(list(FUNCTIONS))
    operator = rng.choice(["+", "-", "*", "/", "**", "<", ">"])
    called = f"{name}({', '.join(part[: FUNCTIONS[name]])})"
    return rng.choice([called, f"({part[0]}) {operator} ({part[1]})", f"{part[0]} {operator} {part[1]}", f"-{part[0]}"])


def generated(rng: random.Random) -> str:
    """A run of pieces; or a formula of the grammar, or a row of the catalogue, with some characters changed."""
    kind = rng.random()
    if kind < 0.2:
        return "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 60)))
    text = list(rng.choice(_SEEDS) if kind < 0.5 else grammatical(rng, rng.randint(0, 6)))
    if kind > 0.8:
        return "".join(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        text[at : at + rng.randint(0, 3)] = rng.choice([*PIECES, rng.choice(string.printable)])
    return "".join(text)


def read(text: str) -> Expression | FormulaError:
    try:
        return parse(text, NAMES)
    except FormulaError as error:
        return error


def fuzzed(count: int, seed: int) -> tuple[int, float]:
    """How many of the formulas are accepted, and the longest that one took, in seconds; AssertionError for an answer
    that is neither a tree that prints as itself nor an error that points into the text."""
    rng, accepted, longest = random.Random(seed), 0, 0.0
    for _ in range(count):
        text = generated(rng)
        started = time.perf_counter()
        answer = read(text)
        longest = max(longest, time.perf_counter() - started)
        if isinstance(answer, FormulaError):
            assert 1 <= answer.column <= len(text) + 1, text
        else:
            assert read(formula(answer)) == answer, text
            accepted += 1
    return accepted, longest


def test_generated_and_mutated_formulas_are_read_or_refused() -> None:
    accepted, longest = fuzzed(5_000, seed=0)
    assert accepted > 500
    assert longest < 1


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    answer = read(text)
    assert not isinstance(answer, FormulaError) or 1 <= answer.column <= len(text) + 1


# --- digits --------------------------------------------------------------------------------------------------------


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
        ("(exp(x) - exp(-x)) / (exp(-x) + exp(x))", "(exp(x) - exp(-x)) / (exp(-x) + exp(x))"),
    ],
)
def test_textbook_forms_are_evaluated_in_forms_that_keep_their_digits(text: str, same: str) -> None:
    assert formula(stable(parse(text, ["a"]))) == same


@given(trees())
def test_the_stable_form_is_settled_and_the_same_function(tree: Expression) -> None:
    x, values = np.linspace(-3, 3, 7)[:, None], {"a": 0.5, "b": -1.25}
    before, after = evaluate(tree, x, values), evaluate(stable(tree), x, values)
    usable = np.isfinite(before) & (np.abs(before) < 1e6)
    np.testing.assert_allclose(after[usable], before[usable], rtol=1e-6, atol=1e-6)


TEXTBOOK = [
    "1 / (1 + exp(-x))", "x / (1 + exp(-x))", "log(1 + exp(x))", "x * tanh(log(1 + exp(x)))", "exp(-exp(-x))",
    "exp(-x * x)", "x * exp(-x * x / 2)", "atan(x)", "x / sqrt(1 + x * x)", "where(x > 0, x, exp(x) - 1)",
    "sin(x) ** 2", "x + sin(3 * x) ** 2 / 3", "minimum(x * x, 1)", "log1p(abs(x)) * (where(x > 0, 1, -1))",
    "abs(x) ** 1.5", "where(x > 0, log(x + 1), -log(1 - x))", "where(x > 0, sqrt(x), 0)",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x))",
    "x * erf(log1p(exp(x)))", "x * (1 - exp(-softplus(x)))", "tanh(x) + 0.1 * x", "cos(x) - x", "x ** 3 / (1 + x ** 2)",
    "maximum(0.01 * x, x)", "1 - 2 / (exp(2 * x) + 1)", "exp(minimum(x, 0)) + maximum(x, 0) - 1", "2 ** -abs(x)",
]  # fmt: skip
POINTS = [-1e4, -200.0, -90.0, -20.0, -1.5, -1e-3, 0.0, 1e-3, 0.7, 3.0, 25.0, 89.0, 150.0, 1e4]


def exactly(text: str, x: float) -> float:
    """The formula by mpmath to 60 digits, read by Python's own grammar."""
    names = ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "atan", "tanh", "erf")
    scope = {name: getattr(mpmath, name) for name in names} | {
        "__builtins__": {},
        "abs": abs,
        "minimum": min,
        "maximum": max,
        "where": lambda met, taken, otherwise: taken if met else otherwise,
        "softplus": lambda value: mpmath.log1p(mpmath.exp(value)),
        "x": mpmath.mpf(x),
    }
    with mpmath.workdps(60):
        return float(mpmath.re(eval(text, scope)))  # the branch not taken may be complex


@pytest.mark.parametrize("text", TEXTBOOK)
def test_a_finite_value_is_evaluated_as_finite_in_float32(text: str) -> None:
    tree = stable(parse(text))
    for x in POINTS:
        exact = exactly(text, x)
        if math.isfinite(exact) and abs(exact) < 3e38:
            (found,) = evaluate(tree, np.array([x], np.float32), {})
            assert found == pytest.approx(exactly(text, float(np.float32(x))), rel=1e-4, abs=1e-5), x


# --- the guide -----------------------------------------------------------------------------------------------------


def test_the_guide_names_every_function_and_limit() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text()
    for name in FUNCTIONS:
        assert f"`{name}(" in guide, name
    for limit in (LONGEST, MOST_NODES, DEEPEST):
        assert str(limit) in guide
