"""Compute the properties of a function from its values; no property is written down by hand.

Functions are evaluated in float64 on a dense grid from -1e4 to 1e4, whose extremes are refined, and on points up to
1e16 for limits towards infinity. Figures have 7 digits. A property that a finer grid would change may be wrong.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import scipy
from pydantic import BaseModel, ConfigDict, Field

from service.domain.activations.normal import mean_of_normal
from service.domain.formulas.evaluation import Array, derivative, evaluate
from service.domain.formulas.expression import Expression, is_elementwise
from service.domain.formulas.undefined import Gap, gaps, overflows, rounded, united

Monotonic = Literal["constant", "non_decreasing", "non_increasing", "neither"]
Side = Literal["left", "right"]


class Properties(BaseModel):
    """The properties of a function f. One that is not defined is null: all of softmax, which is no function of one
    number; a bound of an unbounded f; a slope at a kink; and, of an f without a value for some x, those that depend on
    all x. An f that only overflows, as exp(x) does in float32 from 88.7 on, has those of the function itself."""

    model_config = ConfigDict(frozen=True)

    defined: bool | None = Field(
        description="Whether f has a value for every x from -1e4 to 1e4, and it and the slope are finite in float32."
    )
    undefined: list[Gap] | None = Field(
        description="Intervals of x without a value, or in which training overflows in float32, as [from, to], at most"
        " the 9 nearest to 0. Both ends are equal for a single point such as a pole; an end is null where the interval"
        " goes on beyond 1e4."
    )
    range: tuple[float | None, float | None] | None = Field(
        description="Infimum and supremum of f, which it need not reach; null where unbounded."
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
_SETTLING = (
    0.9  # largest ratio of one change of a slope to the one before, at steps of a thousandth, that counts as settling
)
_SETTLED = 1e-5  # a change of a slope that counts as none: of the rounding of f over the smallest step
_ROUNDING = 1e-12  # largest relative fall of a non-decreasing function by rounding in float64

_UP = np.concatenate([np.logspace(-12, -4, 81), np.arange(1, 40_001) / 2000, np.logspace(np.log10(20), 4, 1500)[1:]])
GRID = np.concatenate([-_UP[::-1], [0.0], _UP])
_DISTANCES = np.logspace(-2, -6, 5)  # of points next to a gap; 7 digits still distinguish the nearest from the gap
_BESIDE_0 = np.array([-1e-12, 1e-12])
_FAR: Mapping[Side, Array] = {"left": -np.logspace(4, 16, 4801), "right": np.logspace(4, 16, 4801)}


def properties(expression: Expression, values: Mapping[str, float]) -> Properties:
    """Compute the properties of f with `values` for its parameters. Raises KeyError for a parameter without a value."""
    return _properties(expression, tuple(sorted(values.items())))


@lru_cache(maxsize=256)
@np.errstate(all="ignore")  # inf and NaN are expected and become null
def _properties(expression: Expression, items: tuple[tuple[str, float], ...]) -> Properties:
    if not is_elementwise(expression):
        return Properties(**dict.fromkeys(Properties.model_fields))
    return _Function(expression, dict(items)).properties()


@np.errstate(all="ignore")  # inf and NaN are what it looks for
def undefined(expression: Expression, values: Mapping[str, float]) -> list[Gap]:
    """Return the intervals without a value of f, or in which its value or slope overflows in float32, as `Properties`
    has them. Raises ValueError for a formula with softmax."""
    return _undefined(expression, values, gaps(expression, values, GRID))


def _undefined(expression: Expression, values: Mapping[str, float], gaps: Sequence[Gap]) -> list[Gap]:
    intervals = united(gaps, overflows(expression, values, GRID))
    return [(_rounded_or_none(first), _rounded_or_none(last)) for first, last in intervals]


class _Function:
    """A function of one number, with its values and slopes on the grid."""

    def __init__(self, expression: Expression, values: Mapping[str, float]) -> None:
        self._expression, self._parameters = expression, values
        self.y, self.slopes = self.f(GRID), self.df(GRID)
        self.gaps = gaps(expression, values, GRID)

    def f(self, x: Any) -> Array:
        return evaluate(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def df(self, x: Any) -> Array:
        return derivative(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def properties(self) -> Properties:
        low, high = self._infimum(1.0), self._infimum(-1.0)
        smooth = self._is_differentiable_at_0()
        at_0, slope = _finite(self.f(0.0)[0]), self._slope_at_0() if smooth else None
        mean = None if self.gaps else mean_of_normal(self.f)
        undefined = _undefined(self._expression, self._parameters, self.gaps)
        return Properties(
            defined=not undefined,
            undefined=undefined,
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
        """Return the infimum of sign * f; None if it is unbounded."""
        ends = [end for gap in self.gaps for end in gap if end is not None]
        approaches = [sign * self.f(end + side * _DISTANCES) for end in ends for side in (-1, 1)]
        if any(map(_falls, approaches)):
            return None
        next_to = self.f([np.nextafter(end, side) for end in ends for side in (-np.inf, np.inf)])
        return _lowest(lambda x: sign * self.f(x), np.concatenate([sign * self.y, sign * next_to]))

    def _largest_slope(self) -> float | None:
        lowest = _lowest(lambda x: -np.abs(self.df(x)), -np.abs(self.slopes))
        return None if lowest is None else rounded(-lowest)

    def _monotonic(self) -> Monotonic:
        steps = np.nan_to_num(np.diff(self.y), nan=0.0)  # inf - inf is NaN where f overflows
        slack = _ROUNDING * np.maximum(1, np.abs(np.nan_to_num(self.y[1:])))
        falls, rises = bool((steps < -slack).any()), bool((steps > slack).any())
        return {(False, False): "constant", (False, True): "non_decreasing", (True, False): "non_increasing"}.get(
            (falls, rises), "neither"
        )  # type: ignore[return-value]  # of literals

    def _is_differentiable_at_0(self) -> bool:
        """Tell whether the slopes on the left and the right of 0 approach each other, and one number, as the step
        shrinks. Towards a vertical tangent they grow without bound."""
        coarse, fine = (float(np.abs(np.diff(self._slopes_beside_0(step)))[0]) for step in (1e-3, 1e-6))
        meets = bool(np.isfinite(fine)) and fine <= max(1e-7, 0.1 * coarse)
        return meets and self._slopes_settle()

    def _slope_at_0(self) -> float | None:
        """Return the slope at 0 by the rules, or the one beside 0 where the chords agree with that alone. At a kink
        the rules give 0, also where the kinks make a smooth function, as in sign(x) * abs(x)."""
        slope, beside = float(self.df(0.0)[0]), float(self.df(_BESIDE_0).mean())
        chord = float(self._slopes_beside_0(1e-6).mean())
        return _finite(beside if abs(chord - beside) <= 0.01 * abs(slope - beside) else slope)

    def _slopes_settle(self) -> bool:
        coarse, middle, fine = (self._slopes_beside_0(step) for step in (1e-4, 1e-7, 1e-10))
        moves, still_moves = np.abs(middle - coarse), np.abs(fine - middle)
        slack = _SETTLED * (1 + np.abs(self.f(0.0)) + np.abs(fine))
        return bool((still_moves <= np.maximum(slack, _SETTLING * moves)).all())

    def _slopes_beside_0(self, step: float) -> Array:
        """Return the slopes of the chords from -step to 0 and from 0 to step."""
        return np.diff(self.f([-step, 0.0, step])) / step

    def _is_flat(self, side: Side) -> bool:
        """Tell whether f' tends to 0: it falls to a hundredth over the far points, and below 1e-6. The rules may give a
        slope where f has no value, such as 1 / x for log(x) on the left."""
        slopes = np.abs(self.df(_FAR[side]))
        near, far = slopes[:1600], slopes[-1600:]
        has_values = bool(np.isfinite([slopes, self.f(_FAR[side])]).all())
        return has_values and bool(far.max() <= 1e-2 * near.max()) and bool(far.max() < 1e-6)


def _falls(values: Array) -> bool:
    """Tell whether f falls without bound towards a point without a value: at each tenth of the distance by at least 0.7
    of its fall before."""
    steps = np.diff(values)
    return bool((steps < 0).all()) and bool((steps[1:] <= 0.7 * steps[:-1]).all())


def _lowest(f: Any, values: Array) -> float | None:
    """Return the infimum of f over all x; None if it is unbounded. `values` are those on the grid, and then any others
    that are known. NaN is left out."""
    if np.isnan(values).all() or np.nanmin(values) == -np.inf:
        return None
    lowest = float(np.nanmin(values))
    for far in _FAR.values():
        tail = f(far)
        ends = [np.nanmin(part, initial=np.inf) for part in (tail[:3200], tail[3200:])]  # up to 1e12, and to 1e16
        if ends[1] == -np.inf or ends[1] < min(ends[0], lowest) - 1e-3 * max(1, abs(ends[0])):
            return None
        lowest = min(lowest, *ends)
    refined = _refined(f, values[: len(GRID)])
    if refined < -1 and refined < 20 * lowest:  # there is a pole between two points of the grid
        return None
    return rounded(min(lowest, refined))


def _refined(f: Any, values: Array) -> float:
    """Return the minimum of f between the neighbours of the point of the grid with the lowest value."""
    index = int(np.argmin(np.nan_to_num(values, nan=np.inf)))
    left, right = GRID[max(index - 1, 0)], GRID[min(index + 1, len(GRID) - 1)]
    minimum = scipy.optimize.minimize_scalar(  # scipy imports optimize here, 200 modules; few processes need it
        lambda x: float(np.nan_to_num(f(x)[0], nan=np.inf)), bounds=(left, right), method="bounded",
        options={"xatol": 1e-9 * (right - left)},
    )  # fmt: skip
    return float(minimum.fun)


def _finite(value: Any) -> float | None:
    return rounded(value) if np.isfinite(value) else None


def _rounded_or_none(value: float | None) -> float | None:
    return None if value is None else rounded(value)
