"""Corrections for many tests, and ranks."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.statistics import families
from service.domain.statistics.families import holm, most_true, rank_ranges, shaffer


def pairs_of(groups: int) -> list[tuple[int, int]]:
    return list(itertools.combinations(range(groups), 2))


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


def test_shaffer_by_hand() -> None:
    # Three groups. Of 3 hypotheses all can be true; once one is false, of the two left only one can: 3, 1, 1.
    assert shaffer([0.01, 0.04, 0.03], pairs_of(3), 3) == pytest.approx([0.03, 0.04, 0.03])
    assert shaffer([], [], 0) == []
    assert shaffer([0.2], [(0, 1)], 2) == [0.2]


@pytest.mark.parametrize(
    ("groups", "multipliers"),
    [
        # The table of Garcia and Herrera (2008), section 3.3, for four and five groups.
        (4, [6, 3, 3, 3, 2, 1]),
        (5, [10, 6, 6, 6, 6, 4, 4, 3, 2, 1]),
    ],
)
def test_shaffer_by_number_has_the_published_multipliers(
    groups: int, multipliers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "MOST_GROUPS_WITH_LOGIC", 0)
    p_values = [1e-9 * 100**place for place in range(5)] + [0.5] * (len(multipliers) - 5)
    adjusted = shaffer(p_values, pairs_of(groups), groups)
    assert adjusted[:5] == pytest.approx([p * by for p, by in zip(p_values, multipliers[:5], strict=False)])
    assert list(families._possible_by_number(groups)) == multipliers


@given(st.integers(2, 6), st.randoms(use_true_random=False))
def test_most_true_counts_the_largest_partition(groups: int, rng: object) -> None:
    assert isinstance(groups, int)
    pairs = pairs_of(groups)
    false = [pair for pair in pairs if rng.random() < 0.4]  # type: ignore[attr-defined]
    allowed = (
        sum(math.comb(len(members), 2) for members in partition)
        for partition in _partitions(list(range(groups)))
        if not any(a in members and b in members for a, b in false for members in partition)
    )
    assert most_true(groups, false) == max(allowed)


def _partitions(items: list[int]) -> Iterator[list[list[int]]]:
    if not items:
        yield []
        return
    first, *rest = items
    for partition in _partitions(rest):
        yield [[first], *partition]
        for place, members in enumerate(partition):
            yield [*partition[:place], [first, *members], *partition[place + 1 :]]


@given(st.integers(2, 7), st.data())
def test_shaffer_lies_between_the_p_values_and_holm(groups: int, data: st.DataObject) -> None:
    pairs = pairs_of(groups)
    p_values = data.draw(st.lists(st.floats(0, 1), min_size=len(pairs), max_size=len(pairs)))
    adjusted = shaffer(p_values, pairs, groups)
    for p, after, of_holm in zip(p_values, adjusted, holm(p_values), strict=True):
        assert p <= after <= of_holm


@given(st.integers(2, 6), st.data())
def test_shaffer_multiplies_by_what_can_still_be_true(groups: int, data: st.DataObject) -> None:
    pairs = pairs_of(groups)
    p_values = data.draw(st.permutations([10.0 ** -(9 + place) for place in range(len(pairs))]))
    adjusted = shaffer(p_values, pairs, groups)
    order = sorted(range(len(pairs)), key=lambda index: p_values[index])
    for rejected, index in enumerate(order):
        possible = max(1, most_true(groups, [pairs[before] for before in order[:rejected]]))
        floor = adjusted[order[rejected - 1]] if rejected else 0.0
        assert adjusted[index] == pytest.approx(max(floor, possible * p_values[index]))


def test_shaffer_of_many_groups_is_by_number() -> None:
    p_values = [1e-9, *[0.9] * (math.comb(11, 2) - 1)]
    assert shaffer(p_values, pairs_of(11), 11)[0] == pytest.approx(55e-9)
    assert families._possible_by_number(11)[1] == math.comb(10, 2)
    assert families._possible_by_number(200)[0] == math.comb(200, 2)


@pytest.mark.parametrize("groups", [5, 12])
def test_shaffer_rejects_a_true_hypothesis_in_few_simulated_families(groups: int) -> None:
    # Half of the groups are equal, the others far apart: the case in which a step-down procedure has most to lose.
    rng = np.random.default_rng(4)
    pairs, equal = pairs_of(groups), set(range(groups // 2 + 1))
    false_calls = 0
    for _ in range(1000):
        means = rng.normal(size=groups) + [0 if group in equal else 40 * group for group in range(groups)]
        p_values = [math.erfc(abs(means[a] - means[b]) / 2) for a, b in pairs]
        adjusted = shaffer(p_values, pairs, groups)
        false_calls += any(p <= 0.05 and {a, b} <= equal for p, (a, b) in zip(adjusted, pairs, strict=True))
    assert false_calls / 1000 <= 0.065


def test_rank_ranges_by_hand() -> None:
    # 0 beats 2, nothing else is known: 0 is 1st or 2nd, 1 anything, 2 is 2nd or 3rd.
    assert rank_ranges(3, [(0, 2)]) == [(1, 2), (1, 3), (2, 3)]
    assert rank_ranges(2, [(1, 0)]) == [(2, 2), (1, 1)]
    assert rank_ranges(0, []) == []
