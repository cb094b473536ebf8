"""Derivatives as formulas: the rules of `partials` chained over a tree, and what is plainly superfluous left out.

Our own rules and not a computer algebra system's: those simplify numbers as they go, and a short formula of nested
powers then takes one minutes and gigabytes; and they know nothing of sigmoid(-a) keeping the digits of 1 - sigmoid(a).
"""

import math
from collections.abc import Callable, Mapping

from service.domain.formulas.expression import (
    Call,
    Expression,
    Number,
    Reference,
    Variable,
    is_elementwise,
    nodes,
    number,
)
from service.domain.formulas.partials import PARTIALS, SLOTS

MOST_NODES = 400
"""A derivative with more is not shown: nobody reads it, and it grows with the square of the formula."""


def derivative_formula(expression: Expression) -> Expression | None:
    """f' as a tree of the same language; None for softmax, and where it would be too long to read. At a kink it takes
    the value that `numeric.derivative` takes."""
    if not is_elementwise(expression):
        return None
    slope = _slope(expression)
    return slope if sum(1 for _ in nodes(slope)) <= MOST_NODES else None


def _slope(expression: Expression) -> Expression:
    match expression:
        case Variable():
            return number(1)
        case Call("where", (condition, taken, otherwise)):
            return _where(condition, _slope(taken), _slope(otherwise))
        case Call(function, arguments) if function in PARTIALS:
            slots = dict(zip(SLOTS, arguments, strict=False))
            total = number(0)
            for partial, argument in zip(PARTIALS[function], arguments, strict=True):
                total = _plus(total, _chained(partial, slots, _slope(argument)))
            return total
    return number(0)  # numbers, parameters and comparisons


def _chained(partial: Expression, slots: Mapping[str, Expression], slope: Expression) -> Expression:
    return slope if slope == Number(0) else _times(_with(partial, slots), slope)


def _with(rule: Expression, slots: Mapping[str, Expression]) -> Expression:
    """A rule with the arguments put in."""
    match rule:
        case Reference(name):
            return slots[name]
        case Call(function, arguments):
            return _call(function, *(_with(argument, slots) for argument in arguments))
    return rule


def _call(function: str, *arguments: Expression) -> Expression:
    return _SIMPLER[function](*arguments) if function in _SIMPLER else Call(function, arguments)


def _plus(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(one), Number(other) if math.isfinite(one + other):
            return number(one + other)
        case Number(0), _:
            return b
        case _, Number(0):
            return a
        case _, Call("negative", (inner,)):
            return _minus(a, inner)
    return Call("+", (a, b))


def _minus(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(one), Number(other):
            return number(one - other)
        case Number(0), _:
            return _negative(b)
        case _, Number(0):
            return a
        case Number(one), Call("-", (Number(other), rest)) if one == other:
            return rest
        case Call("negative", (Number(one),)), Number(other) if math.isfinite(one + other):
            return number(-one - other)
    return Call("-", (a, b))


def _times(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(one), Number(other) if math.isfinite(one * other):
            return number(one * other)
        case (Number(0), _) | (_, Number(0)):
            return number(0)
        case Number(1), _:
            return b
        case _, Number(1):
            return a
        case (Call("negative", (inner,)), _):
            return _negative(_times(inner, b))
        case _, Call("negative", (inner,)):
            return _negative(_times(a, inner))
        case _, Call("*", (first, second)):
            return _times(_times(a, first), second)
        case _, Number():
            return _times(b, a)  # numbers come first
    return Call("*", (a, b))


def _over(a: Expression, b: Expression) -> Expression:
    match a, b:
        case Number(0), _:
            return a
        case _, Number(1):
            return a
        case Call("negative", (inner,)), _:
            return _negative(_over(inner, b))
    return Call("/", (a, b))


def _power(base: Expression, exponent: Expression) -> Expression:
    match exponent:
        case Number(1):
            return base
        case Number(0):
            return number(1)
    return Call("**", (base, exponent))


def _negative(a: Expression) -> Expression:
    match a:
        case Number(0):
            return a
        case Call("negative", (inner,)):
            return inner
    return Call("negative", (a,))


def _where(condition: Expression, taken: Expression, otherwise: Expression) -> Expression:
    match condition:
        case Number(value):
            return taken if value else otherwise
        case Call("negative", (Number(value),)):
            return taken if value else otherwise
    return taken if taken == otherwise else Call("where", (condition, taken, otherwise))


_SIMPLER: Mapping[str, Callable[..., Expression]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "**": _power,
    "negative": _negative,
    "where": _where,
}
