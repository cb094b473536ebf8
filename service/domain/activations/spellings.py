"""Spell formulas with maximum, minimum and comparisons of x with 0 as the catalogue does: `maximum(x, 0)` is ReLU.

The functions are equal at every x, and so are their slopes except where x is exactly 0 or at another kink: there
`maximum` takes the mean of both sides, and the catalogue's function that of one side.
"""

import math
from collections.abc import Iterator, Mapping

from service.domain.formulas.expression import Call, Expression, Number, Reference, X, where
from service.domain.formulas.library import DEFINITIONS
from service.domain.formulas.parser import constant

ZERO = Number(0)
CLIPPED = {"relu6": (0, 6), "hard_tanh": (-1, 1)}


def spellings(tree: Expression, values: Mapping[str, float]) -> Iterator[Expression]:
    """Yield the formula itself, and then its spelling in the catalogue, if another has been found.

    `values` are those of the parameters that are not learned.
    """
    yield tree
    for other in (_clipped(tree), _larger(tree, values), _rectified(tree), _chosen(tree, values)):
        if other is not None:
            yield other


def _clipped(tree: Expression) -> Expression | None:
    """minimum(maximum(x, low), high), or the other way round."""
    for name, (low, high) in CLIPPED.items():
        for first, second in ((("maximum", low), ("minimum", high)), (("minimum", high), ("maximum", low))):
            if any(
                _is_bounded(part, *first) for bound, part in _pairs(tree, second[0]) if constant(bound) == second[1]
            ):
                return DEFINITIONS[name]
    return None


def _is_bounded(tree: Expression, function: str, bound: float) -> bool:
    """Tell whether a formula is the larger or smaller of x and a number."""
    return any(x == X and constant(other) == bound for x, other in _pairs(tree, function))


def _larger(tree: Expression, values: Mapping[str, float]) -> Expression | None:
    """maximum(x, c * x) for c from 0 to 1."""
    for x, below in _pairs(tree, "maximum"):
        if x == X and 0 <= _factor(below, values) < 1:
            return where(X > 0, X, below)
    return None


def _rectified(tree: Expression) -> Expression | None:
    """x * (x > 0), (x + abs(x)) / 2, and the half of that sum as a product."""
    products = [*_pairs(tree, "*")]
    if any(x == X and _positive(test) for x, test in products):
        return DEFINITIONS["relu"]
    halves = [part for number, part in products if number == Number(0.5)]
    match tree:
        case Call("/", (part, Number(2.0))):
            halves.append(part)
    whole = any(x == X and other == abs(X) for half in halves for x, other in _pairs(half, "+"))
    return DEFINITIONS["relu"] if whole else None


def _chosen(tree: Expression, values: Mapping[str, float]) -> Expression | None:
    """A choice by the sign of x between x and c * x, whatever the comparison."""
    match tree:
        case Call("where", (Call(test, (a, b)), taken, otherwise)) if test in _MIRRORED and ZERO in (a, b):
            if a == ZERO:
                test, a = _MIRRORED[test], b
            above, below = (taken, otherwise) if test in (">", ">=") else (otherwise, taken)
            continuous = above == X and not math.isnan(_factor(below, values))
            return where(X > 0, above, below) if a == X and continuous else None
    return None


_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _positive(test: Expression) -> bool:
    return test in (X > 0, Call("<", (ZERO, X)))


def _pairs(tree: Expression, function: str) -> Iterator[tuple[Expression, Expression]]:
    """Yield the two arguments of a call of this function, in both orders."""
    match tree:
        case Call(name, (a, b)) if name == function:
            yield a, b
            yield b, a


def _factor(tree: Expression, values: Mapping[str, float]) -> float:
    """Return c of c * x, 0 for the number 0; NaN for another formula."""
    if tree == ZERO:
        return 0.0
    for factor, x in _pairs(tree, "*"):
        if x == X:
            number = values.get(factor.name) if isinstance(factor, Reference) else constant(factor)
            if number is not None:
                return number
    return math.nan
