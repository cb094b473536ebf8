"""The probability that a run of one group is better than a run of another."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from service.domain.statistics.summary import Floats

MOST_DIFFERENT = 4_096
"""Different values up to which they are counted; accuracies over 1,000 images have at most 1,001."""

AT_ONCE = 1_000_000
"""Counts of each side that are multiplied together."""

Side = tuple[int, int]


def probabilities_of_more(groups: Sequence[Mapping[int, float]], sides: Sequence[Side]) -> list[float | None]:
    """Return for each pair the share of pairs of runs in which a's value is larger; a tie counts half.

    It is the Mann-Whitney statistic over n_a * n_b, over all seeds of both groups. None where a group has no value.
    Source: Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice (2021).
    """
    rows = [np.fromiter(group.values(), np.float64, len(group)) for group in groups]
    different = np.unique(np.concatenate([np.empty(0), *rows]))
    # Counting takes a tenth of the time of searching: 0.02 s for all pairs of 100 groups of 1,000 accuracies.
    wins = _counted(rows, different, sides) if len(different) <= MOST_DIFFERENT else _searched(rows, sides)
    pairs = [len(rows[a]) * len(rows[b]) for a, b in sides]
    return [won / number if number else None for won, number in zip(wins, pairs, strict=True)]


def _counted(rows: Sequence[Floats], different: Floats, sides: Sequence[Side]) -> Iterator[float]:
    places = [np.searchsorted(different, row) for row in rows]
    counts = np.array([np.bincount(place, minlength=len(different)) for place in places], dtype=np.float64)
    below = np.cumsum(counts, axis=1) - counts / 2 if len(counts) else counts
    size = max(1, AT_ONCE // max(1, len(different)))
    for start in range(0, len(sides), size):
        first, second = np.array(sides[start : start + size], dtype=np.intp).T
        yield from np.einsum("pv,pv->p", counts[first], below[second]).tolist()


def _searched(rows: Sequence[Floats], sides: Sequence[Side]) -> Iterator[float]:
    ordered = [np.sort(row) for row in rows]
    for a, b in sides:
        below = np.searchsorted(ordered[b], ordered[a], "left").sum()
        yield float(below + np.searchsorted(ordered[b], ordered[a], "right").sum()) / 2
