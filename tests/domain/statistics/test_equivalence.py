"""Equivalence within a margin, and tests on the scale of the logarithm of the errors."""

import math

import numpy as np
import pytest
from scipy import stats

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.comparisons.metrics import METRICS
from service.domain.statistics.equivalence import Margin
from service.domain.statistics.power import (
    approximate_seeds,
    approximate_seeds_for_equivalence,
    seeds_needed,
)
from service.domain.statistics.seed_table import seed_table
from service.domain.statistics.summary import within
from service.domain.statistics.t_tests import TTest, t_tests

IMAGES = 1000


def one_test(a: list[float], b: list[float], *, shares: bool = False, margin: Margin | None = None) -> TTest:
    images = [IMAGES, IMAGES] if shares else []
    (test,) = t_tests(
        seed_table([dict(enumerate(a)), dict(enumerate(b))]), [(0, 1)], 0.95, images=images, margin=margin
    )
    assert test is not None
    return test


def test_relative_margin_tests_the_ratio_of_the_means() -> None:
    # The difference a - 1.05 b is below 0, and a - b / 1.05 above: each by a one-sample t test.
    a, b = np.array([10.1, 10.3, 9.9, 10.2]), np.array([10.0, 10.25, 10.05, 10.1])
    expected = max(
        stats.ttest_1samp(a - 1.05 * b, 0, alternative="less").pvalue,
        stats.ttest_1samp(a - b / 1.05, 0, alternative="greater").pvalue,
    )
    test = one_test(a.tolist(), b.tolist(), margin=Margin(0.05, relative=True))
    assert test.p_equivalence == pytest.approx(float(expected), abs=1e-9)
    swapped = one_test(b.tolist(), a.tolist(), margin=Margin(0.05, relative=True))
    assert swapped.p_equivalence == pytest.approx(test.p_equivalence, rel=0.2)


def test_margin_of_each_kind_of_metric() -> None:
    assert METRICS["test_accuracy"].margin(0.005) == Margin(0.005)
    assert METRICS["test_loss"].margin(0.05) == Margin(0.05, relative=True)
    assert METRICS["learning_speed"].margin(0.05) == Margin(math.log1p(0.05))
    assert METRICS["seconds"].margin(0.0) is None


def test_equal_values_are_equivalent_only_with_the_spread_of_rounding() -> None:
    equal = [0.96, 0.97, 0.95, 0.96, 0.97]
    assert one_test(equal, equal, margin=Margin(0.005)).p_equivalence == 0.0625  # five equal differences prove little
    of_shares = one_test(equal, equal, shares=True, margin=Margin(0.005))
    error = 1 / (math.sqrt(3) * IMAGES) / math.sqrt(5)
    assert of_shares.p_equivalence == pytest.approx(float(stats.t.sf(0.005 / error, 4)), abs=1e-9)


@pytest.mark.parametrize("n", [3, 4])
def test_log_errors_against_scipy(n: int) -> None:
    a, b = [0.960, 0.955, 0.958, 0.963][:n], [0.905, 0.886, 0.911, 0.9][:n]
    test = one_test(a, b, shares=True)
    scaled = [-np.log((IMAGES * (1 - np.array(values)) + 0.5) / (IMAGES + 1)) for values in (a, b)]
    welch = stats.ttest_ind(*scaled, equal_var=False)
    freedom = n - 1 + 2 / 3 * (welch.df - (n - 1))
    assert test.test == "Welch t of log errors"
    assert test.p == pytest.approx(2 * float(stats.t.sf(abs(welch.statistic), freedom)), rel=1e-9)
    assert test.difference == pytest.approx(np.mean(a) - np.mean(b))


def test_log_errors_of_groups_without_spread_have_that_of_rounding() -> None:
    test = one_test([1.0, 1.0, 1.0], [0.99, 0.99, 0.99], shares=True)
    assert test.interval is not None
    assert 0 < test.p < 0.05
    assert -1 <= test.interval[0] <= test.interval[1] <= 1


def test_log_errors_of_unequal_sizes_have_the_freedom_of_the_smaller() -> None:
    a = {seed: 0.96 + 0.001 * (seed % 3) for seed in range(3)}
    b = {100 + seed: 0.95 + 0.001 * (seed % 4) for seed in range(7)}
    (test,) = t_tests(seed_table([a, b]), [(0, 1)], 0.95, images=[IMAGES, IMAGES])
    assert test is not None
    scaled = [-np.log((IMAGES * (1 - np.array(list(row.values()))) + 0.5) / (IMAGES + 1)) for row in (a, b)]
    error = math.hypot(*(np.std(row, ddof=1) / math.sqrt(len(row)) for row in scaled))
    t = (scaled[0].mean() - scaled[1].mean()) / error
    assert test.p == pytest.approx(2 * float(stats.t.sf(abs(t), 2)), rel=1e-9)


