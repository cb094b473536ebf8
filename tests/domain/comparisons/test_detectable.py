"""The differences that a study detects, before it is trained."""

import math

import numpy as np
import pytest
from scipy import stats

from service.domain.comparisons.detectable import ASSUMED_CORRELATION, ASSUMED_SD, Detectable, detectable


def power(n: int, difference: float, sd: float, alpha: float) -> float:
    """The power of a paired t test by simulation: 40,000 studies with a fixed seed."""
    rng = np.random.default_rng(7)
    draws = rng.normal(difference, sd, (40_000, n))
    return float(np.mean(stats.ttest_1samp(draws, 0, axis=1).pvalue <= alpha))


@pytest.mark.parametrize(("reference", "pairs"), [(True, 4), (False, 10)])
def test_detectable_is_found_in_four_of_five_simulated_studies(reference: bool, pairs: int) -> None:
    plan = detectable(None, 5, 5, [], reference=reference)
    assert plan.difference is not None
    assert (plan.pairs, plan.spreads_known) == (pairs, 0)
    sd = ASSUMED_SD * math.sqrt(2 * (1 - ASSUMED_CORRELATION))
    assert power(5, plan.difference, sd, 0.05 / pairs) == pytest.approx(0.8, abs=0.01)


def test_detectable_needs_fewer_seeds_for_larger_differences() -> None:
    differences = [detectable(None, n, 5, [0.0026], reference=True).difference for n in (2, 3, 4, 5, 10, 30)]
    assert differences == sorted(differences, key=lambda difference: -(difference or 0))


def test_detectable_uses_the_median_and_the_widest_spread_of_earlier_runs() -> None:
    plan = detectable("depth", 5, 5, [0.0022, 0.0024, 0.0026, 0.0046, 0.0131], reference=True)
    alike = detectable("depth", 5, 5, [0.0026], reference=True)
    assert (plan.difference, plan.grid, plan.spreads_known) == (alike.difference, "depth", 5)
    assert plan.difference is not None
    assert plan.difference_widest is not None
    assert plan.difference_widest > 3 * plan.difference
    assert "for the group that varies most" in plan.text
    assert "In earlier runs of 5 of the 5 groups, the sd between seeds is 0.22 to 1.3 points." in plan.text


@pytest.mark.parametrize(
    ("seeds", "groups", "text"),
    [
        (1, 5, "One seed in each group allows no test: no difference can be found."),
        (5, 1, "There is one group, which is compared with nothing."),
    ],
)
def test_detectable_without_a_test_says_why(seeds: int, groups: int, text: str) -> None:
    plan: Detectable = detectable(None, seeds, groups, [], reference=False)
    assert (plan.difference, plan.difference_widest, plan.text) == (None, None, text)
