"""Where a function has flattened: the half-lines on which an input no longer moves its output."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from service.domain.activations.properties import GRID, Properties, properties
from service.domain.formulas.evaluation import Array, derivative
from service.domain.formulas.expression import Expression

FLAT = 0.005
"""Share of the largest |f'| up to which a function counts as flat."""


@dataclass(frozen=True)
class Sides:
    """Which sides a function flattens on, by its parameters where learning starts: the question that a diagnosis of
    its units may ask does not change while they are learned."""

    left: bool  # f' tends to 0
    right: bool
    bounded_slope: bool  # else "flat" means a slope of exactly 0
    damped: bool  # bounded f', tending to 0 on neither side, and less steep on the left

    @property
    def saturates(self) -> bool:
        return self.bounded_slope and (self.left or self.right)

    @property
    def dies(self) -> bool:
        """A unit may be stuck on the left, and is of use on the right."""
        return self.left and not self.right

    @property
    def rests(self) -> bool:
        """A unit that is never above 0 passes little on, or nothing."""
        return self.dies or self.damped


NOWHERE = Sides(left=False, right=False, bounded_slope=True, damped=False)


@dataclass(frozen=True)
class Saturation:
    """f is flat for all x <= left and all x >= right; None: not on that side."""

    left: float | None
    right: float | None


NO_SATURATION = Saturation(None, None)


def sides(expression: Expression, values: Mapping[str, float]) -> Sides:
    """Of f with a value for every name in it. A function without a slope anywhere (step), or without one slope at each
    x (softmax), flattens nowhere. Raises KeyError for a name without a value."""
    table: Properties = properties(expression, values)
    if table.saturating_sides is None or table.largest_slope == 0:
        return NOWHERE
    flat, bounded = table.saturating_sides, table.largest_slope is not None
    at_the_ends = np.abs(derivative(expression, GRID[[0, -1]], values))
    damped = bounded and not flat and bool(at_the_ends[0] < at_the_ends[1])
    return Sides("left" in flat, "right" in flat, bounded, damped)


def saturation(expression: Expression, values: Mapping[str, float], of: Sides) -> Saturation:
    """The ends of the flat half-lines on the sides that are asked for, to 9 digits. Where f' passes through 0 on its
    way, as swish's does at -1.28, f is not flat: the half-lines begin where the last steep piece ends."""
    if not (of.left or of.right):
        return NO_SATURATION
    return _saturation(expression, tuple(sorted(values.items())), of)


@lru_cache(maxsize=256)
@np.errstate(all="ignore")  # a slope that overflows is steep
def _saturation(expression: Expression, items: tuple[tuple[str, float], ...], of: Sides) -> Saturation:
    values = dict(items)
    slopes = np.abs(derivative(expression, GRID, values))
    limit = FLAT * float(np.max(slopes, where=np.isfinite(slopes), initial=0.0)) if of.bounded_slope else 0.0

    def steep(x: Array) -> npt.NDArray[np.bool_]:
        return np.logical_not(
            np.abs(derivative(expression, x, values)) <= limit
        )  # where there is no slope it is not flat

    found = np.flatnonzero(~(slopes <= limit))
    if not len(found):
        return NO_SATURATION
    first, last = int(found[0]), int(found[-1])
    return Saturation(
        left=_last_flat(steep, GRID[first - 1], GRID[first]) if of.left and first > 0 else None,
        right=_last_flat(steep, GRID[last + 1], GRID[last]) if of.right and last + 1 < len(GRID) else None,
    )


def _last_flat(steep: Callable[[Array], npt.NDArray[np.bool_]], flat: float, end: float) -> float:
    """Between a flat point and a steep one, the last before it turns steep."""
    for _ in range(3):
        points = np.linspace(flat, end, 1001)
        turn = int(np.argmax(steep(points)))
        flat, end = points[turn - 1], points[turn]
    return float(flat)
