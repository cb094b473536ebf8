"""Exact tests against scipy and against counting by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.domain.statistics.exact import (
    compare_rates,
    fisher_exact,
    smallest_rank_sum_p,
    smallest_sign_flip_ps,
    wilcoxons,
)
from service.domain.statistics.summary import Floats


def wilcoxon(differences: Floats, noise: float = 0.0) -> float | None:
    return wilcoxons(differences[None, :], None, np.array([noise]))[0]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_smallest_sign_flip_p_against_scipy(n: int) -> None:
    differences = [float(step) for step in range(1, n + 1)]
    expected = float(stats.wilcoxon(differences, method="exact").pvalue)
    assert smallest_sign_flip_ps(np.array([n])) == pytest.approx(expected)


def test_smallest_p_without_values_is_1() -> None:
    assert smallest_sign_flip_ps(np.array([0])) == 1.0
    assert smallest_rank_sum_p(0, 3) == 1.0


@pytest.mark.parametrize(("n_a", "n_b"), [(1, 1), (2, 2), (3, 3), (2, 5), (5, 5)])
def test_smallest_rank_sum_p_against_scipy(n_a: int, n_b: int) -> None:
    above, below = [10.0 + step for step in range(n_a)], [float(step) for step in range(n_b)]
    expected = float(stats.mannwhitneyu(above, below, method="exact").pvalue)
    assert smallest_rank_sum_p(n_a, n_b) == pytest.approx(expected)


def test_fisher_by_hand() -> None:
    # Fisher's tea: 3 of 4 against 1 of 4. Tables with 4 events: 1, 16, 36, 16, 1 of 70; no likelier than 16: 34 / 70.
    assert fisher_exact(3, 4, 1, 4) == 34 / 70


@given(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15), st.integers(0, 15))
def test_fisher_against_scipy(events_a: int, others_a: int, events_b: int, others_b: int) -> None:
    expected = stats.fisher_exact(np.array([[events_a, others_a], [events_b, others_b]])).pvalue
    got = fisher_exact(events_a, events_a + others_a, events_b, events_b + others_b)
    assert got == pytest.approx(float(expected), rel=1e-9)


def test_compare_rates_by_hand() -> None:
    assert vars(compare_rates(1, 4, 0, 0)) == {"rate_a": 0.25, "rate_b": None, "fisher_p": 1.0}


def test_wilcoxon_by_hand() -> None:
    # Six differences, all above 0: two of 2^6 signs. Turning the smallest: the sum of the negative ranks is 1; none, 1:
    # two outcomes on each side, 4 / 64. Two ties of ranks 1 and 2, one of them negative: sum 1.5; the sums 0, 1.5
    # (twice) are as far out: 6 / 64.
    assert wilcoxon(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])) == 2 / 64
    assert wilcoxon(np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0])) == 4 / 64
    assert wilcoxon(np.array([-1.0, 1.0, 3.0, 4.0, 5.0, 6.0])) == 6 / 64
    assert wilcoxon(np.zeros(6)) == 1.0
    assert wilcoxon(np.ones(5)) is None
    assert wilcoxon(np.arange(1.0, 52.0)) is None


@given(st.lists(st.integers(-10_000, 10_000), min_size=6, max_size=50, unique_by=abs).filter(lambda row: 0 not in row))
def test_wilcoxon_against_scipy(row: list[int]) -> None:
    differences = np.array(row, dtype=float)
    expected = stats.wilcoxon(differences, method="exact").pvalue
    assert wilcoxon(differences) == pytest.approx(float(expected), rel=1e-9)


@given(st.lists(st.integers(-4, 4), min_size=6, max_size=9).filter(lambda row: len([d for d in row if d]) >= 2))
def test_wilcoxon_with_ties_against_every_sign(row: list[int]) -> None:
    """scipy's exact distribution has no ties; its permutation test has them all."""
    moved = np.array([d for d in row if d], dtype=float)
    ranks = stats.rankdata(np.abs(moved))
    signs = np.array(list(itertools.product([0, 1], repeat=len(moved))))
    sums, seen = signs @ ranks, ranks[moved > 0].sum()
    expected = min(1.0, 2 * min((sums <= seen).mean(), (sums >= seen).mean()))
    assert wilcoxon(np.array(row, dtype=float)) == pytest.approx(expected)


def test_wilcoxon_ties_differences_that_only_rounding_separates() -> None:
    a, b = np.array([0.90, 0.91, 0.92, 0.93, 0.94, 0.95]), np.array([0.91, 0.90, 0.91, 0.92, 0.93, 0.94])
    exact = np.array([-1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert wilcoxon(a - b, noise=8.9e-16) == wilcoxon(exact)


def test_wilcoxons_of_rows_with_gaps_equal_those_of_each_row() -> None:
    numbers = np.random.default_rng(1)
    differences = np.round(numbers.normal(size=(40, 60)), 1)  # with ties and zeros
    mask = numbers.random((40, 60)) < np.linspace(0.05, 1, 40)[:, None]
    noise = np.where(np.arange(40) % 2, 1e-12, 0.0)
    alone = [wilcoxon(row[kept], limit) for row, kept, limit in zip(differences, mask, noise, strict=True)]
    assert {p is None for p in alone} == {True, False}
    assert wilcoxons(differences, mask, noise) == alone
