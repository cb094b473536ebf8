"""T tests of the difference of two groups, for all pairs of a family at once."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from service.domain.statistics.equivalence import Margin, one_sided_p
from service.domain.statistics.exact import smallest_rank_sum_p, smallest_sign_flip_ps, wilcoxons
from service.domain.statistics.log_errors import log_errors, on_the_scale
from service.domain.statistics.seed_table import SeedTable
from service.domain.statistics.summary import Floats, Interval, Mask, moments, rounding, t_quantile

FEWEST_PAIRS = 3
"""Common seeds from which a test is paired: with two, one degree of freedom is left."""

FEWEST_PAIRS_OF_SHARES = 5
"""The same for shares of images: with 3 or 4 seeds, Welch's test of the logarithm of the errors finds more, and as few
false differences (docs/decisions/0018)."""

LOG_ERROR_SEEDS = frozenset({3, 4})
"""Seeds of the smaller group at which shares of images are tested on the scale of the logarithm of the errors."""

SHARE_OF_FREEDOM = 2 / 3
"""Share of Welch's degrees of freedom beyond those of the smaller group that tests on that scale take."""

AT_ONCE = 50_000
"""Values of each side that are worked on together: few enough to fit the processor's cache. Means and sds of 4,950
pairs of 1,000 values take 27 ms, with 200,000 values 45 ms, and with 10,000 55 ms (AMD EPYC, 512 KiB a core)."""

TestName = Literal["paired t", "Welch t", "Welch t of log errors"]
Side = tuple[int, int]


class TTest(NamedTuple):
    """The result of a t test of the difference of two means, a - b.

    Where there is no spread to measure the difference by (each pair of seeds differs by the same amount, or each group
    is constant), t is 0/0 or infinite. Then there is no interval, and p is 1 for no difference and `p_attainable` for
    any other: a few seeds that agree exactly are not proof. Shares of images always have a spread, that of rounding.
    """

    test: TestName
    difference: float
    interval: Interval | None
    p: float  # two-sided
    p_attainable: float  # the smallest that an exact rank test reaches with this many seeds
    hedges_g: float | None
    n: int  # seeds: common ones where paired, else those of the smaller group
    spread: float  # the standard error of the difference times the root of n
    wilcoxon_p: float | None = None  # the exact signed-rank test beside a paired t of 6 to 50 seeds
    p_equivalence: float | None = None  # of two one-sided tests that the difference lies within the margin


@dataclass(frozen=True)
class _Differences:
    """Differences, one row a pair, with standard errors and degrees of freedom, the sd of the effect size and its
    degrees of freedom, the seeds, the smallest p attainable, and the p of equivalence."""

    difference: Floats
    error: Floats
    freedom: Floats
    sd: Floats
    sd_freedom: Floats
    n: Floats
    p_attainable: Floats
    p_equivalence: Floats | None


@dataclass(frozen=True)
class _Judged:
    """The two-sided p of each difference, and the ends of its interval."""

    p: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class _Table(SeedTable):
    """A table of values with the number of images that each group's values are shares of, 0 for values that are no
    shares."""

    images: NDArray[np.int64]


def t_tests(
    groups: SeedTable,
    sides: Sequence[Side],
    confidence: float,
    *,
    images: Sequence[int | None] = (),
    margin: Margin | None = None,
) -> list[TTest | None]:
    """Test each pair of `groups`; None where a side has fewer than two values.

    The results are in the order of `sides`. `images` has the number of images of each group whose values are shares of
    correctly classified images. The seeds and the kind of values decide the test, never the values:

    * shares of images with at least five common seeds, and other values with at least three: paired;
    * shares of images where the smaller group has three or four seeds: Welch's test of the logarithm of the errors;
    * else Welch's test.

    Paired: Student's t of the mean difference. Hedges' g is g_av: the mean difference over the root of the two groups'
    mean variance, so that it stays on the scale of the spread between seeds, as Welch's does (g_z would grow with the
    correlation of the pairs). Its small-sample correction takes n - 1 degrees of freedom, the fewest that any
    correlation leaves. Source: Cumming, Understanding the New Statistics (2012), chapter 11. The variance of
    differences of shares of N images is at least 1 / (3 N^2), twice that of rounding to whole images: without it, equal
    groups over 1,000 images differ in 6.8 % of studies of 5 seeds.

    Welch: degrees of freedom after Welch (1947) and Satterthwaite (1946); on the scale of the logarithm
    fewer, because those of 3 and 4 seeds are uncertain (docs/decisions/0018). Hedges' g is over the pooled sd (Hedges
    1981).

    `margin` adds the p of equivalence: the larger p of two one-sided tests (TOST; Schuirmann 1987) of the difference of
    the means, or of their ratio (Sasabuchi 1980) for a relative margin.
    """
    table = _Table(groups.values, groups.mask, _images(images, len(groups.values)))
    common, sizes = list(_common(table.mask, sides)), table.mask.sum(axis=1).tolist()
    chosen: dict[TestName, list[Side]] = {"paired t": [], "Welch t": [], "Welch t of log errors": []}
    for (a, b), seeds in zip(sides, common, strict=True):
        test = choose_test(seeds, min(sizes[a], sizes[b]), shares=min(table.images[a], table.images[b]) > 0)
        if test is not None:
            chosen[test].append((a, b))
    tests: dict[Side, TTest] = {}
    for name, pairs in chosen.items():
        if not pairs:
            continue
        tests |= zip(pairs, RUN[name](table, pairs, confidence, margin), strict=True)
    return [tests.get(side) for side in sides]


