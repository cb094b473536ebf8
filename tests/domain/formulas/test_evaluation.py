"""Values and derivatives of formulas at the limits of floating point."""

from typing import Any

import numpy as np
import pytest

from service.domain.formulas import evaluation
from service.domain.formulas.evaluation import derivative, evaluate
from service.domain.formulas.expression import (
    Call,
    Expression,
    Reference,
    X,
    exp,
    log,
    sigmoid,
    softmax,
    softplus,
    sqrt,
    where,
)


def test_evaluate_and_derivative_keep_the_digits_of_tails() -> None:
    x = np.array([-40.0, 40.0])
    tail = np.exp(-40.0)
    np.testing.assert_allclose(derivative(sigmoid(X), x, {}), [tail, tail], rtol=1e-12)
    np.testing.assert_allclose(evaluate(softplus(X), x, {}), [tail, 40.0], rtol=1e-12)


def test_evaluate_softmax_normalises_channels_without_overflow() -> None:
    x = np.zeros((2, 3, 4, 4), np.float32)
    x[:, 1] = 1e4
    np.testing.assert_array_equal(evaluate(softmax(X), x, {})[:, :, 0, 0], [[0, 1, 0], [0, 1, 0]])


def test_derivative_refuses_softmax() -> None:
    with pytest.raises(ValueError, match="Jacobian"):
        derivative(softmax(X), np.ones((1, 3)), {})


@pytest.mark.parametrize(
    ("tree", "slopes"),
    [
        (where(X > 0, log(X), exp(-X)), [-np.e, -1.0, 1.0]),
        (where(X > 0, sqrt(X), 0), [0.0, 0.0, 0.5]),
        (where(X < 0, X**2, X**3), [-2.0, 0.0, 3.0]),
        (abs(X) ** 0 + 1, [0.0, 0.0, 0.0]),
    ],
)
def test_derivative_ignores_the_branch_not_taken(tree: Expression, slopes: list[float]) -> None:
    np.testing.assert_allclose(derivative(tree, np.array([-1.0, 0.0, 1.0]), {}), slopes)


def test_evaluate_broadcasts_constants_to_the_shape_of_x() -> None:
    np.testing.assert_array_equal(evaluate(X * 0 + Reference("a"), np.zeros((2, 3)), {"a": 4.0}), np.full((2, 3), 4.0))
    np.testing.assert_array_equal(evaluate(Reference("a") * 2, np.zeros((2, 3)), {"a": 4.0}), np.full((2, 3), 8.0))
    with pytest.raises(KeyError):
        evaluate(Reference("a"), np.zeros(3), {})


def test_derivative_evaluates_each_node_once(monkeypatch: pytest.MonkeyPatch) -> None:
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
