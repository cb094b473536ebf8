"""Formulas by mpmath: the exact value, and whether arithmetic in float32 must come to a finite one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from service.domain.formulas.expression import CONSTANTS, Call, Expression, Number, Reference, Variable
from service.domain.formulas.library import DEFINITIONS, written_out

LARGEST = mpmath.mpf(float(np.finfo(np.float32).max)) / 4  # with room for rounding and for softplus and its like
GRAZING = mpmath.mpf("1e-3")
ROUNDED_TO_0 = -1000  # exponents below give 0 in any precision


class Unknown(Exception):
    """A value is undefined, out of range, or so near a pole or the end of a domain that it depends on rounding."""


@dataclass(frozen=True)
class Exact:
    value: Any
    size: Any
    """The largest number on the way, by which rounding errors are measured."""


def exact(tree: Expression, x: float, parameters: Mapping[str, float]) -> Any:
    """f(x), where every step on the way is within float32's range and clear of what it must not touch. Unknown
    otherwise."""
    with mpmath.workdps(50):
        return _walk(tree, float(np.float32(x)), parameters).value


def _walk(node: Expression, x: float, parameters: Mapping[str, float]) -> Exact:
    match node:
        case Number(value):
            return _within(mpmath.mpf(float(np.float32(value))))
        case Variable():
            return _within(mpmath.mpf(x))
        case Reference(name):
            return _within(mpmath.mpf(float(np.float32(parameters[name]))))
        case Call("where", (condition, taken, otherwise)):
            return _walk(taken if _walk(condition, x, parameters).value != 0 else otherwise, x, parameters)
        case Call(function, ()):
            return _within(mpmath.mpf(float(np.float32(CONSTANTS[function]))))
        case Call(function, _) if function in DEFINITIONS:
            return _walk(written_out(node), x, parameters)
        case Call(function, arguments):
            inner = [_walk(argument, x, parameters) for argument in arguments]
            return _within(_FUNCTIONS[function](*inner), *inner)
    raise TypeError(node)


def _within(value: Any, *inner: Exact) -> Exact:
    if not mpmath.isfinite(value) or abs(value) > LARGEST:
        raise Unknown
    return Exact(value, max([abs(value), *(argument.size for argument in inner)]))


def _clear(a: Exact) -> Any:
    """Return the value of a node, unless it is the remainder of a cancellation."""
    if abs(a.value) < GRAZING * a.size:
        raise Unknown
    return a.value


def _positive(a: Exact) -> Any:
    if _clear(a) <= 0:
        raise Unknown
    return a.value


def _clear_of_poles(a: Exact) -> Any:
    if a.size > 1e6 or abs(mpmath.cos(a.value)) < GRAZING * max(a.size, 1):
        raise Unknown
    return a.value


def _within_1(a: Exact) -> Any:
    if 1 - abs(a.value) < GRAZING * max(a.size, 1):
        raise Unknown
    return a.value


def _exp(a: Any) -> Any:
    if a > 88:
        raise Unknown
    return mpmath.mpf(0) if a < ROUNDED_TO_0 else mpmath.exp(a)


def _power(a: Exact, b: Exact) -> Any:
    if b.value == int(b.value) and 0 < b.value <= 100:
        if a.value == 0:
            return a.value
        return _exp(b.value * mpmath.log(abs(a.value))) * (-1 if a.value < 0 and int(b.value) % 2 else 1)
    return _exp(b.value * mpmath.log(_positive(a)))


def _sign_decides(compare: Callable[[Any, Any], bool]) -> Callable[[Exact, Exact], Any]:
    def compared(a: Exact, b: Exact) -> Any:
        if a.value != b.value and abs(a.value - b.value) < GRAZING * max(a.size, b.size):
            raise Unknown
        return mpmath.mpf(compare(a.value, b.value))

    return compared


def _periodic(function: Callable[[Any], Any]) -> Callable[[Exact], Any]:
    def of(a: Exact) -> Any:
        if a.size > 1e6:
            raise Unknown
        return function(a.value)

    return of


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "+": lambda a, b: a.value + b.value,
    "-": lambda a, b: a.value - b.value,
    "*": lambda a, b: a.value * b.value,
    "/": lambda a, b: a.value / _clear(b) if b.value else mpmath.nan,
    "**": _power,
    "<": _sign_decides(lambda a, b: a < b),
    "<=": _sign_decides(lambda a, b: a <= b),
    ">": _sign_decides(lambda a, b: a > b),
    ">=": _sign_decides(lambda a, b: a >= b),
    "minimum": lambda a, b: min(a.value, b.value),
    "maximum": lambda a, b: max(a.value, b.value),
    "negative": lambda a: -a.value,
    "exp": lambda a: _exp(a.value),
    "expm1": lambda a: _exp(a.value) - 1,
    "log": lambda a: mpmath.log(_positive(a)),
    "log1p": lambda a: mpmath.log(_positive(Exact(1 + a.value, 1 + a.size))),
    "sqrt": lambda a: mpmath.sqrt(_positive(a)) if a.value else a.value,
    "sin": _periodic(mpmath.sin),
    "cos": _periodic(mpmath.cos),
    "tan": lambda a: mpmath.tan(_clear_of_poles(a)),
    "asin": lambda a: mpmath.asin(_within_1(a)),
    "acos": lambda a: mpmath.acos(_within_1(a)),
    "sinh": lambda a: (_exp(a.value) - _exp(-a.value)) / 2,
    "cosh": lambda a: (_exp(a.value) + _exp(-a.value)) / 2,
    "asinh": lambda a: mpmath.asinh(a.value),
    "acosh": lambda a: mpmath.acosh(1 + _positive(Exact(a.value - 1, a.size + 1))),
    "atanh": lambda a: mpmath.atanh(_within_1(a)),
    "cbrt": lambda a: mpmath.sign(a.value) * mpmath.cbrt(abs(a.value)),
    "log2": lambda a: mpmath.log(_positive(a), 2),
    "log10": lambda a: mpmath.log10(_positive(a)),
    "sign": lambda a: mpmath.sign(_clear(a) if a.value else a.value),
    "floor": lambda a: mpmath.floor(a.value),
    "ceil": lambda a: mpmath.ceil(a.value),
    "round": lambda a: mpmath.nint(a.value),
    "atan": lambda a: mpmath.atan(a.value),
    "tanh": lambda a: mpmath.tanh(a.value) if abs(a.value) < 1000 else mpmath.sign(a.value),
    "erf": lambda a: mpmath.erf(a.value) if abs(a.value) < 50 else mpmath.sign(a.value),
    "abs": lambda a: abs(a.value),
    "sigmoid": lambda a: 1 / (1 + _exp(-a.value)) if a.value > -88 else mpmath.mpf(0),
    "softplus": lambda a: mpmath.log1p(_exp(a.value)) if a.value < 80 else a.value,
    "softmax": lambda a: _unknown(),
}


def _unknown() -> Any:
    raise Unknown
