"""How long until something happens, where for some it had not happened yet when we stopped looking."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """How long n took to get there. `median` is Kaplan and Meier's (1958), in the unit of the times: the first time by
    which half have arrived, those who left before counted out from then on. None where fewer than half are known to
    have."""

    n: int
    n_reached: int
    n_censored: int
    median: float | None


def kaplan_meier(reached: Sequence[float], censored: Sequence[float]) -> Waiting:
    """`reached`: when each of these arrived; `censored`: until when each of the others was seen not to have. Of two at
    one time, the arrival comes first."""
    n = len(reached) + len(censored)
    return Waiting(n, len(reached), len(censored), _median(sorted(reached), censored))


def _median(reached: Sequence[float], censored: Sequence[float]) -> float | None:
    left_to_arrive = 1.0
    for time in dict.fromkeys(reached):
        waiting = sum(other >= time for other in (*reached, *censored))
        left_to_arrive *= 1 - sum(other == time for other in reached) / waiting
        if left_to_arrive <= 0.5 + 1e-12:  # 2/3 * 3/4 falls a hair beside a half
            return time
    return None
