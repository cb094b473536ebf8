"""Values and derivatives of formulas with numpy, for plots, tables of properties, and as the measure of torch's."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from service.domain.formulas.expression import Call, Expression, Number, Reference, Variable, is_elementwise
from service.domain.formulas.partials import PARTIALS, SLOTS

Array: TypeAlias = npt.NDArray[np.floating[Any]]


# np.where evaluates both branches, so overflow and 0/0 in the branch not taken are normal. In the branch taken they
# come out as inf or NaN, which callers show as such.
@np.errstate(all="ignore")
def evaluate(expression: Expression, x: Array, parameters: Mapping[str, float]) -> Array:
    """f(x), in the shape and precision of x (float32 or float64). Softmax runs over axis 1, so x needs two axes or more
    for it. Raises KeyError for a parameter without a value."""
    return _filled(_value(expression, x, parameters), x)


@np.errstate(all="ignore")
def derivative(expression: Expression, x: Array, parameters: Mapping[str, float]) -> Array:
    """f'(x), in the shape and precision of x, by forward-mode differentiation. At a kink it is what torch's autograd
    takes: abs has 0, minimum and maximum share 1 equally, `where` and the comparisons follow the side that x is on.
    Raises ValueError for softmax, which has no derivative at a point, and KeyError as `evaluate` does."""
    if not is_elementwise(expression):
        raise ValueError("softmax mixes its inputs: it has a Jacobian, not a derivative at each x")
    return _filled(_both(expression, x, parameters)[1], x)


def _filled(result: Array, x: Array) -> Array:
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
            called = _VALUES[function](*(_value(argument, x, parameters) for argument in arguments))
            return np.asarray(called, x.dtype)
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _both(expression: Expression, x: Array, parameters: Mapping[str, float]) -> tuple[Array, Array]:
    """f(x) and f'(x) in one walk: a slope that valued its arguments anew would take the square of the size."""
    match expression:
        case Variable():
            return x, np.ones_like(x)
        case Call("where", (condition, taken, otherwise)):
            chosen = _value(condition, x, parameters) != 0
            (one, one_slope), (other, other_slope) = (_both(each, x, parameters) for each in (taken, otherwise))
            return np.where(chosen, one, other), np.where(chosen, one_slope, other_slope)
        case Call(function, arguments) if function in PARTIALS:
            values, slopes = zip(*(_both(argument, x, parameters) for argument in arguments), strict=True)
            at = dict(zip(SLOTS, values, strict=False))
            partials = [_value(partial, x, at) for partial in PARTIALS[function]]
            return np.asarray(_VALUES[function](*values), x.dtype), np.asarray(sum(map(_chain, partials, slopes)))
    return _value(expression, x, parameters), np.zeros_like(x)  # numbers, parameters and comparisons


def _chain(partial: Array, slope: Array) -> Array:
    # An argument that does not move contributes nothing, however steep the function is there: in x ** 2 the partial
    # derivative by the exponent is NaN for x < 0. A function that is flat lets nothing through, however fast its
    # argument moves: in exp(-exp(-x)) the inner exponential overflows where the outer one has long been 0.
    still = (slope == 0) | ((partial == 0) & np.isinf(slope))
    return np.where(still, 0, partial * slope)


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
