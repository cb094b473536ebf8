"""Exact tests: rank tests of few seeds, and Fisher's test of two rates. Their p values are counted, not
approximated."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.domain.statistics.summary import Floats, Mask

FEWEST_RANKS, MOST_RANKS = 6, 50
"""Pairs for which Wilcoxon's test is shown: below, it cannot reach 0.03; above, it says what the t test says."""

COARSE = 1024  # units of noise within which two differences count as tied


RANKS_AT_ONCE = 1_000_000
"""Comparisons of two differences that are made together."""


@dataclass(frozen=True)
class Rates:
    """The shares of events on two sides, None where a side is empty, and Fisher's exact p that both share one rate."""

    rate_a: float | None
    rate_b: float | None
    fisher_p: float


def smallest_sign_flip_ps(n: Floats) -> Floats:
    """Return the smallest two-sided p of an exact test on the signs of so many paired differences, for each n.

    That is of all n having one sign (sign flips, Wilcoxon's signed ranks): two of 2^n equally likely outcomes. 0.0625
    for n = 5; 1 for n < 2.
    """
    return np.minimum(1.0, np.exp2(1 - n))


def smallest_rank_sum_p(n_a: int, n_b: int) -> float:
    """Return the smallest two-sided p of an exact rank-sum test (Mann-Whitney) of n_a against n_b values.

    That is of all values of one side lying above all of the other: two of C(n_a + n_b, n_a) equally likely orders. 0.1
    for 3 against 3.
    """
    return min(1.0, 2 / math.comb(n_a + n_b, n_a))


def wilcoxons(differences: Floats, mask: Mask | None, noise: Floats) -> list[float | None]:
    """Return for each row the exact two-sided p of Wilcoxon's signed-rank test (1945) that differences lie around 0.

    `mask` leaves the differences of a row. Ties share their mean rank, differences of 0 are left out, and the sums are
    counted that the signs of just these ranks can make. 1 where all differences are 0; None for fewer than 6
    differences or more than 50. `noise` is the size by which rounding alone may move a difference of the row.
    """
    n = np.full(len(differences), differences.shape[1]) if mask is None else mask.sum(axis=1)
    p_values: list[float | None] = [None] * len(differences)
    shown = np.flatnonzero((n >= FEWEST_RANKS) & (n <= MOST_RANKS))
    for number in np.unique(n[shown]).tolist():
        of_number = shown[n[shown] == number]
        for rows in np.array_split(of_number, -(-len(of_number) * number**2 // RANKS_AT_ONCE)):
            values = differences[rows] if mask is None else differences[rows][mask[rows]].reshape(-1, number)
            for row, p in zip(rows.tolist(), _wilcoxons(values, noise[rows]), strict=True):
                p_values[row] = p
    return p_values


def _wilcoxons(differences: Floats, noise: Floats) -> Iterator[float]:
    """Yield the p of each row of differences."""
    coarse = (COARSE * noise)[:, None]
    rounded = np.where(coarse > 0, np.rint(differences / np.where(coarse > 0, coarse, 1.0)), differences)
    twice = _twice_the_ranks(np.abs(rounded))
    observed = np.where(rounded > 0, twice, 0).sum(axis=1)
    for ranks, sum_of_row in zip(np.sort(twice, axis=1).tolist(), observed.tolist(), strict=True):
        yield _tail(tuple(ranks), sum_of_row)


@lru_cache(maxsize=4096)  # the ranks of pairs without ties are the same
def _tail(twice_ranks: tuple[int, ...], observed: int) -> float:
    """Return the two-sided p of a sum of positive ranks. A rank of 0 is that of a difference that is left out."""
    ways = _ways(tuple(rank for rank in twice_ranks if rank))
    tail = min(ways[: observed + 1].sum(), ways[observed:].sum())
    return min(1.0, 2 * float(tail / ways.sum()))


def compare_rates(events_a: int, n_a: int, events_b: int, n_b: int) -> Rates:
    """Return the rates of `events_a` in n_a and `events_b` in n_b."""
    rate_a, rate_b = (events / n if n else None for events, n in ((events_a, n_a), (events_b, n_b)))
    return Rates(rate_a, rate_b, fisher_exact(events_a, n_a, events_b, n_b))


def fisher_exact(events_a: int, n_a: int, events_b: int, n_b: int) -> float:
    """Return Fisher's exact two-sided p that `events_a` of n_a and `events_b` of n_b share one rate.

    It is the total probability of the tables with these margins that are no likelier than the observed one; 1 where a
    side is empty. Counted in whole numbers, so that equally likely tables compare equal.
    """
    events = events_a + events_b
    observed = math.comb(n_a, events_a) * math.comb(n_b, events_b)
    possible = range(max(0, events - n_b), min(events, n_a) + 1)
    ways = (math.comb(n_a, k) * math.comb(n_b, events - k) for k in possible)
    return sum(way for way in ways if way <= observed) / math.comb(n_a + n_b, events)


@lru_cache(maxsize=64)  # 20 kB each at most; without ties, all pairs of so many seeds share one
def _ways(twice_ranks: tuple[int, ...]) -> Floats:
    """Count the ways in which signs make each sum of the positive ranks, by twice that sum; 2^50 is exact in a
    float."""
    ways = np.zeros(sum(twice_ranks) + 1)
    ways[0] = 1
    for rank in twice_ranks:
        ways[rank:] = ways[rank:] + ways[: len(ways) - rank]
    return ways


def _twice_the_ranks(sizes: Floats) -> NDArray[np.int64]:
    """Return 2 * the mean rank of each size among all of its row that are not 0, from 1, and 0 for a size of 0.

    Whole numbers, where ties share a half. The shape is that of `sizes`, rows x differences.
    """
    below = (sizes[:, :, None] > sizes[:, None, :]).sum(axis=2) - (sizes == 0).sum(axis=1)[:, None]
    same = (sizes[:, :, None] == sizes[:, None, :]).sum(axis=2)
    return np.where(sizes == 0, 0, 2 * below + same + 1)
