"""Evaluate formulas with torch, alone or with their slopes, which are computed on the way forth.

A formula's slope is one tensor, whatever the formula: forward-mode differentiation keeps nothing else for the way back.
Its rules are those of `service.domain.formulas.evaluation`, so that what is trained is what previews show.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from service.domain.formulas.expression import CONSTANTS, NAMED, Call, Expression, Number, Reference, Variable
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import constant, whole_power
from service.domain.formulas.partials import RESULT, SLOTS, TRAINED_PARTIALS

Values: TypeAlias = Mapping[str, float | Tensor]
Slope: TypeAlias = Tensor | float

INPUT = "x"
"""The name of x beside those of parameters, none of which may have it."""


class Dual(NamedTuple):
    """A value and its slopes with respect to the inputs, by name; an input that is not there has slope 0.

    `degree` bounds how fast value and slopes grow, as a power of x; infinite where one of them may overflow.
    """

    value: Tensor
    slopes: Mapping[str, Slope]
    degree: float


def scalar(value: float, x: Tensor) -> Tensor:
    # A fill on the device: a copy from the host would stall the step, and a CUDA graph cannot hold it.
    return torch.full((), value, dtype=x.dtype, device=x.device)


def value(expression: Expression, x: Tensor, values: Values) -> Tensor:
    """Return f(x) for an elementwise f, in the dtype of x and in its shape unless f is constant."""
    match expression:
        case Number(number):
            return scalar(number, x)
        case Variable():
            return x
        case Reference(name):
            parameter = values[name]
            return parameter.to(x.dtype) if isinstance(parameter, Tensor) else scalar(parameter, x)
        case Call(function, ()):
            return scalar(CONSTANTS[function], x)
        case Call("where", (condition, taken, otherwise)):
            return torch.where(value(condition, x, values) != 0, value(taken, x, values), value(otherwise, x, values))
        case Call(function, arguments) if function in DEFINITIONS:
            first, *others = (value(argument, x, values) for argument in arguments)
            return value(DEFINITIONS[function], first, dict(zip(NAMED[function], others, strict=True)))
        case Call(function, arguments):
            return applied(expression, [value(argument, x, values) for argument in arguments])
    raise TypeError(f"Not a node of a formula: {expression!r}")


def applied(call: Call, arguments: Sequence[Tensor]) -> Tensor:
    """Apply the function of a call to the values of its arguments."""
    if call.function == "**" and (power := whole_power(call.arguments[1])) is not None:
        return torch.pow(arguments[0], power)  # a product for 2 and 3
    return _FUNCTIONS[call.function](*arguments)


def dual(expression: Expression, x: Tensor, values: Values, inputs: Mapping[str, Tensor]) -> Dual:
    """Return f(x) and its slopes with respect to `inputs`: x under INPUT, and parameters that are learned."""
    parameters = {name: _parameter(name, value, x, name in inputs) for name, value in values.items()}
    return _dual(expression, Dual(x, {INPUT: 1.0} if INPUT in inputs else {}, 1.0), parameters)


def _parameter(name: str, value: float | Tensor, x: Tensor, has_slope: bool) -> Dual:
    if isinstance(value, Tensor):
        return Dual(value.to(x.dtype), {name: 1.0} if has_slope else {}, 0.0)
    return _number(value, x)


def _number(value: float, x: Tensor) -> Dual:
    return Dual(scalar(value, x), {}, 0.0 if abs(value) <= _LARGE else math.inf)


def _dual(expression: Expression, x: Dual, parameters: Mapping[str, Dual]) -> Dual:
    match expression:
        case Number(number):
            return _number(number, x.value)
        case Variable():
            return x
        case Reference(name):
            return parameters[name]
        case Call(function, ()):
            return _number(CONSTANTS[function], x.value)
        case Call(function, arguments):
            inner = [_dual(argument, x, parameters) for argument in arguments]
            if function == "where":
                return _chosen(*inner)
            if function in DEFINITIONS:
                return _dual(DEFINITIONS[function], inner[0], dict(zip(NAMED[function], inner[1:], strict=True)))
            return _called(expression, inner)
    raise TypeError(f"Not a node of a formula: {expression!r}")


def _chosen(condition: Dual, taken: Dual, otherwise: Dual) -> Dual:
    chosen = condition.value != 0
    value = torch.where(chosen, taken.value, otherwise.value)
    names = dict.fromkeys((*taken.slopes, *otherwise.slopes))
    slopes: dict[str, Slope] = {}
    for name in names:
        one, other = (_tensor(branch.slopes.get(name, 0.0), value) for branch in (taken, otherwise))
        slopes[name] = torch.where(chosen, one, other)
    return Dual(value, slopes, max(condition.degree, taken.degree, otherwise.degree))


def _tensor(slope: Slope, x: Tensor) -> Tensor:
    return slope if isinstance(slope, Tensor) else scalar(slope, x)


def _called(call: Call, inner: Sequence[Dual]) -> Dual:
    result = applied(call, [argument.value for argument in inner])
    degree = _degree(call, [argument.degree for argument in inner])
    slopes: dict[str, Slope] = {}
    slots = {RESULT: result, **dict(zip(SLOTS, (argument.value for argument in inner), strict=False))}
    for rule, argument in zip(_rules(call), inner, strict=False):
        if argument.slopes:
            local = _local(rule, result, slots)
            for name, slope in argument.slopes.items():
                term = chained(local, slope, guarded=degree > _TAME)
                slopes[name] = slopes[name] + term if name in slopes else term
    return Dual(result, slopes, degree)


def _rules(call: Call) -> Sequence[Expression]:
    if call.function == "**" and (power := whole_power(call.arguments[1])) is not None:
        return (POWER_RULES[power],) if power in POWER_RULES else (power * _BASE ** (power - 1),)
    return TRAINED_PARTIALS.get(call.function, ())


def _local(rule: Expression, x: Tensor, slots: Values) -> Slope:
    number = constant(rule)
    return value(rule, x, slots) if number is None else number


def chained(local: Slope, slope: Slope, *, guarded: bool) -> Slope:
    """Multiply a partial derivative by the slope of its argument; where `guarded`, 0 times inf or NaN is 0.

    A number 0, the slope of an argument that is constant such as x - x, always is.
    """
    if any(isinstance(factor, float) and factor == 0 for factor in (local, slope)):
        return 0.0
    if isinstance(local, float):
        return slope if local == 1 else local * slope
    if isinstance(slope, float):
        return local if slope == 1 else local * slope
    product = local * slope
    return torch.where((slope == 0) | (local == 0), 0, product) if guarded else product


_BASE = Reference(SLOTS[0])
POWER_RULES: Mapping[int, Expression] = {0: Number(0), 1: Number(1), 2: 2 * _BASE}

_LARGE = 1e3  # larger numbers may make a product overflow
_TAME = 8.0  # a power up to this one is finite in float32 up to 1e4, and so are its slopes
_HARMLESS = frozenset(
    ("+", "-", "<", "<=", ">", ">=", "negative", "abs", "minimum", "maximum", "sin", "cos", "atan", "tanh", "erf",
     "sign", "sigmoid", "softplus", "asinh", "floor", "ceil", "round")
)  # fmt: skip


def _degree(call: Call, degrees: Sequence[float]) -> float:
    if call.function in _HARMLESS:
        return max(degrees)
    if call.function == "*":
        return sum(degrees)
    if call.function == "**" and (power := whole_power(call.arguments[1])) is not None and power >= 0:
        return degrees[0] * power if power else 0.0
    return math.inf


def _compared(compare: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda a, b: compare(a, b).to(a.dtype)


def _softmax(x: Tensor) -> Tensor:
    # torch.softmax(x, dim=1) would turn channels-last maps into channels-first ones.
    return torch.softmax(x.movedim(1, -1), dim=-1).movedim(-1, 1)


_FUNCTIONS: Mapping[str, Callable[..., Tensor]] = {
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "**": torch.pow,
    "<": _compared(torch.lt),
    "<=": _compared(torch.le),
    ">": _compared(torch.gt),
    ">=": _compared(torch.ge),
    "negative": torch.neg,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "log2": torch.log2,
    "log10": torch.log10,
    "sqrt": torch.sqrt,
    "cbrt": lambda a: torch.sign(a) * torch.abs(a).pow(1 / 3),
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "asinh": torch.asinh,
    "acosh": torch.acosh,
    "atanh": torch.atanh,
    "erf": torch.erf,
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "sigmoid": torch.sigmoid,
    "softplus": lambda a: -F.logsigmoid(-a),  # F.softplus itself turns linear at 20, too early for float64
    "softmax": _softmax,
    "minimum": torch.minimum,
    "maximum": torch.maximum,
}
