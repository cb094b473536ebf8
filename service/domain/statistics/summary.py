"""Summaries of one group: its figures, and the intervals around its mean."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Interval = tuple[float, float]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Summary:
    """The figures of n values in their own unit; all None for n = 0. `sd` has n - 1 in its denominator: None for n =
    1."""

    n: int
    mean: float | None
    sd: float | None
    median: float | None
    min: float | None
    max: float | None


def describe(values: Sequence[float] | Floats) -> Summary:
    """Return the summary of `values`, which may come in any order."""
    if len(values) == 0:
        return Summary(0, None, None, None, None, None)
    row = np.asarray(values, dtype=np.float64)
    n, mean, sd = _moments_of_one(row)
    return Summary(n, mean, sd if n > 1 else None, float(np.median(row)), float(row.min()), float(row.max()))


def mean_interval(values: Sequence[float] | Floats, confidence: float = 0.95) -> Interval | None:
    """Return Student's t interval of the mean: None for n < 2, of width 0 for a constant group, whose sd is shown as
    0."""
    if len(values) < 2:
        return None
    n, mean, sd = _moments_of_one(values)
    return around(mean, sd / math.sqrt(n), n - 1, confidence)


def prediction_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Return the interval of one more value of the same kind: mean +- t * sd * sqrt(1 + 1 / n). None for n < 2."""
    if len(values) < 2:
        return None
    n, mean, sd = _moments_of_one(values)
    return around(mean, sd * math.sqrt(1 + 1 / n), n - 1, confidence)


def proportion_interval(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion, from `hits` in a sample of n >= 1."""
    z = float(special.ndtri((1 + confidence) / 2))
    share, spread = hits / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half_width = z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return max(0.0, centre - half_width), min(1.0, centre + half_width)


def around(centre: float, error: float, freedom: float, confidence: float) -> Interval:
    """Return centre +- t * error, with Student's t of `freedom` degrees of freedom."""
    half_width = float(t_quantile(freedom, confidence)) * error
    return centre - half_width, centre + half_width


def within(interval: Interval | None, lowest: float, highest: float) -> Interval | None:
    """Return the part of an interval that lies on a scale from `lowest` to `highest`.

    What it covers lies on the scale, so that the part covers it as often as the whole.
    """
    return None if interval is None else (max(interval[0], lowest), min(interval[1], highest))


def t_quantile(freedom: float | Floats, confidence: float) -> Floats:
    """Return the t for which Student's distribution lies within -t and t with probability `confidence`."""
    return np.asarray(-special.stdtrit(freedom, (1 - confidence) / 2), dtype=np.float64)


def moments(values: Floats, mask: Mask | None = None, noise: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """Return n, mean and sd (n - 1 in its denominator) of each row, over the places that `mask` leaves.

    The sd is exactly 0 where a row's values differ by no more than `noise` (the rounding error of equal values), and
    NaN for n < 2; the mean lies within the row's values and is NaN for n = 0.
    """
    n = np.full(len(values), values.shape[1]) if mask is None else mask.sum(axis=1)
    low, high = extremes(values, mask)
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the NaN of a row with too few values
        total = values.sum(axis=1) if mask is None else np.where(mask, values, 0.0).sum(axis=1)
        mean = np.where(n > 0, np.clip(total / n, low, high), np.nan)
        rest = values - mean[:, None]
        squares = np.einsum("ij,ij->i", rest, rest) if mask is None else (np.where(mask, rest, 0.0) ** 2).sum(axis=1)
        sd = np.sqrt(squares / (n - 1))
    limit = rounding(values, mask) if noise is None else noise
    return n, mean, np.where((n > 1) & (high - low <= limit), 0.0, np.where(n > 1, sd, np.nan))


def extremes(values: Floats, mask: Mask | None) -> tuple[Floats, Floats]:
    """Return the least and the largest value of each row; infinite where the mask leaves none."""
    if values.shape[1] == 0:
        return np.full(len(values), np.inf), np.full(len(values), -np.inf)
    if mask is None:
        return values.min(axis=1), values.max(axis=1)
    return np.where(mask, values, np.inf).min(axis=1), np.where(mask, values, -np.inf).max(axis=1)


def rounding(values: Floats, mask: Mask | None = None) -> Floats:
    """Return the largest distance of two differences of such values that rounding alone can cause.

    It is half a unit in the last place of each of the four values and of the two results, and as much again: 0.92 -
    0.91 and 0.91 - 0.90 are one difference.
    """
    size = np.abs(values) if mask is None else np.where(mask, np.abs(values), 0.0)
    largest: Floats = 4 * sys.float_info.epsilon * size.max(axis=1, initial=0.0)
    return largest


def _moments_of_one(values: Sequence[float] | Floats) -> tuple[int, float, float]:
    n, mean, sd = moments(np.asarray(values, dtype=np.float64)[None, :])
    return int(n[0]), float(mean[0]), float(sd[0])
