"""Rewrite formulas into numerically stable forms: 1 / (1 + exp(-x)) as sigmoid(x), and log(1 + exp(x)) as softplus(x),
which does not overflow. Each rule is an identity of real functions, so that only rounding changes.
"""

from service.domain.formulas.expression import (
    Call,
    Expression,
    Number,
    exp,
    expm1,
    log1p,
    number,
    sigmoid,
    softplus,
    tanh,
)


def stable(expression: Expression) -> Expression:
    """Return a formula of the same function with fewer overflows and cancellations, where a rule applies."""
    if not isinstance(expression, Call):
        return expression
    return _rewritten(Call(expression.function, tuple(stable(argument) for argument in expression.arguments)))


def _rewritten(call: Call) -> Expression:
    match call:
        case Call("/", (above, below)):
            return _quotient(call, above, below)
        case Call("log", (inner,)):
            return _logarithm(call, inner)
        case Call("log1p", (Call("exp", (a,)),)):
            return softplus(a)
        case Call("-", (Call("exp", (a,)), Number(1))):
            return expm1(a)
        case Call("-", (Number(1), Call("sigmoid", (a,)))):
            return sigmoid(_opposite(a))
        case Call("*", (Call("exp", (a,)), Call("exp", (b,)))):
            return exp(a + b)
    return call


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
