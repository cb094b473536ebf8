"""The rows of the catalogue: their values against mpmath, and what they state of themselves."""

import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from service.domain.activations.activation import Activation
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.catalogue.problems import KNOWN_PROBLEMS
from service.domain.activations.properties import Properties, properties
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.expression import Reference, nodes
from tests.domain.activations.cases import ELEMENTWISE, GRID


def _logistic(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def _elu(x: Any, alpha: Any) -> Any:
    return x if x > 0 else alpha * mpmath.expm1(x)


# Written independently of the expression trees. SELU's constants are in the closed form of Klambauer et al. 2017.
_EXACT: dict[str, Callable[..., Any]] = {
    "step": lambda x, straight_through: mpmath.mpf(x > 0),
    "linear": lambda x: x,
    "sigmoid": _logistic,
    "tanh": mpmath.tanh,
    "relu": lambda x: max(x, 0),
    "leaky_relu": lambda x, slope: max(x, 0) + slope * min(x, 0),
    "rrelu": lambda x, lower, upper, slope: max(x, 0) + (lower + upper) / 2 * min(x, 0),
    "swish": lambda x, beta: x * _logistic(beta * x),
    "swish2": lambda x, beta: 2 * x * _logistic(beta * x),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "elu": _elu,
    "selu": lambda x: _selu_scale() * _elu(x, _selu_alpha()),
    "silu": lambda x: x * _logistic(x),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "prelu": lambda x, slope: max(x, 0) + slope * min(x, 0),
    "hard_sigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "hard_tanh": lambda x: max(-1, min(x, 1)),
    "relu6": lambda x: min(max(x, 0), 6),
    "celu": lambda x, alpha: max(x, 0) + min(0, alpha * mpmath.expm1(x / alpha)),
    "gelu_tanh": lambda x: x * _logistic(2 * mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)),
    "hard_swish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)),
    "relu_squared": lambda x: max(x, 0) ** 2,
    "log_sigmoid": lambda x: -mpmath.log1p(mpmath.exp(-x)),
    "tanh_shrink": lambda x: x - mpmath.tanh(x),
    "soft_shrink": lambda x, threshold: mpmath.sign(x) * max(abs(x) - threshold, 0),
    "hard_shrink": lambda x, threshold: x if abs(x) > threshold else mpmath.mpf(0),
    "sine": mpmath.sin,
}


def _selu_alpha() -> Any:
    half = mpmath.mpf(1) / 2
    return -mpmath.sqrt(2 / mpmath.pi) / (mpmath.erfc(mpmath.sqrt(half)) * mpmath.exp(half) - 1)


def _selu_scale() -> Any:
    """Return the scale for which f(Z) has variance 1 for Z ~ N(0, 1); its mean is 0."""
    alpha, root = _selu_alpha(), mpmath.sqrt(2)
    below = (mpmath.e**2 * mpmath.erfc(root) - 2 * mpmath.sqrt(mpmath.e) * mpmath.erfc(1 / root) + 1) / 2
    return 1 / mpmath.sqrt(alpha**2 * below + mpmath.mpf(1) / 2)


@pytest.mark.parametrize(("name", "parameters"), ELEMENTWISE)
def test_catalogue_values_and_derivatives_equal_mpmath(name: str, parameters: dict[str, float]) -> None:
    row, values = CATALOGUE[name], CATALOGUE[name].values(**parameters)
    points = np.array([-1e4, -100, -20, -5.5, -1.1, -0.1, -1e-3, 1e-3, 0.6, 3.1, 30, 104, 1e4])
    with mpmath.workdps(60):
        exact = [_EXACT[name](mpmath.mpf(x), **values) for x in points]
        slopes = [mpmath.diff(lambda x: _EXACT[name](x, **values), x) for x in points]
    np.testing.assert_allclose(evaluate(row.expression, points, values), np.array(exact, float), 1e-12, 1e-14)
    np.testing.assert_allclose(derivative(row.expression, points, values), np.array(slopes, float), 1e-12, 1e-13)


@pytest.mark.parametrize(("name", "parameters"), ELEMENTWISE)
def test_catalogue_in_float32_agrees_with_float64(name: str, parameters: dict[str, float]) -> None:
    row, values = CATALOGUE[name], CATALOGUE[name].values(**parameters)
    for function in (evaluate, derivative):
        single, double = function(row.expression, GRID, values), function(row.expression, GRID.astype(float), values)
        assert single.dtype == np.float32
        assert single.shape == GRID.shape
        np.testing.assert_allclose(single, double, rtol=2e-6, atol=1e-6)  # also fails on NaN in one of them
        assert np.isfinite(double).all()


