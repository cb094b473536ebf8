"""The functions of the catalogue, as formulas of x and their parameters. Formulas call them by name too."""

from collections.abc import Mapping

from service.domain.formulas.expression import (
    NAMED,
    Call,
    Expression,
    Reference,
    X,
    erf,
    expm1,
    sigmoid,
    sin,
    softplus,
    sqrt,
    substituted,
    tanh,
    where,
)

# Klambauer et al. 2017, section 2: the fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
TWICE_SQRT_2_OVER_PI = 1.5957691216057308

_alpha, _beta = Reference("alpha"), Reference("beta")
_slope, _threshold = Reference("slope"), Reference("threshold")
_hard_sigmoid = where(abs(X) < 3, X / 6 + 0.5, where(X > 0, 1, 0))

DEFINITIONS: Mapping[str, Expression] = {
    "step": where(X > 0, 1, 0),
    "linear": X,
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": where(abs(X) < 1, X, where(X > 0, 1, -1)),
    "softsign": X / (1 + abs(X)),
    "sine": sin(X),
    "relu": where(X > 0, X, 0),
    "leaky_relu": where(X > 0, X, _slope * X),
    "prelu": where(X > 0, X, _slope * X),
    "elu": where(X > 0, X, _alpha * expm1(X)),
    "selu": SELU_SCALE * where(X > 0, X, SELU_ALPHA * expm1(X)),
    "relu6": where(X > 0, where(X < 6, X, 6), 0),
    "celu": where(X > 0, X, _alpha * expm1(X / _alpha)),
    "relu_squared": where(X > 0, X * X, 0),
    "swish": X * sigmoid(_beta * X),
    "swish2": 2 * X * sigmoid(_beta * X),
    "gelu": X * (1 + erf(X / sqrt(2))) / 2,
    "gelu_tanh": X * sigmoid(TWICE_SQRT_2_OVER_PI * (X + 0.044715 * X**3)),
    "silu": X * sigmoid(X),
    "mish": X * tanh(softplus(X)),
    "hard_swish": X * _hard_sigmoid,
    "log_sigmoid": -softplus(-X),
    "tanh_shrink": X - tanh(X),
    "soft_shrink": where(abs(X) > _threshold, where(X > 0, X - _threshold, X + _threshold), 0),
    "hard_shrink": where(abs(X) > _threshold, X, 0),
}


def parameters_of(call: Call) -> Mapping[str, Expression]:
    """Return the arguments of a call of a named function that are its parameters, by name."""
    return dict(zip(NAMED[call.function], call.arguments[1:], strict=True))


def written_out(call: Call) -> Expression:
    """Return the definition of a named function with the call's arguments in it."""
    return substituted(DEFINITIONS[call.function], call.arguments[0], parameters_of(call))
