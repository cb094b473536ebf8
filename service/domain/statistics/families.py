"""Many tests at once: what holds for all of them together, and what they say of the order of groups."""

from collections.abc import Sequence


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
