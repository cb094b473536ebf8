"""The catalogue against mpmath, and the numpy evaluator at the edges of its precision."""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from service.domain.activations.activation import Activation
from service.domain.activations.catalogue import CATALOGUE
from service.domain.formulas import evaluation
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.expression import Call, Expression, Reference, X, exp, log, nodes, softmax, sqrt, where

_BETAS: list[dict[str, float]] = [{"beta": value} for value in (0.0, 0.5, 1.0, 2.0, 100.0)]
_VARIED: dict[str, list[dict[str, float]]] = {
    "step": [{}, {"straight_through": 1.0}],
    "leaky_relu": [{}, {"slope": 0.0}, {"slope": 0.3}, {"slope": 1.0}],
    "rrelu": [{}, {"lower": 0.0, "upper": 1.0}],
    "swish": _BETAS,
    "swish2": _BETAS,
    "elu": [{}, {"alpha": 0.0}, {"alpha": 0.5}, {"alpha": 10.0}],
    "prelu": [{}, {"slope": 0.0}, {"slope": -0.5}],
    "celu": [{}, {"alpha": 0.01}, {"alpha": 0.5}, {"alpha": 100.0}],
    "soft_shrink": [{}, {"threshold": 0.0}, {"threshold": 10.0}],
    "hard_shrink": [{}, {"threshold": 0.0}, {"threshold": 10.0}],
}
CASES = [(name, values) for name in CATALOGUE for values in _VARIED.get(name, [{}])]
ELEMENTWISE = [(name, values) for name, values in CASES if CATALOGUE[name].elementwise]
"""Every row with several values of its parameters."""

_POSITIVE = [1e-45, 1e-40, 1.2e-38, 1e-30, 1e-20, 1e-8, *np.linspace(0.001, 20, 400), *np.linspace(86, 105, 39), 1e4]
GRID = np.array([*(-p for p in reversed(_POSITIVE)), -0.0, 0.0, *_POSITIVE], np.float32)
"""Ascending; denormals, both zeros, and where exp leaves float32 (88 to 104)."""


