"""Numbers as text."""

import math
from dataclasses import dataclass
from statistics import median

from service.domain.comparisons.answer import Comparison
from service.domain.statistics.summary import Interval

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
MOST_DECIMALS = 6


@dataclass(frozen=True)
class UnitFormat:
    """Write figures of one unit as text, fractions as percent.

    `spread` is the sd between seeds, of which two significant digits are shown. Without it, figures have two decimals
    of a percent, or else four significant digits.
    """

    name: str
    spread: float | None = None

    @property
    def unit(self) -> str:
        return " (%)" if self.name == "fraction" else f" ({self.name})"

    @property
    def difference_unit(self) -> str:
        """The unit of a difference: that of two percentages is a percentage point."""
        return " (pp)" if self.name == "fraction" else self.unit

    def __call__(self, value: float | None) -> str:
        if value is None:
            return NONE
        percent = self.name == "fraction"
        if self.spread:
            return f"{100 * value if percent else value:.{self._decimals}f}"
        return f"{100 * value:.2f}" if percent else f"{value:.4g}"

    @property
    def _decimals(self) -> int:
        spread = 100 * (self.spread or 1.0) if self.name == "fraction" else self.spread or 1.0
        return min(MOST_DECIMALS, max(0, 1 - math.floor(math.log10(spread))))

    def signed(self, value: float | None) -> str:
        return NONE if value is None else f"{'+' if value > 0 else ''}{self(value)}"

    def interval(self, interval: Interval | None) -> str:
        return NONE if interval is None else f"{self(interval[0])} to {self(interval[1])}"


def unit_format(comparison: Comparison) -> UnitFormat:
    """Return the format of a comparison's figures, with the digits of the median sd between seeds over its groups."""
    sds = [group.sd for group in comparison.groups if group.sd]
    return UnitFormat(comparison.family.unit, median(sds) if sds else None)


def ranks(rank: tuple[int, int]) -> str:
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}{NONE}{rank[1]}"


def p_value(value: float | None) -> str:
    if value is None:
        return NONE
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
