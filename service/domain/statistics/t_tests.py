"""T tests of the difference of two groups, for all pairs of a family at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from service.domain.statistics.exact import smallest_rank_sum_p, smallest_sign_flip_p, wilcoxon
from service.domain.statistics.summary import Floats, Interval, Mask, moments, rounding, t_quantile

FEWEST_PAIRS = 3
"""Common seeds from which a test is paired: with two, one degree of freedom is left."""

AT_ONCE = 200_000
"""Values of each side that are worked on together: few enough to fit the processor's cache."""

TestName = Literal["paired t", "Welch t"]
Side = tuple[int, int]


@dataclass(frozen=True)
class TTest:
    """The result of a t test of the difference of two means, a - b.

    Where there is no spread to measure the difference by (each pair of seeds differs by the same amount, or each group
    is constant), t is 0/0 or infinite. Then there is no interval, and p is 1 for no difference and `p_attainable` for
    any other: a few seeds that agree exactly, as accuracies over few test images do by chance, are not proof.
    """

    test: TestName
    difference: float
    interval: Interval | None
    p: float  # two-sided
    p_attainable: float  # the smallest that an exact rank test reaches with this many seeds
    hedges_g: float | None
    wilcoxon_p: float | None = None  # the exact signed-rank test beside a paired t of 6 to 50 seeds


@dataclass(frozen=True)
class _Differences:
    """Differences, one row a pair, with standard errors and degrees of freedom, the sd of the effect size and its
    degrees of freedom, and the smallest p attainable."""

    difference: Floats
    error: Floats
    freedom: Floats
    sd: Floats
    sd_freedom: Floats
    p_attainable: Floats


def t_tests(groups: Sequence[Mapping[int, float]], sides: Sequence[Side], confidence: float) -> list[TTest | None]:
    """Test each pair of `groups`, given as value by seed; None where a side has fewer than two values.

    The results are in the order of `sides`. A pair is tested paired over the common seeds where there are at least
    three, else by Welch's test over all. The seeds decide which, never the values.

    Paired: Student's t of the mean difference. Hedges' g is g_av: the mean difference over the root of the two groups'
    mean variance, so that it stays on the scale of the spread between seeds, as Welch's does (g_z would grow with the
    correlation of the pairs). Its small-sample correction takes n - 1 degrees of freedom, the fewest that any
    correlation leaves. Source: Cumming, Understanding the New Statistics (2012), chapter 11.

    Welch: degrees of freedom after Welch (1947) and Satterthwaite (1946). Hedges' g is over the pooled sd (Hedges
    1981).
    """
    values, mask = _table(groups)
    common, sizes = list(_common(mask, sides)), mask.sum(axis=1).tolist()
    paired = [side for side, seeds in zip(sides, common, strict=True) if seeds >= FEWEST_PAIRS]
    few = (side for side, seeds in zip(sides, common, strict=True) if seeds < FEWEST_PAIRS)
    others = [(a, b) for a, b in few if min(sizes[a], sizes[b]) > 1]
    tests = dict(zip(paired, _paired(values, mask, paired, confidence), strict=True))
    tests |= zip(others, _decided("Welch t", _welch(values, mask, others), confidence), strict=True)
    return [tests.get(side) for side in sides]


