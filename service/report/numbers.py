"""Numbers as text."""

from dataclasses import dataclass

from service.domain.statistics.summary import Interval

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class UnitFormat:
    """Write figures of one unit as text, fractions as percent."""

    name: str

    @property
    def unit(self) -> str:
        return " (%)" if self.name == "fraction" else f" ({self.name})"

    def __call__(self, value: float | None) -> str:
        if value is None:
            return NONE
        return f"{100 * value:.2f}" if self.name == "fraction" else f"{value:.4g}"

    def signed(self, value: float | None) -> str:
        return NONE if value is None else f"{'+' if value > 0 else ''}{self(value)}"

    def interval(self, interval: Interval | None) -> str:
        return NONE if interval is None else f"{self(interval[0])} to {self(interval[1])}"


def ranks(rank: tuple[int, int]) -> str:
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}{NONE}{rank[1]}"


def p_value(value: float | None) -> str:
    if value is None:
        return NONE
    return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
