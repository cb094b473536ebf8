"""Saturation against values computed by hand."""

import math

import pytest

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.saturation import FLAT, Saturation, Sides, saturation, sides
from service.domain.activations.selection import ActivationSpec


def of(activation: str | ActivationSpec, **learned: float) -> tuple[Sides, Saturation]:
    choice = ActivationSpec.model_validate({"name": activation}) if isinstance(activation, str) else activation
    expression = choice.definition.expression
    kind = sides(expression, choice.values)
    return kind, saturation(expression, choice.values | learned, kind)


SATURATES = {
    "sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign", "relu", "relu6", "softplus", "swish", "swish2", "elu",
    "selu", "celu", "gelu", "gelu_tanh", "silu", "mish", "hard_swish", "log_sigmoid",
}  # fmt: skip
DIES = {"relu", "softplus", "swish", "swish2", "elu", "selu", "celu", "relu_squared", "gelu", "gelu_tanh", "silu",
        "mish", "hard_swish"}  # fmt: skip
DAMPED = {"leaky_relu", "rrelu", "prelu"}


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_sides_of_the_catalogue(name: str) -> None:
    kind, _ = of(name)
    assert kind.saturates == (name in SATURATES)
    assert kind.dies == (name in DIES)
    assert kind.damped == (name in DAMPED)
    assert kind.rests == (name in DIES | DAMPED)


def test_saturation_of_symmetric_functions() -> None:
    # tanh' = 1 - tanh^2 = 0.005; sigmoid' = s (1 - s) = 0.005 / 4, which is half of it by sigmoid(x) = tanh(x / 2).
    end = math.atanh(math.sqrt(1 - FLAT))
    for name, scale in (("tanh", 1), ("sigmoid", 2)):
        _, flat = of(name)
        assert flat.right == pytest.approx(scale * end, abs=1e-8)
        assert flat.left == pytest.approx(-scale * end, abs=1e-8)


def test_saturation_on_one_side() -> None:
    assert of("relu")[1] == Saturation(0.0, None)
    assert of("hard_swish")[1].left == pytest.approx(-3, abs=1e-8)
    assert of("elu")[1].left == pytest.approx(math.log(FLAT), abs=1e-8)
    assert of("log_sigmoid")[1].left is None
    assert of("log_sigmoid")[1].right == pytest.approx(math.log(1 / FLAT - 1), abs=1e-8)


def test_saturation_ignores_a_single_zero_of_the_slope() -> None:
    """The slope of swish is 0 at its minimum, x = -1.278, and not 0 on both sides of it."""
    flat = of("swish")[1].left
    assert flat is not None
    assert flat < -6


def test_saturation_of_an_unbounded_slope_needs_a_slope_of_0() -> None:
    kind, flat = of("relu_squared")
    assert (kind.saturates, kind.dies) == (False, True)
    assert flat == Saturation(0.0, None)


def test_saturation_follows_learned_parameters_and_sides_do_not() -> None:
    choice = ActivationSpec.model_validate({"name": "swish", "parameters": {"beta": {"value": 1, "learnable": True}}})
    (kind, once), (same, twice) = of(choice), of(choice, beta=2.0)
    assert kind == same
    assert once.left is not None
    assert twice.left == pytest.approx(once.left / 2, rel=1e-6)
    assert of(choice, beta=math.nan)[1] == Saturation(None, None)


def test_sides_and_saturation_of_formulas() -> None:
    leaky = ActivationSpec.model_validate({"formula": "maximum(x, 0.2 * x)"})
    assert of(leaky)[0].damped
    assert not of(ActivationSpec.model_validate({"formula": "3 * x"}))[0].rests
    shifted = of(ActivationSpec.model_validate({"formula": "tanh(x - 10)"}))[1]
    end = math.atanh(math.sqrt(1 - FLAT))
    assert shifted.left == pytest.approx(10 - end, abs=1e-7)
    assert shifted.right == pytest.approx(10 + end, abs=1e-7)