def choose_test(common: int, smaller: int, *, shares: bool) -> TestName | None:
    """Return the test of two groups with so many common seeds, the smaller of which has `smaller`; None for none."""
    if common >= (FEWEST_PAIRS_OF_SHARES if shares else FEWEST_PAIRS):
        return "paired t"
    if smaller < 2:
        return None
    return "Welch t of log errors" if shares and smaller in LOG_ERROR_SEEDS else "Welch t"


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


def _images(images: Sequence[int | None], groups: int) -> NDArray[np.int64]:
    return np.array([number or 0 for number in images] or [0] * groups, dtype=np.int64)


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


def _paired(table: _Table, sides: Sequence[Side], confidence: float, margin: Margin | None) -> Iterator[TTest]:
    complete = bool(table.mask.all())
    # Once a group instead of once a pair.
    own = (moments(table.values)[2], rounding(table.values)) if complete else None
    parts = [_paired_part(table, own, *both) for both in _portions(sides, table.values.shape[1])]
    n, mean, sd, sd_a, sd_b, noise = (
        np.concatenate(column) for column in zip(*(part for part, _ in parts), strict=True)
    )
    first, second = _split(sides)
    error = np.maximum(sd, _least_sd(np.minimum(table.images[first], table.images[second]))) / np.sqrt(n)
    attainable = smallest_sign_flip_ps(n)

    def contrast(factor: float) -> tuple[Floats, Floats, Floats]:
        if factor == 1:
            return mean, error, n - 1
        of_contrast = [_contrast(table, factor, *both) for both in _portions(sides, table.values.shape[1])]
        mean_of_contrast, sd_of_contrast = (np.concatenate(column) for column in zip(*of_contrast, strict=True))
        return mean_of_contrast, sd_of_contrast / np.sqrt(n), n - 1

    differences = _Differences(
        _snapped(mean, error, noise), error, n - 1, np.sqrt((sd_a**2 + sd_b**2) / 2), n - 1, n, attainable,
        _equivalence(contrast, margin, attainable),
    )  # fmt: skip
    ranks = [p for _, of_part in parts for p in of_part]
    return _results("paired t", differences, _judge(differences, confidence), ranks)