def _extremes(row: Activation) -> list[dict[str, float]]:
    """Return the row's values for all combinations of minimum, default and maximum of its parameters."""
    corners: list[dict[str, float]] = [{}]
    for p in row.parameters:
        corners = [corner | {p.name: value} for corner in corners for value in (p.minimum, p.default, p.maximum)]
    return [row.values(**corner) for corner in corners]


@pytest.mark.parametrize("row", [row for row in CATALOGUE.values() if row.non_decreasing], ids=lambda row: row.name)
def test_catalogue_non_decreasing_rows_do_not_fall(row: Activation) -> None:
    x = np.sort(np.concatenate([GRID.astype(float), np.random.default_rng(0).normal(0, 4, 20_000)]))
    for values in _extremes(row):
        assert np.diff(evaluate(row.expression, x, values)).min() >= 0
        assert derivative(row.expression, x, values).min() >= 0


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_catalogue_rows_declare_the_names_of_their_expression(row: Activation) -> None:
    named = {node.name for node in nodes(row.expression) if isinstance(node, Reference)}
    assert named <= row.values().keys()
    assert all(p.minimum <= p.default <= p.maximum for p in row.parameters)
    assert all(p.may_learn or not p.learnable for p in row.parameters)


def test_catalogue_marks_the_eleven_functions_of_the_article() -> None:
    named = {name for name, row in CATALOGUE.items() if row.named_in_article}
    assert named == {
        *("step", "linear", "sigmoid", "tanh", "softmax", "relu"),
        *("leaky_relu", "rrelu", "swish", "swish2", "softplus"),
    }


def test_catalogue_softmax_gives_the_article_example() -> None:
    shares = evaluate(CATALOGUE["softmax"].expression, np.array([[2.0, 1.0, 0.1]]), {})
    np.testing.assert_allclose(shares, [[0.7, 0.2, 0.1]], atol=0.05)
    assert shares.sum() == pytest.approx(1)


def test_catalogue_swish_tends_to_linear_and_relu() -> None:
    x = np.linspace(-5, 5, 101)
    swish, swish2 = CATALOGUE["swish"], CATALOGUE["swish2"]
    np.testing.assert_array_equal(evaluate(swish.expression, x, {"beta": 0.0}), x / 2)
    np.testing.assert_array_equal(evaluate(swish2.expression, x, {"beta": 0.0}), x)
    np.testing.assert_allclose(evaluate(swish.expression, x, {"beta": 1e4}), np.maximum(x, 0), atol=1e-12)
    np.testing.assert_allclose(evaluate(swish2.expression, x, {"beta": 1e4}), 2 * np.maximum(x, 0), atol=1e-12)


def table(name: str) -> Properties:
    return properties(CATALOGUE[name].expression, CATALOGUE[name].values())


def test_catalogue_has_thirty_rows_with_a_known_problem_each() -> None:
    assert len(CATALOGUE) == 30
    assert KNOWN_PROBLEMS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", CATALOGUE)
def test_catalogue_rows_have_texts_and_sources(name: str) -> None:
    row = CATALOGUE[name]
    assert row.advice is not None
    assert row.known_problem is not None
    for text in (row.advice.text, row.known_problem.text):
        assert text[0].isupper()
        assert text.endswith(".")
    for source in (row.initialisation.source, row.advice.source, row.known_problem.source):
        assert re.search(r"\b(19|20)\d\d\b|documentation|computed here", source), source
    assert row.note.endswith(".")
    assert all(p.minimum <= p.default <= p.maximum for p in row.parameters)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if "saturates on both sides" in KNOWN_PROBLEMS[name].text])
def test_known_problem_of_saturation_on_both_sides_is_true(name: str) -> None:
    assert table(name).saturating_sides == ["left", "right"]


@pytest.mark.parametrize("name", ["tanh_shrink", "soft_shrink", "hard_shrink", "step"])
def test_known_problem_of_no_gradient_at_0_is_true(name: str) -> None:
    assert (table(name).slope_at_0 or 0) == 0


def test_known_problems_that_are_computed_are_true() -> None:
    assert table("relu6").saturating_sides == ["left", "right"]
    assert table("celu").saturating_sides == ["left"]
    assert table("relu_squared").largest_slope is None
    assert table("swish2").largest_slope == pytest.approx(2.2, abs=0.01)
    assert table("log_sigmoid").range == (None, 0)
