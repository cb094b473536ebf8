"""Corrections for many tests, and ranks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.statistics.families import holm, rank_ranges


def test_holm_by_hand() -> None:
    # Ascending 0.01, 0.03, 0.04: 3 * 0.01 = 0.03; 2 * 0.03 = 0.06; 1 * 0.04 = 0.04, raised to the 0.06 before it.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    assert holm([0.6, 0.6]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.sampled_from([0.01, 0.05, 0.5]))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values: list[float], alpha: float) -> None:
    adjusted = holm(p_values)
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
    assert rank_ranges(3, [(0, 2)]) == [(1, 2), (1, 3), (2, 3)]
    assert rank_ranges(2, [(1, 0)]) == [(2, 2), (1, 1)]
    assert rank_ranges(0, []) == []
