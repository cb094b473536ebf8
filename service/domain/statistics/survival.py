"""Times until an event, where some runs ended before the event happened (right-censored times)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """The times of n runs until an event.

    `median` is Kaplan and Meier's (1958), in the unit of the times: the first time by which half have reached the
    event, where those that ended before are no longer counted. None where fewer than half are known to have reached it.
    """

    n: int
    n_reached: int
    n_censored: int
    median: float | None


def kaplan_meier(reached: Sequence[float], censored: Sequence[float]) -> Waiting:
    """Return the waiting times of these runs.

    `reached` holds the times of the events; `censored` holds the last times at which the other runs were known not to
    have reached it. At equal times, the event comes first.
    """
    n = len(reached) + len(censored)
    return Waiting(n, len(reached), len(censored), _median(sorted(reached), censored))


def _median(reached: Sequence[float], censored: Sequence[float]) -> float | None:
    share_left = 1.0
    for time in dict.fromkeys(reached):
        waiting = sum(other >= time for other in (*reached, *censored))
        share_left *= 1 - sum(other == time for other in reached) / waiting
        if share_left <= 0.5 + 1e-12:  # 2/3 * 3/4 is not exactly a half in floats
            return time
    return None
