"""Each statistic against scipy called directly, against arithmetic done by hand, and where the formula breaks down."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from service.domain import statistics
from service.domain.statistics import TTest

# Accuracies over 10,000 test images, as they come.
accuracies = st.integers(0, 10_000).map(lambda correct: correct / 10_000)
groups = st.lists(accuracies, min_size=2, max_size=12).filter(lambda values: len(set(values)) > 1)
# Spread so that scipy does not lose its own precision: no two differences nearly equal.
wide_pairs = st.lists(st.tuples(accuracies, accuracies), min_size=3, max_size=12).filter(
    lambda pairs: statistics.describe([a - b for a, b in pairs]).sd not in (None, 0.0)
)
confidences = st.sampled_from([0.95, 0.99, 1 - 0.05 / 45])


def close(expected: float) -> object:
    return pytest.approx(expected, rel=1e-9, abs=1e-12)


def must(test: TTest | None) -> TTest:
    assert test is not None
    return test


# --- one group


def test_describe_by_hand() -> None:
    # mean 12 / 4 = 3; squares 4 + 1 + 0 + 9 = 14, sd = sqrt(14 / 3); the middle of 2 and 3 is 2.5
    summary = statistics.describe([1.0, 2.0, 3.0, 6.0])
    assert (summary.n, summary.mean, summary.median, summary.min, summary.max) == (4, 3.0, 2.5, 1.0, 6.0)
    assert summary.sd == close(math.sqrt(14 / 3))


@given(groups)
def test_describe_against_scipy(values: list[float]) -> None:
    summary, expected = statistics.describe(values), stats.describe(values)
    assert summary.mean == close(float(expected.mean))
    assert summary.sd == close(math.sqrt(float(expected.variance)))
    assert (summary.min, summary.max) == expected.minmax


def test_describe_nothing_and_one() -> None:
    assert vars(statistics.describe([])) == {
        "n": 0, "mean": None, "sd": None, "median": None, "min": None, "max": None,
    }  # fmt: skip
    assert vars(statistics.describe([0.5])) == {
        "n": 1, "mean": 0.5, "sd": None, "median": 0.5, "min": 0.5, "max": 0.5,
    }  # fmt: skip


@given(accuracies, st.integers(2, 20))
def test_constant_group_has_its_own_mean_and_no_spread(value: float, n: int) -> None:
    summary = statistics.describe([value] * n)
    assert (summary.mean, summary.sd) == (value, 0.0)
    assert statistics.mean_interval([value] * n) == (value, value)


def test_mean_interval_by_hand() -> None:
    # mean 2, sd 1, n 3: 2 +- 4.302653 / sqrt(3) = 2 +- 2.484138 (t tables, 2 degrees of freedom, 97.5%)
    assert statistics.mean_interval([1.0, 2.0, 3.0]) == pytest.approx((-0.484138, 4.484138), abs=1e-6)


@given(groups, confidences)
def test_mean_interval_against_scipy(values: list[float], confidence: float) -> None:
    expected = stats.t.interval(
        confidence, len(values) - 1, loc=stats.describe(values).mean, scale=float(stats.sem(values))
    )
    assert statistics.mean_interval(values, confidence) == pytest.approx(tuple(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_mean_interval_needs_two(values: list[float]) -> None:
    assert statistics.mean_interval(values) is None


# --- two groups


def test_paired_t_by_hand() -> None:
    # Differences 0.01, 0.02, 0.03: mean 0.02, sd 0.01, standard error 0.01 / sqrt(3), t = 2 sqrt(3) = 3.4641.
    # With 2 degrees of freedom p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14) = 0.0741799.
    # Interval 0.02 +- 4.302653 * 0.01 / sqrt(3) = 0.02 +- 0.0248414. Exact tests: at least 2 / 2^3.
    # The sds are 0.02 and 0.01: s_av = sqrt(0.0005 / 2) = 0.0158114; correction for 2: 1 / sqrt(pi).
    test = must(statistics.paired_t([0.90, 0.92, 0.94], [0.89, 0.90, 0.91], 0.95))
    assert test.test == "paired t"
    assert test.difference == close(0.02)
    assert test.p == close(1 - math.sqrt(12 / 14))
    assert test.interval == pytest.approx((-0.0048414, 0.0448414), abs=1e-7)
    assert test.p_attainable == 0.25
    assert test.hedges_g == close(0.02 / math.sqrt(0.00025) / math.sqrt(math.pi))


def test_welch_t_by_hand() -> None:
    # Means 2 and 5; variances 2 and 0; standard error sqrt(2 / 2) = 1; t = -3. All of the error is a's: 1 degree of
    # freedom, a Cauchy law: p = 1 - 2 / pi * atan(3); interval -3 +- 12.7062. Pooled sd sqrt((2 + 0) / 2) = 1,
    # correction for 2: 1 / sqrt(pi). Exact tests: 2 of C(4, 2) = 6 orders.
    test = must(statistics.welch_t([1.0, 3.0], [5.0, 5.0], 0.95))
    assert test.test == "Welch t"
    assert test.difference == -3.0
    assert test.p == close(1 - 2 / math.pi * math.atan(3))
    assert test.interval == pytest.approx((-15.7062, 9.7062), abs=1e-4)
    assert test.p_attainable == close(1 / 3)
    assert test.hedges_g == close(-3 / math.sqrt(math.pi))


@given(wide_pairs, confidences)
def test_paired_t_against_scipy(pairs: list[tuple[float, float]], confidence: float) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    test, expected = must(statistics.paired_t(a, b, confidence)), stats.ttest_rel(a, b)
    assert test.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert test.interval == pytest.approx(tuple(expected.confidence_interval(confidence)), rel=1e-9, abs=1e-12)


@given(groups, groups, confidences)
def test_welch_t_against_scipy(a: list[float], b: list[float], confidence: float) -> None:
    test, expected = must(statistics.welch_t(a, b, confidence)), stats.ttest_ind(a, b, equal_var=False)
    assert test.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert test.interval == pytest.approx(tuple(expected.confidence_interval(confidence)), rel=1e-9, abs=1e-12)


@given(groups, groups)
def test_swapping_the_sides_mirrors_the_answer(a: list[float], b: list[float]) -> None:
    there, back = must(statistics.welch_t(a, b, 0.95)), must(statistics.welch_t(b, a, 0.95))
    assert there.p == back.p
    assert there.difference == -back.difference
    assert there.hedges_g == pytest.approx(-(back.hedges_g or 0.0))


def test_constant_difference_has_no_interval_and_the_smallest_attainable_p() -> None:
    # 0.92 - 0.91 and 0.91 - 0.90 differ in the last bit; they are one difference. s_av = 0.01, so g is defined.
    test = must(statistics.paired_t([0.90, 0.91, 0.92], [0.89, 0.90, 0.91], 0.95))
    assert (test.interval, test.p, test.p_attainable) == (None, 0.25, 0.25)
    assert test.difference == close(0.01)
    assert test.hedges_g == close(1 / math.sqrt(math.pi))


def test_equal_groups_are_one() -> None:
    test = must(statistics.paired_t([0.1 + 0.2, 0.5, 0.7], [0.3, 0.5, 0.7], 0.95))
    assert (test.difference, test.interval, test.p, test.hedges_g) == (0.0, None, 1.0, 0.0)


@pytest.mark.parametrize(
    ("run", "p_attainable"), [(statistics.paired_t, 0.25), (statistics.welch_t, 0.1)], ids=["paired", "Welch"]
)
def test_two_constant_groups(run: Callable[..., TTest | None], p_attainable: float) -> None:
    test = must(run([0.1135] * 3, [0.098] * 3, 0.95))
    assert (test.interval, test.p, test.hedges_g) == (None, p_attainable, None)
    test = must(run([0.1135] * 3, [0.1135] * 3, 0.95))
    assert (test.difference, test.interval, test.p, test.hedges_g) == (0.0, None, 1.0, 0.0)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_values_for_a_test(n: int) -> None:
    assert statistics.paired_t([0.5] * n, [0.4] * n, 0.95) is None
    assert statistics.welch_t([0.5] * n, [0.4, 0.5], 0.95) is None
    assert statistics.welch_t([0.4, 0.5], [0.5] * n, 0.95) is None


def test_paired_t_of_two_pairs_has_no_effect_size() -> None:
    test = must(statistics.paired_t([0.5, 0.7], [0.4, 0.3], 0.95))
    assert test.hedges_g is None
    assert test.p == close(float(stats.ttest_rel([0.5, 0.7], [0.4, 0.3]).pvalue))


@pytest.mark.parametrize("scale", [1e-100, 1e-50, 1.0, 1e50, 1e100])
def test_units_change_neither_p_nor_effect(scale: float) -> None:
    a, b = [0.2, 0.5, 0.4], [0.1, 0.2, 0.35]
    for run in (statistics.paired_t, statistics.welch_t):
        plain, scaled = must(run(a, b, 0.95)), must(run([v * scale for v in a], [v * scale for v in b], 0.95))
        assert scaled.p == pytest.approx(plain.p)
        assert scaled.hedges_g == pytest.approx(plain.hedges_g)


def test_seeds_choose_the_test() -> None:
    a = {0: 0.91, 1: 0.93, 2: 0.92, 3: 0.94}
    paired = statistics.t_test_by_seed(a, {3: 0.90, 1: 0.91, 2: 0.89, 9: 0.10}, 0.95)
    assert paired == statistics.paired_t([0.93, 0.92, 0.94], [0.91, 0.89, 0.90], 0.95)
    unpaired = statistics.t_test_by_seed(a, {2: 0.89, 3: 0.90, 9: 0.88}, 0.95)
    assert unpaired == statistics.welch_t([0.91, 0.93, 0.92, 0.94], [0.89, 0.90, 0.88], 0.95)


# --- effect sizes, corrections, counts


@pytest.mark.parametrize("freedom", [2, 3, 8, 50, 400])
def test_hedges_correction_against_scipy(freedom: int) -> None:
    exact = float(special.poch((freedom - 1) / 2, 0.5)) / math.sqrt(freedom / 2)
    assert statistics.hedges_g(2.0, 4.0, freedom) == pytest.approx(exact / 2)
    assert statistics.hedges_g(2.0, 4.0, freedom) == pytest.approx((1 - 3 / (4 * freedom - 1)) / 2, rel=0.02)


def test_holm_by_hand() -> None:
    # Ascending 0.01, 0.03, 0.04: 3 * 0.01 = 0.03; 2 * 0.03 = 0.06; 1 * 0.04 = 0.04, raised to the 0.06 before it.
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([]) == []
    assert statistics.holm([0.6, 0.6]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from([0.01, 0.05, 0.5]))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float], alpha: float) -> None:
    adjusted = statistics.holm(p_values)
    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    assert sum(p <= alpha for p in adjusted) == _rejected(p_values, alpha)


def _rejected(p_values: list[float], alpha: float) -> int:
    """Holm's procedure as he wrote it: reject from the smallest on, until one is above alpha / (m - i)."""
    for rejected, p in enumerate(sorted(p_values)):
        if (len(p_values) - rejected) * p > alpha:
            return rejected
    return len(p_values)


