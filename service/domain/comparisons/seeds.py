"""The number of seeds that would show the difference of a pair, or decide it."""

import math
from collections.abc import Sequence

import numpy as np

from service.domain.comparisons.answer import ALPHA, POWER, Finding, SeedsNeeded, SeedsToDecide
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


def seeds_to_decide(
    tests: Sequence[TTest], pairs: int, half_widths: Sequence[float] | None
) -> list[SeedsToDecide | None]:
    """Return the estimates for undecided pairs of a family of so many `pairs`; None below 3 seeds.

    `half_widths` are the margins in the unit of the differences, None without a margin.
    """
    if not tests:
        return []
    differences, spreads = np.array([(test.difference, test.spread) for test in tests]).T
    distances, alpha = np.abs(differences), ALPHA / max(1, pairs)
    for_difference = approximate_seeds(distances, spreads, alpha, POWER)
    for_equivalence = (
        np.full(len(tests), np.inf)
        if half_widths is None
        else approximate_seeds_for_equivalence(np.array(half_widths) - distances, spreads, alpha, POWER)
    )
    return [
        None if test.n < FEWEST_SEEDS_OF_A_PAIR else _estimate(test.n, *seeds)
        for test, *seeds in zip(tests, for_difference.tolist(), for_equivalence.tolist(), strict=True)
    ]


def _estimate(n: int, for_difference: float, for_equivalence: float) -> SeedsToDecide:
    """Return the estimate by the finding that takes fewer seeds; an infinite number is beyond what is given."""
    fewest = min(for_difference, for_equivalence)
    if math.isinf(fewest):
        return _to_decide(None, n, None)
    return _to_decide(max(1, int(fewest) - n), n, "equivalence" if for_equivalence < for_difference else "difference")


def _to_decide(more: int | None, n: int, finding: Finding | None) -> SeedsToDecide:
    values = {"more": more, "n": n, "finding": finding, "power": POWER, "estimate": True}
    return SeedsToDecide.unchecked(values)


def _answer(
    a: Cell, b: Cell, n: int, difference: float | None, sd: float | None, alpha: float, *, paired: bool
) -> SeedsNeeded:
    known = difference and sd
    seeds = seeds_needed(abs(difference) / sd, alpha, POWER, paired=paired) if known and difference and sd else None
    return SeedsNeeded(a=dict(a.factors), b=dict(b.factors), n=n, seeds=seeds, alpha=alpha)