def test_least_variance_of_differences_is_that_of_rounding() -> None:
    a, b = [0.960, 0.961, 0.962, 0.963, 0.964], [0.959, 0.960, 0.961, 0.962, 0.963]
    error = 1 / (math.sqrt(3) * IMAGES) / math.sqrt(5)
    assert one_test(a, b, shares=True).p == pytest.approx(2 * float(stats.t.sf(0.001 / error, 4)), rel=1e-6)


@pytest.mark.parametrize("effect", [0.4, 0.7, 1.0, 1.5])
@pytest.mark.parametrize("alpha", [0.05, 0.005])
def test_approximate_seeds_are_within_one_of_the_exact_number(effect: float, alpha: float) -> None:
    exact = seeds_needed(effect, alpha, 0.8, paired=True)
    about, none, too_many = approximate_seeds(np.array([effect, 0.0, 1e-3]), np.ones(3), alpha, 0.8)
    assert exact is not None
    assert abs(exact - about) <= 1
    assert (none, too_many) == (math.inf, math.inf)


def test_approximate_seeds_for_equivalence_have_the_power() -> None:
    (seeds,) = approximate_seeds_for_equivalence(np.array([0.005]), np.array([0.005]), 0.05, 0.8).astype(int)
    assert seeds == 10  # at a true difference of 0
    draws = np.random.default_rng(2).normal(0, 0.005, (20_000, seeds))
    error = draws.std(axis=1, ddof=1) / math.sqrt(seeds)
    found = stats.t.sf((0.005 - np.abs(draws.mean(axis=1))) / error, seeds - 1) <= 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


def test_within_keeps_what_lies_on_the_scale() -> None:
    assert within((-0.1, 0.4), 0.0, 1.0) == (0.0, 0.4)
    assert within((0.9, 1.2), 0.0, 1.0) == (0.9, 1.0)
    assert within(None, 0.0, 1.0) is None


@pytest.mark.parametrize("seeds", [3, 5])
def test_group_intervals_near_1_cover_as_often_as_students(seeds: int) -> None:
    # Errors of 1 % with a sd of 0.3 points, gamma distributed, so that none is below 0.
    rng = np.random.default_rng(1)
    covered = of_student = 0
    for _ in range(1000):
        values = np.round((1 - rng.gamma(100 / 9, 0.0009, seeds)) * IMAGES) / IMAGES
        cell = Cell({"activation": "relu"}, dict(enumerate(values.tolist())), images=IMAGES)
        (group,) = compare([cell], "test_accuracy").groups
        assert group.interval is not None
        assert 0 <= group.interval[0] <= group.interval[1] <= 1
        covered += group.interval[0] <= 0.99 <= group.interval[1]
        half = float(stats.t.isf(0.025, seeds - 1)) * values.std(ddof=1) / math.sqrt(seeds)
        of_student += abs(values.mean() - 0.99) <= half + 1e-12
    assert covered == of_student
    assert covered / 1000 >= 0.92


@pytest.mark.parametrize(("seeds", "correlation"), [(3, 0.0), (4, 0.0), (5, 0.7)])
def test_compare_calls_few_groups_equivalent_that_differ_by_the_margin(seeds: int, correlation: float) -> None:
    rng = np.random.default_rng(3)
    wrong = right = 0
    for _ in range(400):
        shared = rng.normal(0, 0.002, seeds) * math.sqrt(correlation)
        rows = {
            name: mean + shared + rng.normal(0, 0.002, seeds) * math.sqrt(1 - correlation)
            for name, mean in (("a", 0.960), ("b", 0.955), ("c", 0.965))
        }
        cells = [
            Cell({"activation": name}, dict(enumerate((np.round(row * IMAGES) / IMAGES).tolist())), images=IMAGES)
            for name, row in rows.items()
        ]
        pairs = compare(cells, "test_accuracy", {"activation": "a"}).pairs
        wrong += any(pair.within_margin for pair in pairs)
        right += all(pair.verdict in ("better", "worse", "undecided") for pair in pairs)
    assert wrong / 400 <= 0.083  # 5 %, and three standard errors
    assert right >= 400 - wrong
