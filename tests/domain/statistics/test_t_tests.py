"""t tests of pairs against scipy, against arithmetic by hand, and at the edges of the formula."""

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from service.domain.statistics import t_tests as module
from service.domain.statistics.seed_table import seed_table
from service.domain.statistics.t_tests import TTest, hedges_g, t_tests
from tests.domain.statistics.values import accuracies, close, confidences, groups, wide_pairs


def must(test: TTest | None) -> TTest:
    assert test is not None
    return test


def paired_t(a: Sequence[float], b: Sequence[float], confidence: float) -> TTest | None:
    return t_tests(seed_table([dict(enumerate(a)), dict(enumerate(b))]), [(0, 1)], confidence)[0]


def welch_t(a: Sequence[float], b: Sequence[float], confidence: float) -> TTest | None:
    return t_tests(seed_table([dict(enumerate(a)), dict(enumerate(b, start=len(a)))]), [(0, 1)], confidence)[0]


def test_paired_t_by_hand() -> None:
    # Differences 0.01, 0.02, 0.03: mean 0.02, sd 0.01, standard error 0.01 / sqrt(3), t = 2 sqrt(3) = 3.4641.
    # With 2 degrees of freedom p = 1 - t / sqrt(t^2 + 2) = 1 - sqrt(12 / 14) = 0.0741799.
    # Interval 0.02 +- 4.302653 * 0.01 / sqrt(3) = 0.02 +- 0.0248414. Exact tests: at least 2 / 2^3.
    # The sds are 0.02 and 0.01: s_av = sqrt(0.0005 / 2) = 0.0158114; correction for 2: 1 / sqrt(pi).
    test = must(paired_t([0.90, 0.92, 0.94], [0.89, 0.90, 0.91], 0.95))
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
    test = must(welch_t([1.0, 3.0], [5.0, 5.0], 0.95))
    assert test.test == "Welch t"
    assert test.difference == -3.0
    assert test.p == close(1 - 2 / math.pi * math.atan(3))
    assert test.interval == pytest.approx((-15.7062, 9.7062), abs=1e-4)
    assert test.p_attainable == close(1 / 3)
    assert test.hedges_g == close(-3 / math.sqrt(math.pi))


@given(wide_pairs, confidences)
def test_paired_t_against_scipy(pairs: list[tuple[float, float]], confidence: float) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    test, expected = must(paired_t(a, b, confidence)), stats.ttest_rel(a, b)
    assert test.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert test.interval == pytest.approx(tuple(expected.confidence_interval(confidence)), rel=1e-9, abs=1e-12)


@given(groups, groups, confidences)
def test_welch_t_against_scipy(a: list[float], b: list[float], confidence: float) -> None:
    test, expected = must(welch_t(a, b, confidence)), stats.ttest_ind(a, b, equal_var=False)
    assert test.p == pytest.approx(float(expected.pvalue), rel=1e-6, abs=1e-12)
    assert test.interval == pytest.approx(tuple(expected.confidence_interval(confidence)), rel=1e-9, abs=1e-12)


@given(groups, groups)
def test_t_tests_of_swapped_sides_mirror_each_other(a: list[float], b: list[float]) -> None:
    there, back = must(welch_t(a, b, 0.95)), must(welch_t(b, a, 0.95))
    assert there.p == close(back.p)
    assert there.difference == close(-back.difference)
    assert there.hedges_g == pytest.approx(-(back.hedges_g or 0.0))


def test_paired_t_of_a_constant_difference_has_the_smallest_attainable_p() -> None:
    # 0.92 - 0.91 and 0.91 - 0.90 differ in the last bit; they are one difference. s_av = 0.01, so g is defined.
    test = must(paired_t([0.90, 0.91, 0.92], [0.89, 0.90, 0.91], 0.95))
    assert (test.interval, test.p, test.p_attainable) == (None, 0.25, 0.25)
    assert test.difference == close(0.01)
    assert test.hedges_g == close(1 / math.sqrt(math.pi))


def test_t_tests_of_equal_groups_have_p_1() -> None:
    test = must(paired_t([0.1 + 0.2, 0.5, 0.7], [0.3, 0.5, 0.7], 0.95))
    assert (test.difference, test.interval, test.p, test.hedges_g) == (0.0, None, 1.0, 0.0)


@pytest.mark.parametrize(("run", "p_attainable"), [(paired_t, 0.25), (welch_t, 0.1)], ids=["paired", "Welch"])
def test_t_tests_of_two_constant_groups(run: Callable[..., TTest | None], p_attainable: float) -> None:
    test = must(run([0.1135] * 3, [0.098] * 3, 0.95))
    assert (test.interval, test.p, test.hedges_g) == (None, p_attainable, None)
    test = must(run([0.1135] * 3, [0.1135] * 3, 0.95))
    assert (test.difference, test.interval, test.p, test.hedges_g) == (0.0, None, 1.0, 0.0)