def _logistic(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def _elu(x: Any, alpha: Any) -> Any:
    return x if x > 0 else alpha * mpmath.expm1(x)


# Written a second time, apart from the trees. SELU's constants follow from their closed form in Klambauer et al. 2017.
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
    """The scale that gives f(Z) variance 1 (its mean is 0) for Z ~ N(0, 1)."""
    alpha, root = _selu_alpha(), mpmath.sqrt(2)
    below = (mpmath.e**2 * mpmath.erfc(root) - 2 * mpmath.sqrt(mpmath.e) * mpmath.erfc(1 / root) + 1) / 2
    return 1 / mpmath.sqrt(alpha**2 * below + mpmath.mpf(1) / 2)


@pytest.mark.parametrize(("name", "given"), ELEMENTWISE)
def test_values_and_derivatives_are_those_of_mpmath(name: str, given: dict[str, float]) -> None:
    row, values = CATALOGUE[name], CATALOGUE[name].values(**given)
    points = np.array([-1e4, -100, -20, -5.5, -1.1, -0.1, -1e-3, 1e-3, 0.6, 3.1, 30, 104, 1e4])
    with mpmath.workdps(60):
        exact = [_EXACT[name](mpmath.mpf(x), **values) for x in points]
        slopes = [mpmath.diff(lambda x: _EXACT[name](x, **values), x) for x in points]
    np.testing.assert_allclose(evaluate(row.expression, points, values), np.array(exact, float), 1e-12, 1e-14)
    np.testing.assert_allclose(derivative(row.expression, points, values), np.array(slopes, float), 1e-12, 1e-13)


@pytest.mark.parametrize(("name", "given"), ELEMENTWISE)
def test_float32_keeps_to_float64(name: str, given: dict[str, float]) -> None:
    row, values = CATALOGUE[name], CATALOGUE[name].values(**given)
    for function in (evaluate, derivative):
        single, double = function(row.expression, GRID, values), function(row.expression, GRID.astype(float), values)
        assert single.dtype == np.float32
        assert single.shape == GRID.shape
        np.testing.assert_allclose(single, double, rtol=2e-6, atol=1e-6)  # also fails on NaN in one of them
        assert np.isfinite(double).all()


def test_tails_keep_their_digits() -> None:
    x = np.array([-40.0, 40.0])
    tail = np.exp(-40.0)
    np.testing.assert_allclose(derivative(CATALOGUE["sigmoid"].expression, x, {}), [tail, tail], rtol=1e-12)
    np.testing.assert_allclose(evaluate(CATALOGUE["softplus"].expression, x, {}), [tail, 40.0], rtol=1e-12)


def _extremes(row: Activation) -> list[dict[str, float]]:
    """The row's values at the defaults and at every corner of its parameters' bounds."""
    corners: list[dict[str, float]] = [{}]
    for p in row.parameters:
        corners = [corner | {p.name: value} for corner in corners for value in (p.minimum, p.default, p.maximum)]
    return [row.values(**corner) for corner in corners]


@pytest.mark.parametrize("row", [row for row in CATALOGUE.values() if row.non_decreasing], ids=lambda row: row.name)
def test_non_decreasing_rows_fall_nowhere(row: Activation) -> None:
    x = np.sort(np.concatenate([GRID.astype(float), np.random.default_rng(0).normal(0, 4, 20_000)]))
    for values in _extremes(row):
        assert np.diff(evaluate(row.expression, x, values)).min() >= 0
        assert derivative(row.expression, x, values).min() >= 0


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_a_row_declares_what_its_expression_names(row: Activation) -> None:
    named = {node.name for node in nodes(row.expression) if isinstance(node, Reference)}
    assert named <= row.values().keys()
    assert all(p.minimum <= p.default <= p.maximum for p in row.parameters)
    assert all(p.may_learn or not p.learnable for p in row.parameters)


def test_the_article_names_eleven_of_them() -> None:
    named = {name for name, row in CATALOGUE.items() if row.named_in_article}
    assert named == {
        *("step", "linear", "sigmoid", "tanh", "softmax", "relu"),
        *("leaky_relu", "rrelu", "swish", "swish2", "softplus"),
    }


def test_softmax_is_the_article_s_example() -> None:
    shares = evaluate(softmax(X), np.array([[2.0, 1.0, 0.1]]), {})
    np.testing.assert_allclose(shares, [[0.7, 0.2, 0.1]], atol=0.05)
    assert shares.sum() == pytest.approx(1)


def test_softmax_runs_over_channels_and_does_not_overflow() -> None:
    x = np.zeros((2, 3, 4, 4), np.float32)
    x[:, 1] = 1e4
    np.testing.assert_array_equal(evaluate(softmax(X), x, {})[:, :, 0, 0], [[0, 1, 0], [0, 1, 0]])


def test_softmax_has_no_derivative_at_a_point() -> None:
    with pytest.raises(ValueError, match="Jacobian"):
        derivative(softmax(X), np.ones((1, 3)), {})


def test_limits_of_swish() -> None:
    x = np.linspace(-5, 5, 101)
    swish, swish2 = CATALOGUE["swish"], CATALOGUE["swish2"]
    np.testing.assert_array_equal(evaluate(swish.expression, x, {"beta": 0.0}), x / 2)
    np.testing.assert_array_equal(evaluate(swish2.expression, x, {"beta": 0.0}), x)
    np.testing.assert_allclose(evaluate(swish.expression, x, {"beta": 1e4}), np.maximum(x, 0), atol=1e-12)
    np.testing.assert_allclose(evaluate(swish2.expression, x, {"beta": 1e4}), 2 * np.maximum(x, 0), atol=1e-12)


def test_evaluation_takes_the_mean_of_a_random_slope() -> None:
    assert CATALOGUE["rrelu"].values()["slope"] == pytest.approx(11 / 48)
    assert CATALOGUE["rrelu"].values(lower=0.2, upper=0.4)["slope"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("tree", "slopes"),
    [
        (where(X > 0, log(X), exp(-X)), [-np.e, -1.0, 1.0]),
        (where(X > 0, sqrt(X), 0), [0.0, 0.0, 0.5]),
        (where(X < 0, X**2, X**3), [-2.0, 0.0, 3.0]),
        (abs(X) ** 0 + 1, [0.0, 0.0, 0.0]),
    ],
)
def test_a_branch_not_taken_leaves_no_trace(tree: Expression, slopes: list[float]) -> None:
    np.testing.assert_allclose(derivative(tree, np.array([-1.0, 0.0, 1.0]), {}), slopes)


def test_a_constant_fills_the_shape_of_x() -> None:
    np.testing.assert_array_equal(evaluate(X * 0 + Reference("a"), np.zeros((2, 3)), {"a": 4.0}), np.full((2, 3), 4.0))
    np.testing.assert_array_equal(evaluate(Reference("a") * 2, np.zeros((2, 3)), {"a": 4.0}), np.full((2, 3), 8.0))
    with pytest.raises(KeyError):
        evaluate(Reference("a"), np.zeros(3), {})


def test_a_derivative_values_each_part_of_the_formula_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(a: Any) -> Any:
        calls.append(a)
        return np.sin(a)

    monkeypatch.setitem(evaluation._VALUES, "sin", counted)
    tree: Expression = X
    for _ in range(30):
        tree = Call("sin", (tree,))
    derivative(tree, np.linspace(-1, 1, 5), {})
    assert len(calls) == 30
