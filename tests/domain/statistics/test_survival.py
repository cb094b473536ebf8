"""Kaplan and Meier's median against scipy and by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from service.domain.statistics.survival import Waiting, kaplan_meier


def test_kaplan_meier_by_hand() -> None:
    # Six wait. One arrives at 1: 5/6 left. One leaves unseen at 2. Of four, one arrives at 3: 5/6 * 3/4 = 0.625.
    # Of three, one arrives at 4: 0.625 * 2/3 = 0.417, which is the first below a half.
    assert kaplan_meier([1.0, 3.0, 4.0], [2.0, 9.0, 9.0]) == Waiting(6, 3, 3, 4.0)


def test_kaplan_meier_without_censoring_is_the_time_of_half() -> None:
    assert kaplan_meier([5.0, 1.0, 2.0], []).median == 2.0
    assert kaplan_meier([1.0, 2.0, 3.0, 4.0], []).median == 2.0


def test_kaplan_meier_with_few_events_has_no_median() -> None:
    assert kaplan_meier([1.0], [2.0, 2.0]) == Waiting(3, 1, 2, None)
    assert kaplan_meier([], [3.0]) == Waiting(1, 0, 1, None)
    assert kaplan_meier([], []) == Waiting(0, 0, 0, None)


times = st.lists(st.integers(1, 8).map(float), max_size=8)


@given(times.filter(len), times)
def test_kaplan_meier_against_scipy(reached: list[float], censored: list[float]) -> None:
    survival = stats.ecdf(stats.CensoredData(uncensored=reached, right=censored)).sf
    below = survival.quantiles[np.asarray(survival.probabilities) <= 0.5 + 1e-12]
    assert kaplan_meier(reached, censored).median == (float(below[0]) if len(below) else None)
