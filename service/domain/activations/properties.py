"""The table of properties of a function, measured on its values: nothing in it is typed in.

What is measured is measured in float64, on a dense grid from -1e4 to 1e4, with its extremes refined, and on far points
up to 1e16 for what happens towards infinity; figures keep 7 digits. A property that a finer grid would change is
beyond this table.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import optimize

from service.domain.activations.expression import Expression, is_elementwise
from service.domain.activations.numeric import Array, derivative, evaluate

Monotonic = Literal["constant", "non_decreasing", "non_increasing", "neither"]
Side = Literal["left", "right"]


class Properties(BaseModel):
    """What is not defined is null: everything of softmax, which is no function of one number; a bound that is not
    there; a slope at a kink; and, where f is not a number on some of its grid, what speaks of all x."""

    model_config = ConfigDict(frozen=True)

    defined: bool | None = Field(description="Whether f(x) is a number for every x tried, from -1e4 to 1e4.")
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
_FAR: Mapping[Side, Array] = {"left": -np.logspace(4, 16, 4801), "right": np.logspace(4, 16, 4801)}

# Gauss-Legendre with 20 points on each quarter of -12 to 12: kinks at multiples of 1/4 fall between two pieces, and
# the normal density beyond is below 1e-31.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_MIDDLES = np.arange(-12, 12, 0.25)[:, None] + 0.125
_POINTS = (_MIDDLES + 0.125 * _NODES).ravel()
_MEASURE = np.tile(0.125 * _WEIGHTS, len(_MIDDLES)) * np.exp(-(_POINTS**2) / 2) / np.sqrt(2 * np.pi)


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

    def f(self, x: Any) -> Array:
        return evaluate(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def df(self, x: Any) -> Array:
        return derivative(self._expression, np.atleast_1d(np.asarray(x, float)), self._parameters)

    def table(self) -> Properties:
        defined = not bool(np.isnan(self.y).any())
        low, high = self._infimum(1.0), self._infimum(-1.0)
        smooth = self._is_differentiable_at_0()
        at_0, slope = _finite(self.f(0.0)[0]), _finite(self.df(0.0)[0]) if smooth else None
        mean = _finite(self.f(_POINTS) @ _MEASURE)
        return Properties(
            defined=defined,
            range=(low, None if high is None else _plain(-high)),
            bounded=low is not None and high is not None,
            monotonic=self._monotonic() if defined else None,
            differentiable_at_0=smooth,
            value_at_0=at_0,
            slope_at_0=slope,
            near_identity=at_0 is not None and slope is not None and abs(at_0) < 1e-12 and abs(slope - 1) < 1e-9,
            largest_slope=self._largest_slope(),
            mean_of_normal=mean,
            zero_centred=None if mean is None else abs(mean) < ZERO_CENTRED,
            saturating_sides=[side for side in _FAR if self._is_flat(side)],
        )

    def _infimum(self, sign: float) -> float | None:
        """Of sign * f; None where there is none."""
        return _lowest(lambda x: sign * self.f(x), sign * self.y)

    def _largest_slope(self) -> float | None:
        lowest = _lowest(lambda x: -np.abs(self.df(x)), -np.abs(self.slopes))
        return None if lowest is None else _plain(-lowest)

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


def _lowest(f: Any, on_grid: Array) -> float | None:
    """The infimum of f over all x; None where it is unbounded. Not-a-number is left out."""
    if np.isnan(on_grid).all() or np.nanmin(on_grid) == -np.inf:
        return None
    lowest = float(np.nanmin(on_grid))
    for far in _FAR.values():
        tail = f(far)
        ends = [np.nanmin(part, initial=np.inf) for part in (tail[:3200], tail[3200:])]  # to 1e12, and on to 1e16
        if ends[1] == -np.inf or ends[1] < min(ends[0], lowest) - 1e-3 * max(1, abs(ends[0])):
            return None
        lowest = min(lowest, *ends)
    refined = _refined(f, on_grid)
    if refined < -1 and refined < 20 * lowest:  # between two points of the grid it fell so far: a pole
        return None
    return _plain(min(lowest, refined))


def _refined(f: Any, on_grid: Array) -> float:
    """The minimum between the neighbours of the lowest point of the grid."""
    at = int(np.nanargmin(on_grid))
    left, right = GRID[max(at - 1, 0)], GRID[min(at + 1, len(GRID) - 1)]
    found = optimize.minimize_scalar(
        lambda x: float(np.nan_to_num(f(x)[0], nan=np.inf)), bounds=(left, right), method="bounded",
        options={"xatol": 1e-6 * (right - left)},
    )  # fmt: skip
    return float(found.fun)


def _finite(value: Any) -> float | None:
    return _plain(value) if np.isfinite(value) else None


def _plain(value: Any) -> float:
    """To the 7 digits that the refinement is good for, with 0 for what rounding left over of it."""
    return float(f"{round(float(value), 12):.7g}") + 0.0
