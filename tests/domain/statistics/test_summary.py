"""Figures of one group against scipy, against arithmetic by hand, and at the edges of the formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.domain.statistics.summary import (
    describe,
    mean_interval,
    moments,
    prediction_interval,
    proportion_interval,
)
from tests.domain.statistics.values import accuracies, close, confidences, groups


def test_describe_by_hand() -> None:
    # mean 12 / 4 = 3; squares 4 + 1 + 0 + 9 = 14, sd = sqrt(14 / 3); the middle of 2 and 3 is 2.5
    summary = describe([1.0, 2.0, 3.0, 6.0])
    assert (summary.n, summary.mean, summary.median, summary.min, summary.max) == (4, 3.0, 2.5, 1.0, 6.0)
    assert summary.sd == close(math.sqrt(14 / 3))


@given(groups)
def test_describe_against_scipy(values: list[float]) -> None:
    summary, expected = describe(values), stats.describe(values)
    assert summary.mean == close(float(expected.mean))
    assert summary.sd == close(math.sqrt(float(expected.variance)))
    assert (summary.min, summary.max) == expected.minmax


def test_describe_no_value_and_one_value() -> None:
    assert vars(describe([])) == {
        "n": 0, "mean": None, "sd": None, "median": None, "min": None, "max": None,
    }  # fmt: skip
    assert vars(describe([0.5])) == {
        "n": 1, "mean": 0.5, "sd": None, "median": 0.5, "min": 0.5, "max": 0.5,
    }  # fmt: skip


@given(accuracies, st.integers(2, 20))
def test_describe_a_constant_group_has_no_spread(value: float, n: int) -> None:
    summary = describe([value] * n)
    assert (summary.mean, summary.sd) == (value, 0.0)
    assert mean_interval([value] * n) == (value, value)


def test_mean_interval_by_hand() -> None:
    # mean 2, sd 1, n 3: 2 +- 4.302653 / sqrt(3) = 2 +- 2.484138 (t tables, 2 degrees of freedom, 97.5%)
    assert mean_interval([1.0, 2.0, 3.0]) == pytest.approx((-0.484138, 4.484138), abs=1e-6)


@given(groups, confidences)
def test_mean_interval_against_scipy(values: list[float], confidence: float) -> None:
    expected = stats.t.interval(
        confidence, len(values) - 1, loc=stats.describe(values).mean, scale=float(stats.sem(values))
    )
    assert mean_interval(values, confidence) == pytest.approx(tuple(expected), rel=1e-9, abs=1e-12)


@given(st.integers(1, 60_000), st.floats(0, 1), confidences)
def test_proportion_interval_against_scipy(n: int, share: float, confidence: float) -> None:
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert proportion_interval(hits, n, confidence) == pytest.approx(tuple(expected), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("values", [[], [0.5]])
def test_mean_interval_needs_two_values(values: list[float]) -> None:
    assert mean_interval(values) is None


def test_prediction_interval_by_hand() -> None:
    # mean 2, sd 1, n 3: 2 +- 4.302653 * sqrt(1 + 1 / 3) = 2 +- 4.968276
    assert prediction_interval([1.0, 2.0, 3.0]) == pytest.approx((-2.968276, 6.968276), abs=1e-6)
    assert prediction_interval([1.0]) is None


def test_prediction_interval_has_its_nominal_coverage() -> None:
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(4_000, 5))
    intervals = [prediction_interval(row[:4].tolist()) for row in draws]
    inside = [
        low <= row[4] <= high
        for row, (low, high) in zip(draws, (interval or (0, 0) for interval in intervals), strict=True)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors


@given(st.lists(st.lists(st.none() | accuracies, min_size=4, max_size=4), min_size=1, max_size=5))
def test_moments_of_rows_with_holes(rows: list[list[float | None]]) -> None:
    values = np.array([[0.0 if value is None else value for value in row] for row in rows])
    n, mean, sd = moments(values, np.array([[value is not None for value in row] for row in rows]))
    for place, row in enumerate(rows):
        expected = describe([value for value in row if value is not None])
        assert n[place] == expected.n
        assert mean[place] == (pytest.approx(expected.mean) if expected.n else pytest.approx(math.nan, nan_ok=True))
        assert sd[place] == (
            pytest.approx(expected.sd, abs=1e-15) if expected.n > 1 else pytest.approx(math.nan, nan_ok=True)
        )
