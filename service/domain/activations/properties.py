"""The table of properties of a function, measured on its values: nothing in it is typed in.

What is measured is measured in float64, on a dense grid from -1e4 to 1e4, with its extremes refined, and on far points
up to 1e16 for what happens towards infinity; figures keep 7 digits. A property that a finer grid would change is
beyond this table.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import scipy
from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.normal import mean_of_normal
from service.domain.formulas.evaluation import Array, derivative, evaluate
from service.domain.formulas.expression import Expression, is_elementwise
from service.domain.formulas.undefined import Gap, gaps, rounded

Monotonic = Literal["constant", "non_decreasing", "non_increasing", "neither"]
Side = Literal["left", "right"]


class Properties(BaseModel):
    """What is not defined is null: everything of softmax, which is no function of one number; a bound that is not
    there; a slope at a kink; and, where f has no value for some x, what speaks of all x."""

    model_config = ConfigDict(frozen=True)

    defined: bool | None = Field(description="Whether f has a value for every x from -1e4 to 1e4.")
    undefined: list[Gap] | None = Field(
        description="Where it has none, as [from, to], at most the 9 nearest to 0: equal for a single point such as a"
        " pole, null where it goes on beyond 1e4."
    )
    range: tuple[float | None, float | None] | None = Field(
        description="Infimum and supremum of f, whether it reaches them or only comes near; null where unbounded."
    )
    bounded: bool | None
    monotonic: Monotonic | None
    differentiable_at_0: bool | None
    value_at_0: float | None = Field(description="f(0).")
    slope_at_0: float | None = Field(description="f'(0); null at a kink.")
    near_identity: bool | None = Field(description="f(0) = 0 and f'(0) = 1, so that f(x) ~ x at 0.")
    largest_slope: float | None = Field(description="Supremum of |f'|, by the one-sided slopes at a kink.")
    mean_of_normal: float | None = Field(description="E f(Z) for Z ~ N(0, 1).")
    zero_centred: bool | None = Field(description="|E f(Z)| < 1e-6.")
    saturating_sides: list[Side] | None = Field(description="Sides on which f' tends to 0.")


ZERO_CENTRED = 1e-6
_ROUNDING = 1e-12  # relative: by so much may a non-decreasing function fall in float64

_UP = np.concatenate([np.logspace(-12, -4, 81), np.arange(1, 40_001) / 2000, np.logspace(np.log10(20), 4, 1500)[1:]])
GRID = np.concatenate([-_UP[::-1], [0.0], _UP])
_NEARER = np.logspace(-2, -6, 5)  # distances, of what figures of 7 digits can tell from the point itself
_FAR: Mapping[Side, Array] = {"left": -np.logspace(4, 16, 4801), "right": np.logspace(4, 16, 4801)}


def properties(expression: Expression, values: Mapping[str, float]) -> Properties:
    """Of f with the given value for every name in it. Raises KeyError for a name without one."""
    return _properties(expression, tuple(sorted(values.items())))


@lru_cache(maxsize=256)
@np.errstate(all="ignore")  # inf and NaN are looked for, and become null
def _properties(expression: Expression, items: tuple[tuple[str, float], ...]) -> Properties:
    if not is_elementwise(expression):
        return Properties(**dict.fromkeys(Properties.model_fields))
    return _Measured(expression, dict(items)).table()


class _Measured:
    """A function of one number with its values on the grid."""

    def __init__(self, expression: Expression, values: Mapping[str, float]) -> None:
        self._expression, self._parameters = expression, values
        self.y, self.slopes = self.f(GRID), self.df(GRID)
        self.gaps = gaps(expression, values, GRID)

    def f(self, x: Any) -> Array:
        return evaluate(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def df(self, x: Any) -> Array:
        return derivative(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def table(self) -> Properties:
        low, high = self._infimum(1.0), self._infimum(-1.0)
        smooth = self._is_differentiable_at_0()
        at_0, slope = _finite(self.f(0.0)[0]), _finite(self.df(0.0)[0]) if smooth else None
        mean = None if self.gaps else mean_of_normal(self.f)
        return Properties(
            defined=not self.gaps,
            undefined=[(_end(first), _end(last)) for first, last in self.gaps],
            range=(low, None if high is None else rounded(-high)),
            bounded=low is not None and high is not None,
            monotonic=None if self.gaps else self._monotonic(),
            differentiable_at_0=smooth,
            value_at_0=at_0,
            slope_at_0=slope,
            near_identity=at_0 is not None and slope is not None and abs(at_0) < 1e-12 and abs(slope - 1) < 1e-9,
            largest_slope=self._largest_slope(),
            mean_of_normal=None if mean is None else rounded(mean),
            zero_centred=None if mean is None else abs(mean) < ZERO_CENTRED,
            saturating_sides=[side for side in _FAR if self._is_flat(side)],
        )

    def _infimum(self, sign: float) -> float | None:
        """Of sign * f; None where there is none."""
        ends = [end for gap in self.gaps for end in gap if end is not None]
        towards = [sign * self.f(end + side * _NEARER) for end in ends for side in (-1, 1)]
        if any(map(_falls, towards)):
            return None
        next_to = self.f([np.nextafter(end, side) for end in ends for side in (-np.inf, np.inf)])
        return _lowest(lambda x: sign * self.f(x), np.concatenate([sign * self.y, sign * next_to]))

    def _largest_slope(self) -> float | None:
        lowest = _lowest(lambda x: -np.abs(self.df(x)), -np.abs(self.slopes))
        return None if lowest is None else rounded(-lowest)

    def _monotonic(self) -> Monotonic:
        steps = np.nan_to_num(np.diff(self.y), nan=0.0)  # inf - inf, where f has overflowed
        slack = _ROUNDING * np.maximum(1, np.abs(np.nan_to_num(self.y[1:])))
        falls, rises = bool((steps < -slack).any()), bool((steps > slack).any())
        return {(False, False): "constant", (False, True): "non_decreasing", (True, False): "non_increasing"}.get(
            (falls, rises), "neither"
        )  # type: ignore[return-value]  # of literals

    def _is_differentiable_at_0(self) -> bool:
        """Whether the slopes from the left and the right approach each other as the step shrinks."""
        coarse, fine = (self._slope_gap(step) for step in (1e-3, 1e-6))
        return bool(np.isfinite(fine)) and fine <= max(1e-7, 0.1 * coarse)

    def _slope_gap(self, step: float) -> float:
        below, at, above = self.f([-step, 0.0, step])
        return float(abs((above - at) - (at - below)) / step)

    def _is_flat(self, side: Side) -> bool:
        """Whether f' tends to 0: ever smaller on the far points, and next to nothing at their end."""
        slopes = np.abs(self.df(_FAR[side]))
        near, far = slopes[:1600], slopes[-1600:]
        return bool(np.isfinite(slopes).all()) and bool(far.max() <= 1e-2 * near.max()) and bool(far.max() < 1e-6)