def _paired_part(
    table: _Table, own: tuple[Floats, Floats] | None, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[tuple[Floats, ...], list[float | None]]:
    """Return of some pairs n, mean and sd of the differences, the sds of both sides and the noise; and the exact
    tests."""
    a, b = table.values[first], table.values[second]
    if own is None:
        mask = table.mask[first] & table.mask[second]
        sds = moments(a, mask)[2], moments(b, mask)[2]
        noise = np.maximum(rounding(a, mask), rounding(b, mask))
    else:
        mask = None
        sds = own[0][first], own[0][second]
        noise = np.maximum(own[1][first], own[1][second])
    difference = a - b
    return (*moments(difference, mask, noise), *sds, noise), wilcoxons(difference, mask, noise)


def _contrast(table: _Table, factor: float, first: NDArray[np.intp], second: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return mean and sd of a - factor * b of some pairs."""
    mask = table.mask[first] & table.mask[second]
    a, b = table.values[first], table.values[second]
    noise = np.maximum(rounding(a, mask), rounding(b, mask))
    return moments(a - factor * b, None if mask.all() else mask, noise)[1:]


def _least_sd(images: NDArray[np.int64]) -> Floats:
    """Return the least sd of differences of shares of so many images; 0 for values that are no shares."""
    return np.where(images > 0, 1 / (math.sqrt(3) * np.maximum(images, 1)), 0.0)


def _equivalence(
    contrast: Callable[[float], tuple[Floats, Floats, Floats]], margin: Margin | None, attainable: Floats
) -> Floats | None:
    """Return the p of two one-sided tests, from mean, standard error and degrees of freedom of a - factor * b."""
    if margin is None:
        return None
    low, high = (contrast(factor) for factor in margin.factors)
    return np.maximum(
        one_sided_p(low[0] + margin.shift, low[1], low[2], attainable),
        one_sided_p(margin.shift - high[0], high[1], high[2], attainable),
    )


def _welch_t(table: _Table, sides: Sequence[Side], confidence: float, margin: Margin | None) -> Iterator[TTest]:
    n, mean, sd = moments(table.values, table.mask)
    differences = _welch((n, mean, sd), rounding(table.values, table.mask), sides, margin)
    return _results("Welch t", differences, _judge(differences, confidence))


def _log_errors(table: _Table, sides: Sequence[Side], confidence: float, margin: Margin | None) -> Iterator[TTest]:
    """Test the difference on the scale of the logarithm of the errors, and the equivalence on that of the shares."""
    n, mean, sd = moments(table.values, table.mask)
    images = np.maximum(table.images, 1)
    of_rounding = 1 / (math.sqrt(12) * images)
    rounded = n, mean, np.maximum(sd, of_rounding)
    differences = _welch(rounded, rounding(table.values, table.mask), sides, margin)
    scaled = log_errors(table.values, images)
    n, log_mean, log_sd = moments(scaled, table.mask)
    log_sd = np.maximum(log_sd, of_rounding / np.maximum(1 - mean, 0.5 / images))
    a, b = _split(sides)
    on_scale = _with_less_freedom(_welch((n, log_mean, log_sd), np.zeros(len(n)), sides, None), n[a], n[b])
    t = t_quantile(on_scale.freedom, confidence)
    intervals = on_the_scale(
        differences.difference,
        (log_mean[a], log_mean[b]),
        (t * log_sd[a] / np.sqrt(n[a]), t * log_sd[b] / np.sqrt(n[b])),
        (images[a], images[b]),
    )
    judged = _Judged(_judge(on_scale, confidence).p, *intervals)
    return _results("Welch t of log errors", differences, judged)


def _with_less_freedom(differences: _Differences, n_a: Floats, n_b: Floats) -> _Differences:
    """Move the degrees of freedom from Welch's towards those of the smaller group, n - 1.

    Welch's are estimated from two variances of 3 or 4 values. Where spreads differ 1:5 they come out too many in some
    studies, and these are the ones that find a difference: in 7 to 9 % of studies of 8 to 24 groups, pairs of which are
    equal, instead of 5 %. Two thirds of the way from n - 1 to Welch's, it is 5 to 6.5 %. If one group has more than
    twice the seeds of the other, the distance is all of it.
    """
    fewer, more = np.minimum(n_a, n_b), np.maximum(n_a, n_b)
    share = np.where(more > 2 * fewer, 0.0, SHARE_OF_FREEDOM)
    return replace(differences, freedom=fewer - 1 + share * (differences.freedom - (fewer - 1)))


def _welch(
    of_groups: tuple[Floats, Floats, Floats], noise: Floats, sides: Sequence[Side], margin: Margin | None
) -> _Differences:
    """Return the differences of groups with these n, means and sds."""
    n, mean, sd = of_groups
    a, b = _split(sides)
    error_a, error_b = sd[a] / np.sqrt(n[a]), sd[b] / np.sqrt(n[b])

    def contrast(factor: float) -> tuple[Floats, Floats, Floats]:
        error_of_b = factor * error_b
        freedom = _welch_freedom(error_a, n[a], error_of_b, n[b])
        return mean[a] - factor * mean[b], np.hypot(error_a, error_of_b), freedom

    difference, error, freedom = contrast(1.0)
    attainable = np.array([smallest_rank_sum_p(int(n[i]), int(n[j])) for i, j in sides])
    pooled_freedom = n[a] + n[b] - 2
    pooled = np.sqrt((sd[a] ** 2 * (n[a] - 1) + sd[b] ** 2 * (n[b] - 1)) / pooled_freedom)
    snapped = _snapped(difference, error, np.maximum(noise[a], noise[b]))
    return _Differences(snapped, error, freedom, pooled, pooled_freedom, np.minimum(n[a], n[b]), attainable,
                        _equivalence(contrast, margin, attainable))  # fmt: skip


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


def _judge(differences: _Differences, confidence: float) -> _Judged:
    """Return p and interval of each difference by Student's t, as `TTest` describes them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * special.stdtr(differences.freedom, -np.abs(differences.difference) / differences.error)
    p = np.where(differences.error == 0, np.where(differences.difference == 0, 1.0, differences.p_attainable), p)
    half = t_quantile(differences.freedom, confidence) * differences.error
    return _Judged(p, differences.difference - half, differences.difference + half)


def _results(
    test: TestName, differences: _Differences, judged: _Judged, wilcoxon_p: Sequence[float | None] | None = None
) -> Iterator[TTest]:
    g = hedges_g(differences.difference, differences.sd, differences.sd_freedom)
    pairs = len(g)
    equivalence = differences.p_equivalence
    columns = zip(
        differences.difference.tolist(),
        judged.low.tolist(),
        judged.high.tolist(),
        judged.p.tolist(),
        differences.p_attainable.tolist(),
        g.tolist(),
        differences.n.tolist(),
        (differences.error * np.sqrt(differences.n)).tolist(),
        wilcoxon_p or [None] * pairs,
        [None] * pairs if equivalence is None else equivalence.tolist(),
        strict=True,
    )
    for difference, low, high, p, least, effect, n, spread, ranks, within in columns:
        interval = (low, high) if spread > 0 else None
        shown = None if effect != effect else effect  # NaN differs from itself
        yield TTest(test, difference, interval, p, least, shown, int(n), spread, ranks, within)


RUN: Mapping[TestName, Callable[[_Table, Sequence[Side], float, Margin | None], Iterator[TTest]]] = {
    "paired t": _paired,
    "Welch t": _welch_t,
    "Welch t of log errors": _log_errors,
}