@pytest.mark.parametrize("n", [0, 1])
def test_t_tests_need_two_values_a_side(n: int) -> None:
    assert paired_t([0.5] * n, [0.4] * n, 0.95) is None
    assert welch_t([0.5] * n, [0.4, 0.5], 0.95) is None
    assert welch_t([0.4, 0.5], [0.5] * n, 0.95) is None


def test_t_tests_do_not_pair_two_common_seeds() -> None:
    (test,) = t_tests(seed_table([{0: 0.5, 1: 0.7}, {0: 0.4, 1: 0.3}]), [(0, 1)], 0.95)
    assert must(test).test == "Welch t"


@pytest.mark.parametrize("scale", [1e-100, 1e-50, 1.0, 1e50, 1e100])
def test_t_tests_are_independent_of_the_unit(scale: float) -> None:
    a, b = [0.2, 0.5, 0.4], [0.1, 0.2, 0.35]
    for run in (paired_t, welch_t):
        plain, scaled = must(run(a, b, 0.95)), must(run([v * scale for v in a], [v * scale for v in b], 0.95))
        assert scaled.p == pytest.approx(plain.p)
        assert scaled.hedges_g == pytest.approx(plain.hedges_g)


def test_t_tests_choose_the_test_by_seeds() -> None:
    a = {0: 0.91, 1: 0.93, 2: 0.92, 3: 0.94}
    b, c = {3: 0.90, 1: 0.91, 2: 0.89, 9: 0.10}, {2: 0.89, 3: 0.90, 9: 0.88}
    alone = t_tests(seed_table([{9: 1.0}, *(a, b, c)]), [(1, 2), (1, 3), (0, 2), (3, 1)], 0.95)
    assert alone[0] == paired_t([0.93, 0.92, 0.94], [0.91, 0.89, 0.90], 0.95)
    assert alone[1] == welch_t([0.91, 0.93, 0.92, 0.94], [0.89, 0.90, 0.88], 0.95)
    assert alone[2] is None
    assert must(alone[3]).difference == -must(alone[1]).difference


@given(st.lists(st.dictionaries(st.integers(0, 5), accuracies, max_size=6), min_size=2, max_size=4))
def test_t_tests_of_a_family_are_those_of_each_pair_alone(values: list[dict[int, float]]) -> None:
    sides = list(itertools.combinations(range(len(values)), 2))
    together = t_tests(seed_table(values), sides, 0.99)
    for (a, b), test in zip(sides, together, strict=True):
        alone = t_tests(seed_table([values[a], values[b]]), [(0, 1)], 0.99)[0]
        assert (test is None) == (alone is None)
        if test is not None and alone is not None:  # summed in another order: equal but for rounding
            assert [test.test, test.wilcoxon_p, test.interval is None] == [
                alone.test,
                alone.wilcoxon_p,
                alone.interval is None,
            ]
            assert (test.difference, test.p, test.hedges_g) == pytest.approx(
                (alone.difference, alone.p, alone.hedges_g)
            )


def test_t_tests_in_portions_are_those_of_the_whole_family(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = [dict(enumerate(rng.normal(0.9, 0.01, 7).tolist())) for _ in range(6)]
    sides = list(itertools.combinations(range(6), 2))
    whole = t_tests(seed_table(values), sides, 0.95)
    monkeypatch.setattr(module, "AT_ONCE", 20)
    assert t_tests(seed_table(values), sides, 0.95) == whole


@given(st.lists(st.tuples(accuracies, accuracies), min_size=6, max_size=12, unique_by=lambda pair: pair[0] - pair[1]))
def test_paired_t_has_the_wilcoxon_p_beside_it(pairs: list[tuple[float, float]]) -> None:
    test = must(paired_t([a for a, _ in pairs], [b for _, b in pairs], 0.95))
    assert test.wilcoxon_p is not None
    assert must(paired_t([0.3, 0.4, 0.5, 0.6, 0.8], [0.1] * 5, 0.95)).wilcoxon_p is None
    assert must(welch_t([0.3] * 6, [0.2, 0.4] * 3, 0.95)).wilcoxon_p is None


# --- effect sizes


@pytest.mark.parametrize("freedom", [2, 3, 8, 50, 400])
def test_hedges_g_correction_against_scipy(freedom: int) -> None:
    exact = float(special.poch((freedom - 1) / 2, 0.5)) / math.sqrt(freedom / 2)
    (g,) = hedges_g(np.array([2.0]), np.array([4.0]), np.array([float(freedom)]))
    assert g == pytest.approx(exact / 2)
    assert g == pytest.approx((1 - 3 / (4 * freedom - 1)) / 2, rel=0.02)


def test_hedges_g_is_nan_without_spread_or_freedom() -> None:
    g = hedges_g(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 1.0]), np.array([4.0, 4.0, 1.0]))
    assert g[0] == 0.0
    assert np.isnan(g[1:]).all()
