"""The number of seeds that would show the difference of a pair, or decide it."""

import math
from collections.abc import Sequence

from service.domain.comparisons.answer import ALPHA, POWER, SeedsNeeded, SeedsToDecide
from service.domain.comparisons.cells import Cell
from service.domain.statistics.power import approximate_seeds, approximate_seeds_for_equivalence, seeds_needed
from service.domain.statistics.summary import describe
from service.domain.statistics.t_tests import Side, TTest

FEWEST_SEEDS = 5
FEWEST_SEEDS_OF_A_PAIR = 3


def seeds_for_the_best(ordered: Sequence[Cell], sides: Sequence[Side]) -> SeedsNeeded | None:
    """Return the estimate for the first pair of a family: the two best groups, or the best other one and the reference.

    `ordered` has the best mean first. The two are paired where they have at least 5 seeds in common, else taken as two
    samples of at least 5 each. None with fewer seeds, or where runs of either diverged.
    """
    if not sides:
        return None
    a, b = (ordered[index] for index in sides[0])
    if a.n_diverged or b.n_diverged:
        return None
    common = sorted(a.values.keys() & b.values.keys())
    alpha = ALPHA / len(sides)
    if len(common) >= FEWEST_SEEDS:
        differences = describe([a.values[seed] - b.values[seed] for seed in common])
        return _answer(a, b, len(common), differences.mean, differences.sd, alpha, paired=True)
    fewest = min(len(a.values), len(b.values))
    if fewest < FEWEST_SEEDS:
        return None
    of_a, of_b = describe(list(a.values.values())), describe(list(b.values.values()))
    spread = math.hypot(of_a.sd or 0.0, of_b.sd or 0.0)
    return _answer(a, b, fewest, (of_a.mean or 0.0) - (of_b.mean or 0.0), spread, alpha, paired=False)


def seeds_to_decide(test: TTest, pairs: int, half_width: float | None) -> SeedsToDecide | None:
    """Return the estimate for an undecided pair of a family of so many; None below 3 seeds.

    `half_width` is the margin in the unit of the difference, None without one.
    """
    if test.n < FEWEST_SEEDS_OF_A_PAIR:
        return None
    alpha = ALPHA / max(1, pairs)
    distance = abs(test.difference)
    for_difference = approximate_seeds(distance, test.spread, alpha, POWER)
    for_equivalence = (
        None
        if half_width is None
        else approximate_seeds_for_equivalence(half_width - distance, test.spread, alpha, POWER)
    )
    if for_difference is None and for_equivalence is None:
        return SeedsToDecide(more=None, n=test.n, finding=None)
    if for_difference is None or (for_equivalence is not None and for_equivalence < for_difference):
        return SeedsToDecide(more=max(1, (for_equivalence or 0) - test.n), n=test.n, finding="equivalence")
    return SeedsToDecide(more=max(1, for_difference - test.n), n=test.n, finding="difference")


def _answer(
    a: Cell, b: Cell, n: int, difference: float | None, sd: float | None, alpha: float, *, paired: bool
) -> SeedsNeeded:
    known = difference and sd
    seeds = seeds_needed(abs(difference) / sd, alpha, POWER, paired=paired) if known and difference and sd else None
    return SeedsNeeded(a=dict(a.factors), b=dict(b.factors), n=n, seeds=seeds, alpha=alpha)