def _falls(values: Array) -> bool:
    """Whether f goes on falling towards a point without a value: by as much for each tenth of the distance."""
    steps = np.diff(values)
    return bool((steps < 0).all()) and bool((steps[1:] <= 0.7 * steps[:-1]).all())


def _lowest(f: Any, known: Array) -> float | None:
    """The infimum of f over all x, of which the grid's values come first among those known; None where it is unbounded.
    Not-a-number is left out."""
    if np.isnan(known).all() or np.nanmin(known) == -np.inf:
        return None
    lowest = float(np.nanmin(known))
    for far in _FAR.values():
        tail = f(far)
        ends = [np.nanmin(part, initial=np.inf) for part in (tail[:3200], tail[3200:])]  # to 1e12, and on to 1e16
        if ends[1] == -np.inf or ends[1] < min(ends[0], lowest) - 1e-3 * max(1, abs(ends[0])):
            return None
        lowest = min(lowest, *ends)
    refined = _refined(f, known[: len(GRID)])
    if refined < -1 and refined < 20 * lowest:  # between two points of the grid it fell so far: a pole
        return None
    return rounded(min(lowest, refined))


def _refined(f: Any, on_grid: Array) -> float:
    """The minimum between the neighbours of the lowest point of the grid."""
    at = int(np.argmin(np.nan_to_num(on_grid, nan=np.inf)))
    left, right = GRID[max(at - 1, 0)], GRID[min(at + 1, len(GRID) - 1)]
    found = scipy.optimize.minimize_scalar(  # imported at the first call, which most processes never make
        lambda x: float(np.nan_to_num(f(x)[0], nan=np.inf)), bounds=(left, right), method="bounded",
        options={"xatol": 1e-9 * (right - left)},
    )  # fmt: skip
    return float(found.fun)


def _finite(value: Any) -> float | None:
    return rounded(value) if np.isfinite(value) else None


def _end(of_a_gap: float | None) -> float | None:
    return None if of_a_gap is None else rounded(of_a_gap)
