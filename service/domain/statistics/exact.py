"""Exact tests: rank tests of few seeds, and Fisher's test of two rates. Their p values are counted, not
approximated."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.domain.statistics.summary import Floats

FEWEST_RANKS, MOST_RANKS = 6, 50
"""Pairs for which Wilcoxon's test is shown: below, it cannot reach 0.03; above, it says what the t test says."""

COARSE = 1024  # units of noise within which two differences count as tied


@dataclass(frozen=True)
class Rates:
    """The shares of events on two sides, None where a side is empty, and Fisher's exact p that both share one rate."""

    rate_a: float | None
    rate_b: float | None
    fisher_p: float


def smallest_sign_flip_p(n: int) -> float:
    """Return the smallest two-sided p of an exact test on the signs of n paired differences.

    That is of all n having one sign (sign flips, Wilcoxon's signed ranks): two of 2^n equally likely outcomes. 0.0625
    for n = 5; 1 for n < 2.
    """
    return min(1.0, math.ldexp(1.0, 1 - n))


def smallest_rank_sum_p(n_a: int, n_b: int) -> float:
    """Return the smallest two-sided p of an exact rank-sum test (Mann-Whitney) of n_a against n_b values.

    That is of all values of one side lying above all of the other: two of C(n_a + n_b, n_a) equally likely orders. 0.1
    for 3 against 3.
    """
    return min(1.0, 2 / math.comb(n_a + n_b, n_a))


def wilcoxon(differences: Floats, noise: float = 0.0) -> float | None:
    """Return the exact two-sided p of Wilcoxon's signed-rank test (1945) that paired differences lie around 0.

    Ties share their mean rank, differences of 0 are left out, and the sums are counted that the signs of just these
    ranks can make. 1 where all differences are 0; None for fewer than 6 differences or more than 50. `noise` is the
    size by which rounding alone may move a difference.
    """
    if not FEWEST_RANKS <= len(differences) <= MOST_RANKS:
        return None
    rounded = np.rint(differences / (COARSE * noise)) if noise else differences
    nonzero = rounded[rounded != 0]
    twice = _twice_the_ranks(np.abs(nonzero))
    ways = _ways(tuple(sorted(twice.tolist())))
    observed = int(twice[nonzero > 0].sum())
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
    """Return 2 * the mean rank of each size among all, from 1: whole numbers where ties share a half."""
    below = (sizes[:, None] > sizes[None, :]).sum(axis=1)
    same = (sizes[:, None] == sizes[None, :]).sum(axis=1)
    return np.asarray(2 * below + same + 1, dtype=np.int64)
