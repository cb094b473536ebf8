"""Where a formula has no value: an operation meets an argument that it is not defined for, such as a division by 0.

Divisors that are 0 between two points of a grid are searched for, where they change their sign and where they come near
0. What happens more finely than the grid is beyond this search.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from service.domain.formulas.evaluation import Array, evaluate
from service.domain.formulas.expression import Call, Expression, Variable, nodes

Mask: TypeAlias = npt.NDArray[np.bool_]
Guards: TypeAlias = tuple[tuple[Expression, bool], ...]
Gap: TypeAlias = tuple[float | None, float | None]
"""From and to, equal for a single point; None where it goes on beyond the grid."""

MOST_GAPS = 9
_MOST_SEARCHED = 300  # places of one divisor, those nearest to 0 first
_STEPS = 60  # of a search: enough to halve an interval down to two neighbouring floats
_NEXT_TO_NOTHING = 1e-7  # of a divisor, against its size at its neighbours on the grid
_POSITIVE = frozenset(("exp", "sigmoid", "softplus"))  # where these round to 0, they are not 0


@dataclass(frozen=True)
class Risk:
    """An operation without a value where its argument is `below` 0, and where it `is` 0. It is taken only where every
    guard, the condition of a `where` around it, is as it says."""

    argument: Expression
    is_zero: bool
    is_below: bool
    guards: Guards

    def met(self, x: Array, values: Mapping[str, float]) -> Mask:
        found = evaluate(self.argument, x, values)
        met: Mask = ((found == 0) & self.is_zero | (found < 0) & self.is_below) & self.taken(x, values)
        return met

    def taken(self, x: Array, values: Mapping[str, float]) -> Mask:
        every = ((evaluate(condition, x, values) != 0) == wanted for condition, wanted in self.guards)
        return reduce(np.logical_and, every, np.ones(x.shape, bool))


def gaps(expression: Expression, values: Mapping[str, float], grid: Array) -> list[Gap]:
    """Where f has no value, or none that float64 can compute, on a grid that rises and between its points. In order of
    x; where there are more than `MOST_GAPS`, those nearest to 0."""
    risks = list(_risks(expression, values, ()))

    def missing(x: Array) -> Mask:
        met = (risk.met(x, values) for risk in risks)
        return reduce(np.logical_or, met, np.isnan(evaluate(expression, x, values)))

    runs = _runs(missing, grid)
    zeros = [float(x) for risk in risks if risk.is_zero for x in _zeros(risk, values, grid)]
    points = {rounded(x): (x, x) for x in zeros if not any(_within(x, run) for run in runs)}
    return sorted(_nearest([*runs, *points.values()]), key=lambda gap: -np.inf if gap[0] is None else gap[0])


def rounded(x: float) -> float:
    """To 7 digits, with 0 for what rounding left over of it."""
    return float(f"{round(float(x), 12):.7g}") + 0.0


def _risks(expression: Expression, values: Mapping[str, float], guards: Guards) -> Iterator[Risk]:
    match expression:
        case Call("where", (condition, taken, otherwise)):
            yield from _risks(condition, values, guards)
            yield from _risks(taken, values, (*guards, (condition, True)))
            yield from _risks(otherwise, values, (*guards, (condition, False)))
            return
        case Call("/", (_, below)) if not _is_positive(below):
            yield Risk(below, True, False, guards)
        case Call("**", (base, exponent)) if not _has_x(exponent):
            (power,) = evaluate(exponent, np.zeros(1), values)
            yield Risk(base, bool(power < 0), not float(power).is_integer(), guards)
        case Call("log", (inner,)) if not _is_positive(inner):
            yield Risk(inner, True, True, guards)
        case Call("log1p", (inner,)):
            yield Risk(1 + inner, True, True, guards)
        case Call("sqrt", (inner,)):
            yield Risk(inner, False, True, guards)
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from _risks(argument, values, guards)


def _runs(missing: Callable[[Array], Mask], grid: Array) -> list[Gap]:
    """Stretches of the grid without a value, the nearest to 0, with their ends found between its points."""
    padded = np.concatenate([[False], missing(grid), [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    found = sorted(zip(edges[::2], edges[1::2] - 1, strict=True), key=lambda run: min(abs(grid[list(run)])))
    return [(_end(missing, grid, first, -1), _end(missing, grid, last, 1)) for first, last in found[:MOST_GAPS]]


def _end(missing: Callable[[Array], Mask], grid: Array, at: int, side: int) -> float | None:
    if not 0 <= at + side < len(grid):
        return None
    inside, outside = grid[[at]], grid[[at + side]]
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        gone = missing(middle)
        inside, outside = np.where(gone, middle, inside), np.where(gone, outside, middle)
    return float(inside[0])


def _zeros(risk: Risk, values: Mapping[str, float], grid: Array) -> Array:
    """Where the argument is 0 between two points of the grid, and the operation is taken."""

    def f(x: Array) -> Array:
        return evaluate(risk.argument, x, values)

    found = np.concatenate([_crossings(f, grid), _touchings(f, grid)])
    return found[risk.taken(found, values)]


def _crossings(f: Callable[[Array], Array], grid: Array) -> Array:
    signs = np.sign(f(grid))
    at = _innermost(np.flatnonzero(signs[:-1] * signs[1:] < 0), grid)
    if not at.size:
        return grid[at]
    left, right = grid[at], grid[at + 1]
    for _ in range(_STEPS):
        middle = (left + right) / 2
        before = np.sign(f(middle)) == signs[at]
        left, right = np.where(before, middle, left), np.where(before, right, middle)
    return left[_vanishes(f, left, grid[at], grid[at + 1])]  # and does not jump over 0


def _touchings(f: Callable[[Array], Array], grid: Array) -> Array:
    values = f(grid)
    size = np.abs(values)
    dips = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & (size[1:-1] < np.maximum(size[:-2], size[2:]))
    same_side = (values[1:-1] * values[:-2] > 0) & (values[1:-1] * values[2:] > 0)
    at = _innermost(np.flatnonzero(dips & same_side) + 1, grid)
    if not at.size:
        return grid[at]
    left, right = grid[at - 1], grid[at + 1]
    for _ in range(_STEPS):
        third = (right - left) / 3
        lower_left = np.abs(f(left + third)) < np.abs(f(right - third))
        left, right = np.where(lower_left, left, left + third), np.where(lower_left, right - third, right)
    middle = (left + right) / 2
    return middle[_vanishes(f, middle, grid[at - 1], grid[at + 1])]


def _vanishes(f: Callable[[Array], Array], x: Array, left: Array, right: Array) -> Mask:
    vanishing: Mask = np.abs(f(x)) <= _NEXT_TO_NOTHING * np.maximum(np.abs(f(left)), np.abs(f(right)))
    return vanishing


def _innermost(at: npt.NDArray[np.intp], grid: Array) -> npt.NDArray[np.intp]:
    return at[np.argsort(np.abs(grid[at]), kind="stable")[:_MOST_SEARCHED]]


def _nearest(found: Sequence[Gap]) -> list[Gap]:
    return sorted(found, key=lambda gap: min((abs(end) for end in gap if end is not None), default=0.0))[:MOST_GAPS]


def _within(x: float, run: Gap) -> bool:
    first, last = (-np.inf if run[0] is None else run[0]), (np.inf if run[1] is None else run[1])
    return bool(rounded(first) <= rounded(x) <= rounded(last))


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))


def _is_positive(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in _POSITIVE
