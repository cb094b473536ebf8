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
    return interval_of(describe(values), confidence)


def interval_of(summary: Summary, confidence: float = 0.95) -> Interval | None:
    """Return the same interval of the values that `summary` describes."""
    if summary.mean is None or summary.sd is None:
        return None
    return around(summary.mean, summary.sd / math.sqrt(summary.n), summary.n - 1, confidence)


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
    # Searching a quantile takes 5 us, and the pairs of a family mostly have the same number of seeds.
    different, places = np.unique(np.asarray(freedom, dtype=np.float64), return_inverse=True)
    return np.asarray(-special.stdtrit(different, (1 - confidence) / 2), dtype=np.float64)[places]


def moments(values: Floats, mask: Mask | None = None, noise: Floats | None = None) -> tuple[Floats, Floats, Floats]:
    """Return n, mean and sd (n - 1 in its denominator) of each row, over the places that `mask` leaves.

    The sd is exactly 0 where a row's values differ by no more than `noise` (the rounding error of equal values), and
    NaN for n < 2; the mean lies within the row's values and is NaN for n = 0.
    """
    n = np.full(len(values), values.shape[1]) if mask is None else mask.sum(axis=1)
    limit = rounding(values, mask) if noise is None else noise
    with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 is the NaN of a row with too few values
        total = values.sum(axis=1) if mask is None else np.where(mask, values, 0.0).sum(axis=1)
        mean = total / n
        sd = _sds(values, mask, mean, n)
        # Values that differ by the noise have a sd below it, and the mean of values that spread lies between them: only
        # for other rows the extremes are needed, which take a third of the time.
        near = np.flatnonzero(~(sd > n * limit))
        if len(near):
            mean[near], sd[near] = _near(values[near], None if mask is None else mask[near], mean[near], limit[near])
    return n, mean, sd


def _sds(values: Floats, mask: Mask | None, mean: Floats, n: NDArray[np.int64]) -> Floats:
    rest = values - mean[:, None]
    squares = np.einsum("ij,ij->i", rest, rest) if mask is None else (np.where(mask, rest, 0.0) ** 2).sum(axis=1)
    sd: Floats = np.sqrt(squares / (n - 1))
    return sd


def _near(values: Floats, mask: Mask | None, mean: Floats, limit: Floats) -> tuple[Floats, Floats]:
    """Return mean and sd of rows whose values may be equal but for rounding, or too few."""
    n = np.full(len(values), values.shape[1]) if mask is None else mask.sum(axis=1)
    low, high = extremes(values, mask)
    mean = np.where(n > 0, np.clip(mean, low, high), np.nan)
    sd = _sds(values, mask, mean, n)
    return mean, np.where((n > 1) & (high - low <= limit), 0.0, np.where(n > 1, sd, np.nan))


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
