"""Rewrite formulas into numerically stable forms: 1 / (1 + exp(-x)) as sigmoid(x), and log(1 + exp(x)) as softplus(x),
which does not overflow. `exponentials` has the general rules. Each rule is an identity of real functions, so that only
rounding changes.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

from service.domain.formulas.exponentials import rewritten
from service.domain.formulas.expression import (
    CONSTANTS,
    Call,
    Expression,
    Number,
    Reference,
    Variable,
    exp,
    expm1,
    log1p,
    nodes,
    number,
    sigmoid,
    sinh,
    softplus,
    tanh,
)
from service.domain.formulas.library import DEFINITIONS, written_out
from service.domain.formulas.parser import constant

MOST_NODES = 500
"""Most nodes of a new form. Each level of exponentials within exponentials multiplies them."""


def stable(expression: Expression) -> Expression:
    """Return a formula of the same function with fewer overflows and cancellations, where a rule applies."""
    return _without_overflow(_recognisable(expression))


@lru_cache(maxsize=4096)  # a new form repeats its exponents
def _without_overflow(expression: Expression) -> Expression:
    """Rewrite what is left of products and logarithms with exponentials that may overflow."""
    if not isinstance(expression, Call):
        return expression
    written = rewritten(expression, _without_overflow)
    if written is not None and sum(1 for _ in nodes(written)) <= MOST_NODES:
        return written
    return Call(expression.function, tuple(_without_overflow(argument) for argument in expression.arguments))


def _recognisable(expression: Expression) -> Expression:
    """Apply the rules that give functions with kernels of their own."""
    if not isinstance(expression, Call):
        return expression
    if expression.function in CONSTANTS:
        return number(CONSTANTS[expression.function])
    call = Call(expression.function, tuple(_recognisable(argument) for argument in expression.arguments))
    return _with_rules(call)


def _with_rules(call: Call) -> Expression:
    match call:
        case Call(function, (argument, *parameters)) if function in DEFINITIONS:
            return _written_out(call, argument, parameters)
        case Call("/", (above, below)):
            return _quotient(call, above, below)
        case Call("log", (inner,)):
            return _logarithm(call, inner)
        case Call("log1p", (Call("exp", (a,)),)):
            return softplus(a)
        case Call("-", (Call("exp", (a,)), Number(1))):
            return expm1(a)
        case Call("-", (Number(1), Call("exp", (a,)))):
            return -expm1(a)
        case Call("-", (Call("exp", (a,)), Call("exp", (b,)))) if b == _opposite(a):
            return 2 * sinh(a)
        case Call("-", (Number(1), Call("sigmoid", (a,)))):
            return sigmoid(_opposite(a))
        case Call("*", (Call("exp", (a,)), Call("exp", (b,)))):
            return exp(a + b)
        case Call("**", (Number(math.e), exponent)):
            return exp(exponent)
        case Call("**", (Call("exp", (a,)), exponent)):
            return exp(exponent * a)
        case Call("sqrt", (Call("exp", (a,)),)):
            return exp(0.5 * a)
    return call


def _written_out(call: Call, argument: Expression, parameters: Sequence[Expression]) -> Expression:
    """Write a named function out, unless that repeats more than a name or a number."""
    once = sum(1 for node in nodes(DEFINITIONS[call.function]) if isinstance(node, Variable)) <= 1
    simple = (once or isinstance(argument, Variable)) and all(
        isinstance(parameter, Reference) or constant(parameter) is not None for parameter in parameters
    )
    return _recognisable(written_out(call)) if simple else call


def _quotient(call: Call, above: Expression, below: Expression) -> Expression:
    match above, below:
        case Call("exp", (a,)), Call("exp", (b,)):
            return exp(a - b)
        case Call("-", (Call("exp", (a,)), Call("exp", (b,)))), Call("+", (Call("exp", (c,)), Call("exp", (d,)))):
            if a == c and b == d and a == _opposite(b):
                return tanh(a)
    addend = _added_to_one(below)
    match addend:
        case Call("exp", (b,)):
            if above == Number(1):
                return sigmoid(_opposite(b))
            return sigmoid(b) if above == addend else above * sigmoid(_opposite(b))
    return call


def _logarithm(call: Call, inner: Expression) -> Expression:
    match inner:
        case Call("exp", (a,)):
            return a
        case Call("sigmoid", (a,)):
            return -softplus(_opposite(a))
    addend = _added_to_one(inner)
    match addend:
        case None:
            return call
        case Call("exp", (a,)):
            return softplus(a)
    return log1p(addend)


def _added_to_one(expression: Expression) -> Expression | None:
    """Return a for 1 + a or a + 1, else None."""
    match expression:
        case Call("+", (Number(1), a)) | Call("+", (a, Number(1))):
            return a
    return None


def _opposite(a: Expression) -> Expression:
    match a:
        case Call("negative", (inner,)):
            return inner
        case Call("*", (Call("negative", (first,)), second)):
            return first * second
    return number(0) if a == Number(0) else -a
