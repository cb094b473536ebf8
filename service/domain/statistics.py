"""Figures, intervals, tests and effect sizes over the seeds of one group or of two.

Values are finite and, unless 0, between 1e-100 and 1e100 in size (float32 is). No answer is NaN or infinite: what
cannot be said is None. Only `scipy.special` is imported, since `scipy.stats` costs each API process another 48 MB and
0.45 s (scipy 1.17.1, 2 cores of x86-64); the tests hold what is computed here against it.
"""

import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import special

FEWEST_PAIRS = 3
"""Common seeds from which a test is paired: with two, one degree of freedom is left."""

Interval = tuple[float, float]
TestName = Literal["paired t", "Welch t"]


@dataclass(frozen=True)
class Summary:
    """Figures of n values in their own unit; all None for n = 0. `sd` has n - 1 in its denominator: None for n = 1."""

    n: int
    mean: float | None
    sd: float | None
    median: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True)
class TTest:
    """What a t test says of the difference of two means, a - b.

    Where no spread is left to measure the difference by (each pair of seeds differs by the same amount, or each group
    is constant), t is 0/0 or infinite. Then there is no interval, and p is 1 for no difference and `p_attainable` for
    any other: a few seeds that agree exactly, as accuracies over few test images do by chance, are not proof.
    """

    test: TestName
    difference: float
    interval: Interval | None
    p: float  # two-sided
    p_attainable: float  # the smallest that an exact rank test reaches with this many seeds
    hedges_g: float | None


@dataclass(frozen=True)
class Rates:
    """How often something happened on two sides, None where a side is empty, and Fisher's exact p of one rate."""

    rate_a: float | None
    rate_b: float | None
    fisher_p: float


def describe(values: Sequence[float]) -> Summary:
    """The figures of `values`, in whatever order they come."""
    if not values:
        return Summary(0, None, None, None, None, None)
    sd = _sd(values) if len(values) > 1 else None
    return Summary(len(values), _mean(values), sd, statistics.median(values), min(values), max(values))


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Student's t interval of the mean. None for n < 2; of width 0 for a constant group, whose sd is shown as 0."""
    n = len(values)
    if n < 2:
        return None
    return _around(_mean(values), _sd(values) / math.sqrt(n), n - 1, confidence)


def t_test_by_seed(a: Mapping[int, float], b: Mapping[int, float], confidence: float) -> TTest | None:
    """The test of two groups given as value by seed: paired over their common seeds where there are at least three,
    else Welch's over all. The seeds decide which, never the values. None where either has too few."""
    common = sorted(a.keys() & b.keys())
    if len(common) >= FEWEST_PAIRS:
        return paired_t([a[seed] for seed in common], [b[seed] for seed in common], confidence)
    return welch_t(list(a.values()), list(b.values()), confidence)


def paired_t(a: Sequence[float], b: Sequence[float], confidence: float) -> TTest | None:
    """Student's t test of the mean difference a[i] - b[i], with its interval at `confidence`. None for n < 2.

    Hedges' g is g_av: the mean difference over the root of the two groups' mean variance, so that it stays on the scale
    of the spread between seeds, as Welch's does (g_z would grow with the correlation of the pairs). Its small-sample
    correction takes n - 1 degrees of freedom, the fewest that any correlation leaves. Source: Cumming, Understanding
    the New Statistics (2012), chapter 11.
    """
    n = len(a)
    if n < 2:
        return None
    differences = [x - y for x, y in zip(a, b, strict=True)]
    noise = _rounding([*a, *b])
    error = _sd(differences, noise) / math.sqrt(n)
    difference = _snapped(_mean(differences), error, noise)
    p_attainable = smallest_sign_flip_p(n)
    interval, p = _decide(difference, error, n - 1, confidence, p_attainable)
    g = hedges_g(difference, math.hypot(_sd(a), _sd(b)) / math.sqrt(2), n - 1)
    return TTest("paired t", difference, interval, p, p_attainable, g)


def welch_t(a: Sequence[float], b: Sequence[float], confidence: float) -> TTest | None:
    """Welch's t test of mean(a) - mean(b), with its interval at `confidence`. None where either has fewer than two.

    Degrees of freedom after Welch (1947) and Satterthwaite (1946), written with the share of each side in the squared
    error so that no small or large unit leaves the range of a float. Hedges' g is over the pooled sd (Hedges 1981).
    """
    n_a, n_b = len(a), len(b)
    if n_a < 2 or n_b < 2:
        return None
    error_a, error_b = _sd(a) / math.sqrt(n_a), _sd(b) / math.sqrt(n_b)
    error = math.hypot(error_a, error_b)
    difference = _snapped(_mean(a) - _mean(b), error, _rounding([*a, *b]))
    p_attainable = smallest_rank_sum_p(n_a, n_b)
    freedom = _welch_freedom(error_a, n_a, error_b, n_b)
    interval, p = _decide(difference, error, freedom, confidence, p_attainable)
    pooled = math.hypot(_sd(a) * math.sqrt(n_a - 1), _sd(b) * math.sqrt(n_b - 1)) / math.sqrt(n_a + n_b - 2)
    return TTest("Welch t", difference, interval, p, p_attainable, hedges_g(difference, pooled, n_a + n_b - 2))


