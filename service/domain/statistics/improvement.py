"""The probability that a run of one group is better than a run of another."""

from collections.abc import Mapping, Sequence

import numpy as np

from service.domain.statistics.summary import Floats


def probabilities_of_more(
    groups: Sequence[Mapping[int, float]], sides: Sequence[tuple[int, int]]
) -> list[float | None]:
    """Return for each pair the share of pairs of runs in which a's value is larger; a tie counts half.

    It is the Mann-Whitney statistic over n_a * n_b, over all seeds of both groups. None where a group has no value.
    Source: Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice (2021).
    """
    ordered = [np.sort(np.fromiter(group.values(), np.float64, len(group))) for group in groups]
    return [_share(ordered[a], ordered[b]) for a, b in sides]


def _share(a: Floats, b: Floats) -> float | None:
    if not len(a) or not len(b):
        return None
    wins_twice = np.searchsorted(b, a, "left").sum() + np.searchsorted(b, a, "right").sum()
    return float(wins_twice / (2 * len(a) * len(b)))
