"""Evaluate formulas and their derivatives with numpy, for plots, tables of properties and tests of the torch code."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import special

from service.domain.formulas.expression import (
    CONSTANTS,
    NAMED,
    Call,
    Expression,
    Number,
    Reference,
    Variable,
    is_elementwise,
)
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.partials import PARTIALS, RESULT, SLOTS, TRAINED_PARTIALS

Array: TypeAlias = npt.NDArray[np.floating[Any]]
Rules: TypeAlias = Mapping[str, tuple[Expression, ...]]


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

    At a kink the value is that of training: 0 for abs, 1/2 for each argument of minimum and maximum, and for `where`
    that of the branch that is taken. At a vertical tangent it is infinite. Raises ValueError for softmax, which has no
    derivative at each x, and KeyError for a parameter without a value.
    """
    return _broadcast(_derived(expression, x, parameters, PARTIALS).slope, x)


@np.errstate(all="ignore")
def trained(expression: Expression, x: Array, parameters: Mapping[str, float]) -> tuple[Array, Array]:
    """Return f(x) and the slope that training takes at x, which is 0 at a vertical tangent. Raises as `derivative`."""
    dual = _derived(expression, x, parameters, TRAINED_PARTIALS)
    return _broadcast(dual.value, x), _broadcast(dual.slope, x)


def _derived(expression: Expression, x: Array, parameters: Mapping[str, float], rules: Rules) -> "_Dual":
    if not is_elementwise(expression):
        raise ValueError("softmax mixes its inputs: it has a Jacobian, not a derivative at each x")
    constants = {name: _Dual(np.asarray(value, x.dtype), _NO_SLOPE) for name, value in parameters.items()}
    return _dual(expression, _Dual(x, np.ones_like(x)), constants, rules)


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
        case Call(function, arguments) if function in DEFINITIONS:
            values = [_value(argument, x, parameters) for argument in arguments]
            return _value(DEFINITIONS[function], values[0], dict(zip(NAMED[function], values[1:], strict=True)))
        case Call(function, arguments):
            result = _VALUES[function](*(_value(argument, x, parameters) for argument in arguments))
            return np.asarray(result, x.dtype)
    raise TypeError(f"Not a node of a formula: {expression!r}")


class _Dual(NamedTuple):
    """A value and its slope with respect to the variable."""

    value: Array
    slope: Array


def _dual(expression: Expression, x: _Dual, parameters: Mapping[str, _Dual], rules: Rules) -> _Dual:
    """Return f(x) and f'(x) from one walk over the tree; evaluating each argument again for its slope would take time
    that grows with the square of the formula."""
    match expression:
        case Variable():
            return x
        case Reference(name):
            return parameters[name]
        case Call(function, arguments):
            inner = [_dual(argument, x, parameters, rules) for argument in arguments]
            return _called(function, inner, x, rules)
    return _Dual(_value(expression, x.value, {}), _NO_SLOPE)


def _called(function: str, inner: Sequence[_Dual], x: _Dual, rules: Rules) -> _Dual:
    if function == "where":
        condition, one, other = inner
        chosen = condition.value != 0
        return _Dual(np.where(chosen, one.value, other.value), np.where(chosen, one.slope, other.slope))
    if function in DEFINITIONS:
        return _dual(DEFINITIONS[function], inner[0], dict(zip(NAMED[function], inner[1:], strict=True)), rules)
    value = np.asarray(_VALUES[function](*(argument.value for argument in inner)), x.value.dtype)
    slots = {RESULT: value, **dict(zip(SLOTS, (argument.value for argument in inner), strict=False))}
    locals_ = [_value(rule, x.value, slots) for rule in rules.get(function, ())]
    slopes = [argument.slope for argument in inner]
    return _Dual(value, np.asarray(sum(map(_chain, locals_, slopes), start=_NO_SLOPE), x.value.dtype))


def _chain(local: Array, slope: Array) -> Array:
    """Multiply the partial derivative by an argument with the argument's own slope, where 0 times inf or NaN is 0."""
    # A constant argument contributes nothing even where the partial derivative does not exist: that of x ** 2 by the
    # exponent is NaN for x < 0. A flat function contributes nothing even where its argument's slope overflows: in
    # exp(-exp(-x)) the inner exponential is inf where the outer one is 0.
    return np.where((slope == 0) | (local == 0), 0, local * slope)


_NO_SLOPE = np.zeros(())

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
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "log2": np.log2,
    "log10": np.log10,
    "cbrt": np.cbrt,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    **{name: partial(lambda value: value, value) for name, value in CONSTANTS.items()},
    "erf": special.erf,
    "abs": np.abs,
    "sigmoid": special.expit,
    "softplus": lambda a: np.logaddexp(a, np.zeros_like(a)),
    "minimum": np.minimum,
    "maximum": np.maximum,
    "where": lambda condition, taken, otherwise: np.where(condition != 0, taken, otherwise),
}
