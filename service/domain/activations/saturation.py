"""Find the half-lines on which a function is flat, so that a change of its input hardly changes its output."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from service.domain.activations.properties import GRID, properties
from service.domain.formulas.evaluation import Array, derivative
from service.domain.formulas.expression import Expression

FLAT = 0.005
"""The share of the largest |f'| up to which a function counts as flat."""


@dataclass(frozen=True)
class Sides:
    """The sides on which a function saturates, for the parameters that training starts from.

    They stay as they are while parameters are learned, so that an experiment has the same diagnostics in each epoch.
    """

    left: bool  # f' tends to 0 for x to -infinity
    right: bool  # f' tends to 0 for x to +infinity
    bounded_slope: bool  # if not, only a slope of exactly 0 counts as flat
    damped: bool  # f' is bounded, tends to 0 on neither side, and is less steep on the left

    @property
    def saturates(self) -> bool:
        return self.bounded_slope and (self.left or self.right)

    @property
    def dies(self) -> bool:
        """True if units can die: the function is flat on the left and not on the right."""
        return self.left and not self.right

    @property
    def rests(self) -> bool:
        """True if a unit passes on little or nothing for inputs below 0."""
        return self.dies or self.damped


NOWHERE = Sides(left=False, right=False, bounded_slope=True, damped=False)


@dataclass(frozen=True)
class Saturation:
    """The half-lines x <= left and x >= right on which f is flat; None for a side on which it is not."""

    left: float | None
    right: float | None


NO_SATURATION = Saturation(None, None)


def sides(expression: Expression, values: Mapping[str, float]) -> Sides:
    """Return the sides on which f saturates, with `values` for its parameters.

    There are none for a function whose slope is 0 everywhere (step) or that has no derivative at each x (softmax).
    Raises KeyError for a parameter without a value.
    """
    table = properties(expression, values)
    if table.saturating_sides is None or table.largest_slope == 0:
        return NOWHERE
    flat, bounded = table.saturating_sides, table.largest_slope is not None
    left_slope, right_slope = np.abs(derivative(expression, GRID[[0, -1]], values))
    damped = bounded and not flat and bool(left_slope < right_slope)
    return Sides("left" in flat, "right" in flat, bounded, damped)


def saturation(expression: Expression, values: Mapping[str, float], sides: Sides) -> Saturation:
    """Return the ends of the flat half-lines on the given sides, to 9 digits.

    f is not flat around a single zero of f', such as swish's at -1.28: a half-line ends at the outermost x at which f
    is steep.
    """
    if not (sides.left or sides.right):
        return NO_SATURATION
    return _saturation(expression, tuple(sorted(values.items())), sides)


@lru_cache(maxsize=256)
@np.errstate(all="ignore")  # a slope that overflows is steep
def _saturation(expression: Expression, items: tuple[tuple[str, float], ...], sides: Sides) -> Saturation:
    values = dict(items)
    slopes = np.abs(derivative(expression, GRID, values))
    limit = FLAT * float(np.max(slopes, where=np.isfinite(slopes), initial=0.0)) if sides.bounded_slope else 0.0

    def steep(x: Array) -> npt.NDArray[np.bool_]:
        # Not `> limit`: NaN, where there is no slope, counts as steep.
        return np.logical_not(np.abs(derivative(expression, x, values)) <= limit)

    steep_points = np.flatnonzero(~(slopes <= limit))
    if not len(steep_points):
        return NO_SATURATION
    first, last = int(steep_points[0]), int(steep_points[-1])
    return Saturation(
        left=_last_flat(steep, GRID[first - 1], GRID[first]) if sides.left and first > 0 else None,
        right=_last_flat(steep, GRID[last + 1], GRID[last]) if sides.right and last + 1 < len(GRID) else None,
    )


def _last_flat(steep: Callable[[Array], npt.NDArray[np.bool_]], flat: float, end: float) -> float:
    """Return the last flat x between a flat point and a steep one."""
    for _ in range(3):
        points = np.linspace(flat, end, 1001)
        first_steep = int(np.argmax(steep(points)))
        flat, end = points[first_steep - 1], points[first_steep]
    return float(flat)