def hedges_g(difference: Floats, sd: Floats, freedom: Floats) -> Floats:
    """Return `difference` in units of `sd`, times the exact correction of its bias in small samples (Hedges 1981).

    The correction is gamma(m / 2) / (sqrt(m / 2) gamma((m - 1) / 2)) for m = `freedom`. No difference gives 0 whatever
    the sd; any other gives NaN over an sd of 0, and for m < 2, where the correction does not exist.
    """
    m = np.where(freedom < 2, np.nan, freedom)
    correction = np.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2)) / np.sqrt(m / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        g = difference / np.where(sd == 0, np.nan, sd) * correction
    return np.where(difference == 0, 0.0, g)


def _table(groups: Sequence[Mapping[int, float]]) -> tuple[Floats, Mask]:
    """Return groups by seeds in ascending order, 0 where a group has no value, and the mask of the values there are."""
    seeds = [np.fromiter(group, np.int64, len(group)) for group in groups]
    places = np.unique(np.concatenate([np.empty(0, np.int64), *seeds]))
    values, mask = np.zeros((len(groups), len(places))), np.zeros((len(groups), len(places)), dtype=np.bool_)
    for row, group in enumerate(groups):
        at = np.searchsorted(places, seeds[row])
        values[row, at], mask[row, at] = np.fromiter(group.values(), np.float64, len(group)), True
    return values, mask


def _common(mask: Mask, sides: Sequence[Side]) -> Iterator[int]:
    """Count the seeds that the two groups of each pair share. No matrix product: its threads would go on spinning
    afterwards."""
    for first, second in _portions(sides, mask.shape[1]):
        yield from (mask[first] & mask[second]).sum(axis=1).tolist()


def _portions(sides: Sequence[Side], width: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Split the pairs into as many at once as AT_ONCE values allow, for rows of this width."""
    size = max(1, AT_ONCE // max(1, width))
    for start in range(0, len(sides), size):
        yield _split(sides[start : start + size])


def _paired(values: Floats, mask: Mask, sides: Sequence[Side], confidence: float) -> Iterator[TTest]:
    complete = bool(mask.all())
    own = (moments(values)[2], rounding(values)) if complete else None
    for first, second in _portions(sides, values.shape[1]):
        mask_of_both = None if complete else mask[first] & mask[second]
        a, b = values[first], values[second]
        if own is None:
            sds, noise = (
                (moments(a, mask_of_both)[2], moments(b, mask_of_both)[2]),
                np.maximum(rounding(a, mask_of_both), rounding(b, mask_of_both)),
            )
        else:  # once a group instead of once a pair
            sds, noise = (own[0][first], own[0][second]), np.maximum(own[1][first], own[1][second])
        difference = a - b
        differences = _differences(difference, mask_of_both, noise, sds)
        yield from _decided("paired t", differences, confidence, _signed_ranks(difference, mask_of_both, noise))


def _differences(difference: Floats, mask: Mask | None, noise: Floats, sds: tuple[Floats, Floats]) -> _Differences:
    n, mean, sd = moments(difference, mask, noise)
    error = sd / np.sqrt(n)
    attainable = np.array([smallest_sign_flip_p(int(pairs)) for pairs in n])
    effect = np.sqrt((sds[0] ** 2 + sds[1] ** 2) / 2)
    return _Differences(_snapped(mean, error, noise), error, n - 1, effect, n - 1, attainable)


def _signed_ranks(difference: Floats, mask: Mask | None, noise: Floats) -> list[float | None]:
    rows = difference if mask is None else [row[common] for row, common in zip(difference, mask, strict=True)]
    return [wilcoxon(row, float(limit)) for row, limit in zip(rows, noise, strict=True)]


def _welch(values: Floats, mask: Mask, sides: Sequence[Side]) -> _Differences:
    n, mean, sd = moments(values, mask)
    noise = rounding(values, mask)
    a, b = _split(sides)
    error_a, error_b = sd[a] / np.sqrt(n[a]), sd[b] / np.sqrt(n[b])
    error = np.hypot(error_a, error_b)
    difference = _snapped(mean[a] - mean[b], error, np.maximum(noise[a], noise[b]))
    attainable = np.array([smallest_rank_sum_p(int(n[i]), int(n[j])) for i, j in sides])
    freedom = n[a] + n[b] - 2
    pooled = np.sqrt((sd[a] ** 2 * (n[a] - 1) + sd[b] ** 2 * (n[b] - 1)) / freedom)
    return _Differences(difference, error, _welch_freedom(error_a, n[a], error_b, n[b]), pooled, freedom, attainable)


def _welch_freedom(error_a: Floats, n_a: Floats, error_b: Floats, n_b: Floats) -> Floats:
    # By the share of each side in the squared error, so that no small or large unit leaves the range of a float.
    total = np.hypot(error_a, error_b)
    with np.errstate(invalid="ignore", divide="ignore"):
        freedom = 1 / ((error_a / total) ** 4 / (n_a - 1) + (error_b / total) ** 4 / (n_b - 1))
    # Without an error there is no t to look up.
    return np.where(total == 0, np.minimum(n_a, n_b) - 1, freedom)


def _split(sides: Sequence[Side]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    both = np.array(sides, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _snapped(difference: Floats, error: Floats, noise: Floats) -> Floats:
    return np.where((error == 0) & (np.abs(difference) <= noise), 0.0, difference)


def _decided(
    test: TestName, differences: _Differences, confidence: float, wilcoxon_p: Sequence[float | None] | None = None
) -> Iterator[TTest]:
    """Return the test of each difference: its interval and two-sided p, as `TTest` describes them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * special.stdtr(differences.freedom, -np.abs(differences.difference) / differences.error)
    p = np.where(differences.error == 0, np.where(differences.difference == 0, 1.0, differences.p_attainable), p)
    half = t_quantile(differences.freedom, confidence) * differences.error
    low, high = (differences.difference - half).tolist(), (differences.difference + half).tolist()
    g = hedges_g(differences.difference, differences.sd, differences.sd_freedom)
    spread = (differences.error > 0).tolist()
    ranks = wilcoxon_p or [None] * len(low)
    for place, (difference, p_of_pair, least, effect) in enumerate(
        zip(differences.difference.tolist(), p.tolist(), differences.p_attainable.tolist(), g.tolist(), strict=True)
    ):
        interval = (low[place], high[place]) if spread[place] else None
        shown = None if effect != effect else effect  # NaN differs from itself
        yield TTest(test, difference, interval, p_of_pair, least, shown, ranks[place])
