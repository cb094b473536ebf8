"""Power and the seeds needed, against scipy's distribution and against simulated studies."""

import math

import numpy as np
import pytest
from scipy import special, stats

from service.domain.statistics.power import MOST_SEEDS, detectable_difference, paired_power, seeds_needed, welch_power


@pytest.mark.parametrize("n", [3, 5, 20, 300])
@pytest.mark.parametrize("effect", [0.0, 0.2, 0.4])
def test_power_against_scipy(n: int, effect: float) -> None:
    for power, freedom in ((paired_power(n, effect, 0.05), n - 1), (welch_power(n, effect, 0.05), 2 * (n - 1))):
        critical, law = stats.t.isf(0.025, freedom), stats.nct(freedom, effect * math.sqrt(n))
        assert power == pytest.approx(float(law.sf(critical) + law.cdf(-critical)), abs=1e-9)


def test_seeds_needed_in_the_textbook_case() -> None:
    """Two-sided 5 % and 80 % power: 34 pairs for half an sd of the differences, 64 a side for half an sd of the values
    (Cohen 1988, tables 2.3 and 2.4)."""
    assert seeds_needed(0.5, 0.05, 0.8, paired=True) == 34
    assert seeds_needed(0.5 / math.sqrt(2), 0.05, 0.8, paired=False) == 64


@pytest.mark.parametrize("effect", [0.03, 0.3, 0.9, 3.0, 30.0, 1e6])
def test_seeds_needed_is_the_fewest(effect: float) -> None:
    seeds = seeds_needed(effect, 0.005, 0.8, paired=True)
    assert seeds is not None
    assert paired_power(seeds, effect, 0.005) >= 0.8
    assert seeds == 3 or paired_power(seeds - 1, effect, 0.005) < 0.8


def test_power_where_scipys_series_gives_nan() -> None:
    critical = float(stats.t.isf(0.025, 598))
    assert math.isnan(special.nctdtr(598, 0.6 * math.sqrt(300), -critical))  # less than 1e-30
    assert welch_power(300, 0.6, 0.05) == pytest.approx(1.0)


def test_seeds_needed_beyond_the_most_is_none() -> None:
    assert seeds_needed(1e-6, 0.05, 0.8, paired=True) is None
    assert paired_power(MOST_SEEDS, 1e-6, 0.05) < 0.8


def test_seeds_needed_separate_four_of_five_simulated_studies() -> None:
    n = seeds_needed(1.0, 0.05, 0.8, paired=True)
    assert n == 10
    draws = np.random.default_rng(5).normal(1.0, 1.0, size=(20_000, 10))
    separated = np.asarray(stats.ttest_1samp(draws, 0.0, axis=1).pvalue) <= 0.05
    assert separated.mean() == pytest.approx(0.803, abs=0.01)


@pytest.mark.parametrize(("n", "reference", "pairs"), [(3, True, 4), (4, False, 10), (5, True, 4), (30, False, 10)])
def test_detectable_difference_has_the_power(n: int, reference: bool, pairs: int) -> None:
    least = detectable_difference(0.003, n, 5, reference=reference, correlation=0.5)
    assert least is not None
    power_of, of_a_difference = (paired_power, 1.0) if n >= 5 else (welch_power, math.sqrt(2))
    assert power_of(n, least / (0.003 * of_a_difference), 0.05 / pairs) == pytest.approx(0.8, abs=1e-6)


def test_detectable_difference_needs_two_seeds_and_two_groups() -> None:
    assert detectable_difference(0.003, 1, 5, reference=True) is None
    assert detectable_difference(0.003, 5, 1, reference=False) is None
    assert detectable_difference(0.0, 5, 2, reference=False) == 0.0


def test_detectable_difference_is_found_in_three_of_four_simulated_studies() -> None:
    least = detectable_difference(1.0, 4, 2, reference=False)
    assert least is not None
    a, b = np.random.default_rng(6).normal(size=(2, 20_000, 4))
    found = np.asarray(stats.ttest_ind(a + least, b, axis=1, equal_var=False).pvalue) <= 0.05
    assert found.mean() == pytest.approx(0.756, abs=0.01)  # Welch estimates its degrees of freedom, which costs power
