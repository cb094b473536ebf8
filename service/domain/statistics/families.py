"""Families of tests: p values corrected together, and the ranks of groups that follow from the pairs separated."""

import math
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

MOST_GROUPS_WITH_LOGIC = 10
"""Groups up to which `shaffer` counts the hypotheses that can still be true exactly, which takes 20 ms for 10."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted after Holm (1979), in their own order.

    The i-th smallest of m is multiplied by m - i + 1, and is never below the one before it and never above 1. At most
    5% of families without any effect then contain one of at most 0.05.
    """
    return _stepped_down(p_values, _ascending(p_values), range(len(p_values), 0, -1))


def shaffer(p_values: Sequence[float], sides: Sequence[tuple[int, int]], groups: int) -> list[float]:
    """Return the p values of all pairs of `groups` adjusted after Shaffer (1986), in their own order.

    As Holm's, but each p is multiplied by the number of hypotheses that can still be true together, given that those
    with smaller p values are false: if a and b differ, c cannot equal both. Up to 10 groups the number follows from the
    pairs in question (Shaffer's second procedure), above from how many they are (her first). At most 5% of families
    contain a true hypothesis with an adjusted p of at most 0.05, whichever hypotheses are true.
    """
    order = _ascending(p_values)
    if groups > MOST_GROUPS_WITH_LOGIC:
        return _stepped_down(p_values, order, _possible_by_number(groups))
    return _stepped_down(p_values, order, list(_still_possible([sides[index] for index in order], groups)))


def most_true(groups: int, false: Sequence[tuple[int, int]]) -> int:
    """Return how many hypotheses of equality of two of `groups` can be true at once where those of `false` are not.

    Groups that are equal form classes, and no pair of `false` lies within a class: the largest number of pairs within
    classes, over all partitions of the groups. The time grows as 3^groups.
    """
    return _largest_partition(groups, _conflicts(groups, false))[0]


def rank_ranges(groups: int, wins: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the best and worst rank, from 1, that are open to each of `groups`.

    `wins` holds (better, worse) as indices for each pair that was separated. The best rank is 1 + the number of groups
    that beat it, the worst is the number of groups less those that it beats.
    """
    best, worst = [1] * groups, [groups] * groups
    for winner, loser in wins:
        worst[winner] -= 1
        best[loser] += 1
    return list(zip(best, worst, strict=True))


def _ascending(p_values: Sequence[float]) -> NDArray[np.intp]:
    return np.argsort(p_values, kind="stable")


def _stepped_down(p_values: Sequence[float], order: NDArray[np.intp], multipliers: Sequence[int]) -> list[float]:
    adjusted = np.empty(len(p_values))
    ascending = np.minimum(1.0, np.array(multipliers) * np.array(p_values, dtype=np.float64)[order])
    adjusted[order] = np.maximum.accumulate(ascending)
    in_order: list[float] = adjusted.tolist()
    return in_order


def _still_possible(ascending: Sequence[tuple[int, int]], groups: int) -> Iterator[int]:
    """Yield for each pair, by ascending p, the number of hypotheses that can be true if all before it are false."""
    conflicts = [0] * groups
    most, classes = len(ascending), [(1 << groups) - 1]
    for a, b in ascending:
        yield max(1, most)
        conflicts[a] |= 1 << b
        conflicts[b] |= 1 << a
        both = 1 << a | 1 << b
        if any(members & both == both for members in classes):  # else the same partition remains the largest
            most, classes = _largest_partition(groups, tuple(conflicts))


@lru_cache(maxsize=16)
def _possible_by_number(groups: int) -> list[int]:
    """Return for each number of rejections the largest possible number of true hypotheses among those that are left."""
    pairs = math.comb(groups, 2)
    possible = _possible_numbers(groups)
    return [max(1, (possible & ((2 << left) - 1)).bit_length() - 1) for left in range(pairs, 0, -1)]


@cache
def _possible_numbers(groups: int) -> int:
    """Return a mask whose bit i is set where a partition of so many groups has i pairs within its classes."""
    numbers = [1]
    for size in range(1, groups + 1):
        numbers.append(0)
        for members in range(1, size + 1):  # of one class; the others are partitioned in every way
            numbers[size] |= numbers[size - members] << math.comb(members, 2)
    return numbers[groups]


def _conflicts(groups: int, false: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    conflicts = [0] * groups
    for a, b in false:
        conflicts[a] |= 1 << b
        conflicts[b] |= 1 << a
    return tuple(conflicts)


@lru_cache(maxsize=256)
def _largest_partition(groups: int, conflicts: tuple[int, ...]) -> tuple[int, list[int]]:
    """Return the most pairs within classes, and the classes as bit masks of their groups.

    `conflicts` has for each group the mask of those that it differs from. The class of the lowest group that is left is
    tried with every subset of the others.
    """

    @cache
    def solve(left: int) -> tuple[int, tuple[int, ...]]:
        if not left:
            return 0, ()
        lowest = left & -left
        open_to_it = left & ~lowest & ~conflicts[lowest.bit_length() - 1]
        best: tuple[int, tuple[int, ...]] = (-1, ())
        others = open_to_it
        while True:
            members = others | lowest
            if not _has_conflict(members, conflicts):
                pairs, classes = solve(left & ~members)
                pairs += math.comb(members.bit_count(), 2)
                if pairs > best[0]:
                    best = pairs, (members, *classes)
            if not others:
                return best
            others = (others - 1) & open_to_it

    most, classes = solve((1 << groups) - 1)
    return most, list(classes)


def _has_conflict(members: int, conflicts: tuple[int, ...]) -> bool:
    rest = members
    while rest:
        lowest = rest & -rest
        if conflicts[lowest.bit_length() - 1] & members:
            return True
        rest ^= lowest
    return False