def hedges_g(difference: float, sd: float, freedom: int) -> float | None:
    """`difference` in units of `sd`, times the exact correction of its bias in small samples (Hedges 1981):
    gamma(m / 2) / (sqrt(m / 2) gamma((m - 1) / 2)) for m = `freedom`. No difference is 0 whatever the sd; any other is
    None over an sd of 0, and for m < 2, where the correction does not exist.
    """
    if difference == 0:
        return 0.0
    if sd == 0 or freedom < 2:
        return None
    correction = math.exp(math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)
    return difference / sd * correction


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values adjusted after Holm (1979), in the order given: the i-th smallest of m times m - i + 1, never below
    the one before it and never above 1. At most 5% of families without any effect then hold one of at most 0.05."""
    adjusted = [0.0] * len(p_values)
    floor = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted


def rank_ranges(groups: int, wins: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The best and worst rank, from 1, open to each of `groups`; `wins` holds (better, worse) for each pair that was
    separated, as indices. Best is 1 + the groups that beat it, worst is all less those that it beats."""
    best, worst = [1] * groups, [groups] * groups
    for winner, loser in wins:
        worst[winner] -= 1
        best[loser] += 1
    return list(zip(best, worst, strict=True))


def smallest_sign_flip_p(n: int) -> float:
    """The smallest two-sided p of an exact test on the signs of n paired differences (sign flips, Wilcoxon's signed
    ranks): all n of one sign, two of 2^n equally likely outcomes. 0.0625 for n = 5; 1 for n < 2."""
    return min(1.0, math.ldexp(1.0, 1 - n))


def smallest_rank_sum_p(n_a: int, n_b: int) -> float:
    """The smallest two-sided p of an exact rank-sum test (Mann-Whitney) of n_a against n_b values: all of one side
    above all of the other, two of C(n_a + n_b, n_a) equally likely orders. 0.1 for 3 against 3."""
    return min(1.0, 2 / math.comb(n_a + n_b, n_a))


def compare_rates(events_a: int, n_a: int, events_b: int, n_b: int) -> Rates:
    """The rates of `events_a` in n_a and `events_b` in n_b."""
    rate_a, rate_b = (events / n if n else None for events, n in ((events_a, n_a), (events_b, n_b)))
    return Rates(rate_a, rate_b, fisher_exact(events_a, n_a, events_b, n_b))


def fisher_exact(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Fisher's exact two-sided p that `events_a` of n_a and `events_b` of n_b share one rate: the total probability of
    the tables with these margins that are no likelier than the one seen. 1 where a side is empty.

    Counted in whole numbers, so that equally likely tables compare equal.
    """
    events = events_a + events_b
    seen = math.comb(n_a, events_a) * math.comb(n_b, events_b)
    possible = range(max(0, events - n_b), min(events, n_a) + 1)
    ways = (math.comb(n_a, k) * math.comb(n_b, events - k) for k in possible)
    return sum(way for way in ways if way <= seen) / math.comb(n_a + n_b, events)


def _mean(values: Sequence[float]) -> float:
    # fmean may round past the ends: 0.1 three times must average to 0.1.
    return min(max(statistics.fmean(values), min(values)), max(values))


def _sd(values: Sequence[float], noise: float | None = None) -> float:
    """With n - 1 >= 1 in the denominator; exactly 0 where the values differ by no more than `noise`."""
    if max(values) - min(values) <= (_rounding(values) if noise is None else noise):
        return 0.0
    mean = _mean(values)
    return math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)


def _rounding(values: Sequence[float]) -> float:
    """How far two differences of such values may lie apart by rounding alone: half a unit in the last place of each of
    the four values and of the two results, and as much again. 0.92 - 0.91 and 0.91 - 0.90 are one difference."""
    return 4 * sys.float_info.epsilon * max(map(abs, values))


def _snapped(difference: float, error: float, noise: float) -> float:
    return 0.0 if error == 0 and abs(difference) <= noise else difference


def _welch_freedom(error_a: float, n_a: int, error_b: float, n_b: int) -> float:
    error = math.hypot(error_a, error_b)
    if error == 0:
        return min(n_a, n_b) - 1  # the fewest that the formula gives; without an error there is no t to look up
    share_a, share_b = (error_a / error) ** 2, (error_b / error) ** 2
    return 1 / (share_a**2 / (n_a - 1) + share_b**2 / (n_b - 1))


def _decide(
    difference: float, error: float, freedom: float, confidence: float, p_attainable: float
) -> tuple[Interval | None, float]:
    """The interval and the two-sided p of a difference with this standard error, as `TTest` describes them."""
    if error == 0:
        return None, 1.0 if difference == 0 else p_attainable
    p = 2 * float(special.stdtr(freedom, -abs(difference) / error))
    return _around(difference, error, freedom, confidence), p


def _around(centre: float, error: float, freedom: float, confidence: float) -> Interval:
    half_width = -float(special.stdtrit(freedom, (1 - confidence) / 2)) * error
    return centre - half_width, centre + half_width
