"""Evaluate formulas and their derivatives with numpy, for plots, tables of properties and tests of the torch code."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from service.domain.formulas.expression import Call, Expression, Number, Reference, Variable, is_elementwise
from service.domain.formulas.partials import PARTIALS, SLOTS

Array: TypeAlias = npt.NDArray[np.floating[Any]]


# np.where evaluates both branches, so overflow and 0/0 are normal in the branch that is not taken. In the branch
# that is taken they give inf or NaN, which callers show as such.
@np.errstate(all="ignore")
def evaluate(expression: Expression, x: Array, parameters: Mapping[str, float]) -> Array:
    """Return f(x), in the shape and precision of x (float32 or float64).

    Softmax normalises over axis 1, so that x needs two or more axes for it. Raises KeyError for a parameter without a
    value.
    """
    return _broadcast(_value(expression, x, parameters), x)


@np.errstate(all="ignore")
def derivative(expression: Expression, x: Array, parameters: Mapping[str, float]) -> Array:
    """Return f'(x), in the shape and precision of x, by forward-mode differentiation.

    At a kink the value is that of torch's autograd: 0 for abs, 1/2 for each argument of minimum and maximum, and for
    `where` that of the branch that is taken. Raises ValueError for softmax, which has no derivative at each x, and
    KeyError for a parameter without a value.
    """
    if not is_elementwise(expression):
        raise ValueError("softmax mixes its inputs: it has a Jacobian, not a derivative at each x")
    return _broadcast(_value_and_slope(expression, x, parameters)[1], x)


def _broadcast(result: Array, x: Array) -> Array:
    return np.array(np.broadcast_to(result, x.shape), dtype=x.dtype)


def _value(expression: Expression, x: Array, parameters: Mapping[str, float | Array]) -> Array:
    match expression:
        case Number(value):
            return np.asarray(value, x.dtype)
        case Variable():
            return x
        case Reference(name):
            return np.asarray(parameters[name], x.dtype)
        case Call("softmax", (argument,)):
            return np.asarray(
                special.softmax(np.broadcast_to(_value(argument, x, parameters), x.shape), axis=1), x.dtype
            )
        case Call(function, arguments):
            result = _VALUES[function](*(_value(argument, x, parameters) for argument in arguments))
            return np.asarray(result, x.dtype)
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _value_and_slope(expression: Expression, x: Array, parameters: Mapping[str, float]) -> tuple[Array, Array]:
    """Return f(x) and f'(x) from one walk over the tree; evaluating each argument again for its slope would take time
    that grows with the square of the formula."""
    match expression:
        case Variable():
            return x, np.ones_like(x)
        case Call("where", (condition, taken, otherwise)):
            chosen = _value(condition, x, parameters) != 0
            one, one_slope = _value_and_slope(taken, x, parameters)
            other, other_slope = _value_and_slope(otherwise, x, parameters)
            return np.where(chosen, one, other), np.where(chosen, one_slope, other_slope)
        case Call(function, arguments) if function in PARTIALS:
            values, slopes = zip(*(_value_and_slope(argument, x, parameters) for argument in arguments), strict=True)
            slots = dict(zip(SLOTS, values, strict=False))
            partials = [_value(partial, x, slots) for partial in PARTIALS[function]]
            return np.asarray(_VALUES[function](*values), x.dtype), np.asarray(sum(map(_chain, partials, slopes)))
    return _value(expression, x, parameters), np.zeros_like(x)  # numbers, parameters and comparisons


def _chain(partial: Array, slope: Array) -> Array:
    """Multiply the partial derivative by an argument with the argument's own slope, where 0 times inf or NaN is 0."""
    # A constant argument contributes nothing even where the partial derivative does not exist: that of x ** 2 by the
    # exponent is NaN for x < 0. A flat function contributes nothing even where its argument's slope overflows: in
    # exp(-exp(-x)) the inner exponential is inf where the outer one is 0.
    is_zero = (slope == 0) | ((partial == 0) & np.isinf(slope))
    return np.where(is_zero, 0, partial * slope)


_VALUES: Mapping[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "**": np.power,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "negative": np.negative,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "atan": np.arctan,
    "tanh": np.tanh,
    "erf": special.erf,
    "abs": np.abs,
    "sigmoid": special.expit,
    "softplus": lambda a: np.logaddexp(a, np.zeros_like(a)),
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": lambda condition, taken, otherwise: np.where(condition != 0, taken, otherwise),
}
