"""The number of seeds that would separate the two best groups."""

import math
from collections.abc import Sequence

from service.domain.comparisons.answer import ALPHA, POWER, SeedsNeeded
from service.domain.comparisons.cells import Cell
from service.domain.statistics.power import seeds_needed
from service.domain.statistics.summary import describe

FEWEST_SEEDS = 5


def seeds_for_the_best(ordered: Sequence[Cell], pairs: int) -> SeedsNeeded | None:
    """Return the estimate for the first two of `ordered`, best mean first.

    They are paired where they have at least 5 seeds in common, else taken as two samples of at least 5 each. None with
    fewer seeds, or where runs of either diverged.
    """
    if len(ordered) < 2 or ordered[0].n_diverged or ordered[1].n_diverged:
        return None
    a, b = ordered[0], ordered[1]
    common = sorted(a.values.keys() & b.values.keys())
    alpha = ALPHA / max(1, pairs)
    if len(common) >= FEWEST_SEEDS:
        differences = describe([a.values[seed] - b.values[seed] for seed in common])
        return _answer(a, b, len(common), differences.mean, differences.sd, alpha, paired=True)
    fewest = min(len(a.values), len(b.values))
    if fewest < FEWEST_SEEDS:
        return None
    of_a, of_b = describe(list(a.values.values())), describe(list(b.values.values()))
    spread = math.hypot(of_a.sd or 0.0, of_b.sd or 0.0)
    return _answer(a, b, fewest, (of_a.mean or 0.0) - (of_b.mean or 0.0), spread, alpha, paired=False)


def _answer(
    a: Cell, b: Cell, n: int, difference: float | None, sd: float | None, alpha: float, *, paired: bool
) -> SeedsNeeded:
    known = difference and sd
    seeds = seeds_needed(abs(difference) / sd, alpha, POWER, paired=paired) if known and difference and sd else None
    return SeedsNeeded(a=dict(a.factors), b=dict(b.factors), n=n, seeds=seeds, alpha=alpha)