def test_rank_ranges_by_hand() -> None:
    # 0 beats 2, nothing else is known: 0 is 1st or 2nd, 1 anything, 2 is 2nd or 3rd.
    assert statistics.rank_ranges(3, [(0, 2)]) == [(1, 2), (1, 3), (2, 3)]
    assert statistics.rank_ranges(2, [(1, 0)]) == [(2, 2), (1, 1)]
    assert statistics.rank_ranges(0, []) == []


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_smallest_sign_flip_p_against_scipy(n: int) -> None:
    differences = [float(step) for step in range(1, n + 1)]
    expected = float(stats.wilcoxon(differences, method="exact").pvalue)
    assert statistics.smallest_sign_flip_p(n) == pytest.approx(expected)


def test_smallest_p_without_values() -> None:
    assert statistics.smallest_sign_flip_p(0) == 1.0
    assert statistics.smallest_rank_sum_p(0, 3) == 1.0


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (2, 2), (3, 3), (2, 5), (5, 5)])
def test_smallest_rank_sum_p_against_scipy(n_a: int, n_b: int) -> None:
    above, below = [10.0 + step for step in range(n_a)], [float(step) for step in range(n_b)]
    expected = float(stats.mannwhitneyu(above, below, method="exact").pvalue)
    assert statistics.smallest_rank_sum_p(n_a, n_b) == pytest.approx(expected)


def test_fisher_by_hand() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4. Tables with 4 events: 1, 16, 36, 16, 1 of 70; no likelier than 16: 34 / 70.
    assert statistics.fisher_exact(3, 4, 1, 4) == 34 / 70


@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15), st.integers(0, 15))
def test_fisher_against_scipy(events_a: int, others_a: int, events_b: int, others_b: int) -> None:
    expected = stats.fisher_exact(np.array([[events_a, others_a], [events_b, others_b]])).pvalue
    got = statistics.fisher_exact(events_a, events_a + others_a, events_b, events_b + others_b)
    assert got == pytest.approx(float(expected), rel=1e-9)


def test_rates() -> None:
    assert vars(statistics.compare_rates(1, 4, 0, 0)) == {"rate_a": 0.25, "rate_b": None, "fisher_p": 1.0}
