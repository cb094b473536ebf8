"""Derive formulas symbolically: apply the chain rule to the partial derivatives of `partials`, and simplify.

These rules replace a computer algebra system (docs/decisions/0006). SymPy evaluates numbers while it simplifies, so
that a short formula of nested powers takes it minutes and gigabytes; and it does not know that sigmoid(-a) keeps digits
that 1 - sigmoid(a) loses.
"""

import math
from collections.abc import Callable, Mapping

from service.domain.formulas.expression import (
    Call,
    Expression,
    Number,
    Reference,
    Variable,
    X,
    is_elementwise,
    nodes,
    number,
)
from service.domain.formulas.library import DEFINITIONS, parameters_of
from service.domain.formulas.partials import PARTIALS, RESULT, SLOTS

MOST_NODES = 400
"""Most nodes of a derivative that is returned. A longer one is unreadable; it grows with the square of the formula."""


def derivative_formula(expression: Expression) -> Expression | None:
    """Return f' as a formula of x and the same parameters, with at most MOST_NODES nodes.

    None for softmax, which has no derivative at each x, and for a longer derivative. At a kink the formula has the
    value of `evaluation.derivative`.
    """
    if not is_elementwise(expression):
        return None
    slope = _slope(expression)
    return slope if sum(1 for _ in nodes(slope)) <= MOST_NODES else None


def _slope(expression: Expression, by: Expression = X) -> Expression:
    """Return the derivative with respect to x, or to a parameter."""
    if expression == by:
        return number(1)
    match expression:
        case Call("where", (condition, taken, otherwise)):
            return _where(condition, _slope(taken, by), _slope(otherwise, by))
        case Call(function, arguments) if function in DEFINITIONS:
            definition, inside = DEFINITIONS[function], parameters_of(expression)
            total = _named(_slope(definition), expression, _slope(arguments[0], by))
            for name, argument in inside.items():
                total = _plus(total, _named(_slope(definition, Reference(name)), expression, _slope(argument, by)))
            return total
        case Call(function, arguments) if function in PARTIALS:
            slots = {RESULT: expression, **dict(zip(SLOTS, arguments, strict=False))}
            total = number(0)
            for partial, argument in zip(PARTIALS[function], arguments, strict=True):
                total = _plus(total, _chained(partial, slots, _slope(argument, by)))
            return total
    return number(0)  # numbers, parameters, comparisons and functions that round


def _named(partial: Expression, call: Call, slope: Expression) -> Expression:
    """Chain a derivative of a named function, a tree over x and its parameters, with the slope of one argument."""
    return slope if slope == Number(0) else _times(_substitute(partial, parameters_of(call), call.arguments[0]), slope)


def _chained(partial: Expression, slots: Mapping[str, Expression], slope: Expression) -> Expression:
    return slope if slope == Number(0) else _times(_substitute(partial, slots), slope)


def _substitute(rule: Expression, slots: Mapping[str, Expression], x: Expression = X) -> Expression:
    """Replace the slots of a rule, and x, by a function's arguments."""
    match rule:
        case Variable():
            return x
        case Reference(name):
            return slots[name]
        case Call(function, arguments):
            return _call(function, *(_substitute(argument, slots, x) for argument in arguments))
    return rule


def _call(function: str, *arguments: Expression) -> Expression:
    """Build a call, simplified where the function has a rule for that."""
    return _SIMPLIFIED[function](*arguments) if function in _SIMPLIFIED else Call(function, arguments)


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
            return _times(b, a)  # a number is written first
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


_SIMPLIFIED: Mapping[str, Callable[..., Expression]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _over,
    "**": _power,
    "negative": _negative,
    "where": _where,
}
