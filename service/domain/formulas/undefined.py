"""Find the x for which a formula has no value: those of a division by 0, a logarithm of a negative number, and so on;
and those for which float32 overflows.

A divisor may be 0 between two points of the grid: zeros are searched for where it changes its sign and where its size
has a minimum. Zeros that lie closer together than points of the grid can be missed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from service.domain.formulas.evaluation import Array, evaluate, trained
from service.domain.formulas.expression import Call, Expression, Variable, cos, nodes
from service.domain.formulas.library import DEFINITIONS, written_out

Mask: TypeAlias = npt.NDArray[np.bool_]
Guards: TypeAlias = tuple[tuple[Expression, bool], ...]
"""The conditions of the `where` calls around an operation, each with the truth value for which the operation is
taken."""

Gap: TypeAlias = tuple[float | None, float | None]
"""The first and last x of an interval without values, equal for a single point; None for an end beyond the grid."""

MOST_GAPS = 9
_MOST_SEARCHED = 300  # intervals in which one divisor is searched for zeros, those nearest to 0 first
_STEPS = 60  # of a bisection: enough to reach two neighbouring floats
_ZERO = 1e-7  # a divisor counts as 0 below this share of its size at the neighbouring points of the grid
_BESIDE = 1e-3  # of a point
_POSITIVE = frozenset(("exp", "sigmoid", "softplus"))  # these are never 0, though float64 may round them to 0


@dataclass(frozen=True)
class Restriction:
    """An operation that has no value for some arguments: for 0, for negative ones, or for both."""

    argument: Expression
    excludes_zero: bool
    excludes_negative: bool
    guards: Guards

    def violated(self, x: Array, values: Mapping[str, float]) -> Mask:
        """Tell for each x whether the operation is taken with an argument that it has no value for."""
        arguments = evaluate(self.argument, x, values)
        excluded = (arguments == 0) & self.excludes_zero | (arguments < 0) & self.excludes_negative
        violated: Mask = excluded & self.taken(x, values)
        return violated

    def taken(self, x: Array, values: Mapping[str, float]) -> Mask:
        """Tell for each x whether the `where` calls around the operation take its branch."""
        conditions = ((evaluate(condition, x, values) != 0) == truth for condition, truth in self.guards)
        return reduce(np.logical_and, conditions, np.ones(x.shape, bool))


def gaps(expression: Expression, values: Mapping[str, float], grid: Array) -> list[Gap]:
    """Return the intervals and points without a value of f, or without one that float64 can compute.

    `grid` rises; `values` has a number for each parameter. The gaps are in order of x. If there are more than
    `MOST_GAPS`, they are those nearest to 0.
    """
    restrictions = list(_restrictions(expression, values, ()))

    def missing(x: Array) -> Mask:
        violations = (restriction.violated(x, values) for restriction in restrictions)
        return reduce(np.logical_or, violations, np.isnan(evaluate(expression, x, values)))

    runs = _runs(missing, grid)
    excluding_zero = [restriction for restriction in restrictions if restriction.excludes_zero]
    zeros = [float(x) for restriction in excluding_zero for x in _zeros(restriction, values, grid)]
    points = {rounded(x): (x, x) for x in zeros if not any(_within(x, run) for run in runs)}
    return sorted(_nearest([*runs, *points.values()]), key=lambda gap: _ends(gap)[0])


def overflows(expression: Expression, values: Mapping[str, float], grid: Array) -> list[Gap]:
    """Return the intervals in which training, in float32, has no finite value of f or no finite slope. Raises
    ValueError for a formula with softmax."""

    def missing(x: Array) -> Mask:
        y, slopes = trained(expression, x.astype(np.float32), values)
        finite: Mask = np.isfinite(y) & np.isfinite(slopes)
        return ~finite

    return _runs(missing, grid)


def united(gaps: Sequence[Gap], overflows: Sequence[Gap]) -> list[Gap]:
    """Return the gaps with the intervals of overflow, in order of x; those that overlap as one. Next to a point such as
    a pole, an overflow within _BESIDE of it is left out."""
    united = list(gaps)
    for interval in overflows:
        touched = [gap for gap in united if _overlap(gap, interval)]
        if not touched or any(_reaches_beyond(interval, gap) for gap in touched):
            united = [gap for gap in united if gap not in touched] + [_hull([interval, *touched])]
    return sorted(_nearest(united), key=lambda gap: _ends(gap)[0])


def rounded(x: float) -> float:
    """Round to 7 digits, and sizes below 5e-13, which rounding errors leave of a 0, to 0."""
    return float(f"{round(float(x), 12):.7g}") + 0.0


def _restrictions(expression: Expression, values: Mapping[str, float], guards: Guards) -> Iterator[Restriction]:
    match expression:
        case Call("where", (condition, taken, otherwise)):
            yield from _restrictions(condition, values, guards)
            yield from _restrictions(taken, values, (*guards, (condition, True)))
            yield from _restrictions(otherwise, values, (*guards, (condition, False)))
            return
        case Call("/", (_, below)) if not _is_positive(below):
            yield Restriction(below, True, False, guards)
        case Call("**", (base, exponent)) if not _has_x(exponent):
            (power,) = evaluate(exponent, np.zeros(1), values)
            yield Restriction(base, bool(power < 0), not float(power).is_integer(), guards)
        case Call(function, _) if function in DEFINITIONS:
            yield from _restrictions(written_out(expression), values, guards)
            return
        case Call("log" | "log2" | "log10", (inner,)) if not _is_positive(inner):
            yield Restriction(inner, True, True, guards)
        case Call("log1p", (inner,)):
            yield Restriction(1 + inner, True, True, guards)
        case Call("sqrt", (inner,)):
            yield Restriction(inner, False, True, guards)
        case Call("tan", (inner,)):
            yield Restriction(cos(inner), True, False, guards)
        case Call("asin" | "acos", (inner,)):
            yield Restriction((1 - inner) * (1 + inner), False, True, guards)
        case Call("acosh", (inner,)):
            yield Restriction(inner - 1, False, True, guards)
        case Call("atanh", (inner,)):
            yield Restriction((1 - inner) * (1 + inner), True, True, guards)
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from _restrictions(argument, values, guards)


def _runs(missing: Callable[[Array], Mask], grid: Array) -> list[Gap]:
    """Return the MOST_GAPS runs of points without a value that are nearest to 0, with their ends between points."""
    padded = np.concatenate([[False], missing(grid), [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    runs = sorted(zip(edges[::2], edges[1::2] - 1, strict=True), key=lambda run: min(abs(grid[list(run)])))
    return [(_end(missing, grid, first, -1), _end(missing, grid, last, 1)) for first, last in runs[:MOST_GAPS]]


def _end(missing: Callable[[Array], Mask], grid: Array, index: int, side: int) -> float | None:
    """Return the last x of a run between its last point, at `index`, and the next point on its `side` (-1 or 1)."""
    if not 0 <= index + side < len(grid):
        return None
    inside, outside = grid[[index]], grid[[index + side]]
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        in_gap = missing(middle)
        inside, outside = np.where(in_gap, middle, inside), np.where(in_gap, outside, middle)
    return float(inside[0])


def _zeros(restriction: Restriction, values: Mapping[str, float], grid: Array) -> Array:
    """Return the x between points of the grid at which the operation is taken with an argument of 0."""

    def f(x: Array) -> Array:
        return evaluate(restriction.argument, x, values)

    zeros = np.concatenate([_crossings(f, grid), _touchings(f, grid)])
    return zeros[restriction.taken(zeros, values)]


def _crossings(f: Callable[[Array], Array], grid: Array) -> Array:
    """Return the zeros at which f changes its sign, by bisection."""
    signs = np.sign(f(grid))
    indices = _innermost(np.flatnonzero(signs[:-1] * signs[1:] < 0), grid)
    if not indices.size:
        return grid[indices]
    left, right = grid[indices], grid[indices + 1]
    for _ in range(_STEPS):
        middle = (left + right) / 2
        before = np.sign(f(middle)) == signs[indices]
        left, right = np.where(before, middle, left), np.where(before, right, middle)
    return left[_vanishes(f, left, grid[indices], grid[indices + 1])]  # leaves out jumps over 0


def _touchings(f: Callable[[Array], Array], grid: Array) -> Array:
    """Return the zeros at which f keeps its sign, by a ternary search for minima of |f|."""
    values = f(grid)
    size = np.abs(values)
    minima = (size[1:-1] <= size[:-2]) & (size[1:-1] <= size[2:]) & (size[1:-1] < np.maximum(size[:-2], size[2:]))
    same_side = (values[1:-1] * values[:-2] > 0) & (values[1:-1] * values[2:] > 0)
    indices = _innermost(np.flatnonzero(minima & same_side) + 1, grid)
    if not indices.size:
        return grid[indices]
    left, right = grid[indices - 1], grid[indices + 1]
    for _ in range(_STEPS):
        third = (right - left) / 3
        lower_left = np.abs(f(left + third)) < np.abs(f(right - third))
        left, right = np.where(lower_left, left, left + third), np.where(lower_left, right - third, right)
    middle = (left + right) / 2
    return middle[_vanishes(f, middle, grid[indices - 1], grid[indices + 1])]


def _vanishes(f: Callable[[Array], Array], x: Array, left: Array, right: Array) -> Mask:
    vanishing: Mask = np.abs(f(x)) <= _ZERO * np.maximum(np.abs(f(left)), np.abs(f(right)))
    return vanishing


def _innermost(indices: npt.NDArray[np.intp], grid: Array) -> npt.NDArray[np.intp]:
    return indices[np.argsort(np.abs(grid[indices]), kind="stable")[:_MOST_SEARCHED]]


def _nearest(gaps: Sequence[Gap]) -> list[Gap]:
    return sorted(gaps, key=lambda gap: min((abs(end) for end in gap if end is not None), default=0.0))[:MOST_GAPS]


def _within(x: float, run: Gap) -> bool:
    first, last = (-np.inf if run[0] is None else run[0]), (np.inf if run[1] is None else run[1])
    return bool(rounded(first) <= rounded(x) <= rounded(last))


def _ends(gap: Gap) -> tuple[float, float]:
    return (-np.inf if gap[0] is None else gap[0]), (np.inf if gap[1] is None else gap[1])


def _overlap(one: Gap, other: Gap) -> bool:
    (first, last), (start, end) = _ends(one), _ends(other)
    return first <= end + _BESIDE and start <= last + _BESIDE


def _reaches_beyond(interval: Gap, gap: Gap) -> bool:
    (first, last), (start, end) = _ends(interval), _ends(gap)
    return first < start - _BESIDE or last > end + _BESIDE


def _hull(gaps: Sequence[Gap]) -> Gap:
    firsts, lasts = zip(*map(_ends, gaps), strict=True)
    first, last = min(firsts), max(lasts)
    return (None if first == -np.inf else first), (None if last == np.inf else last)


def _has_x(expression: Expression) -> bool:
    return any(isinstance(node, Variable) for node in nodes(expression))


def _is_positive(expression: Expression) -> bool:
    return isinstance(expression, Call) and expression.function in _POSITIVE
