"""Families of tests: p values corrected together, and the ranks of groups that follow from the pairs separated."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p values adjusted after Holm (1979), in their own order.

    The i-th smallest of m is multiplied by m - i + 1, and is never below the one before it and never above 1. At most
    5% of families without any effect then contain one of at most 0.05.
    """
    adjusted = [0.0] * len(p_values)
    floor = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted


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
