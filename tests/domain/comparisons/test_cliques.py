"""Mean ranks, and sets of groups that are not separated."""

import random
from collections.abc import Set
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from service.domain.comparisons.answer import Comparison, Pair
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.cliques import mean_ranks, not_different
from service.domain.comparisons.compare import compare

Side = tuple[int, int]


def make_cells(count: int) -> list[Cell]:
    return [Cell({"activation": f"f{place}"}, {0: 1 - place / 100, 1: 1 - place / 100}) for place in range(count)]


def with_verdicts(count: int, separated: Set[Side], verdict: str = "undecided") -> Comparison:
    """Return a comparison of groups, the best first, of which only these pairs are separated."""
    comparison = compare(make_cells(count), "test_accuracy")
    names = [group.factors for group in comparison.groups]
    pairs = [
        Pair.model_validate({"a": names[a], "b": names[b], "verdict": "better" if (a, b) in separated else verdict})
        for a, b in combinations(range(count), 2)
    ]
    return comparison.model_copy(update={"pairs": pairs})


@pytest.mark.parametrize("verdict", ["undecided", "equivalent", "not tested", "undecided (diverged)"])
def test_not_different_overlap_where_differences_are_not_transitive(verdict: str) -> None:
    assert not_different(with_verdicts(4, {(0, 2), (0, 3), (1, 3)}, verdict)) == [[0, 1], [1, 2], [2, 3]]


def test_not_different_leaves_out_single_groups_and_groups_without_figures() -> None:
    assert not_different(with_verdicts(3, {(0, 1), (0, 2)})) == [[1, 2]]
    assert not_different(with_verdicts(2, {(0, 1)})) == []
    empty = compare([*make_cells(2), Cell({"activation": "none"})], "test_accuracy")
    assert all(2 not in clique for clique in not_different(empty))


@pytest.mark.parametrize("seed", range(20))
def test_not_different_finds_every_largest_set(seed: int) -> None:
    draw, count = random.Random(seed), 7
    separated = {side for side in combinations(range(count), 2) if draw.random() < 0.5}
    whole = [set(some) for size in range(2, count + 1) for some in combinations(range(count), size)
             if not separated & set(combinations(some, 2))]  # fmt: skip
    largest = [some for some in whole if not any(some < other for other in whole)]
    assert not_different(with_verdicts(count, separated)) == sorted(map(sorted, largest))


def test_mean_ranks_are_over_common_seeds() -> None:
    cells = [
        Cell({"activation": "a"}, {0: 0.9, 1: 0.7, 2: 0.99}),
        Cell({"activation": "b"}, {0: 0.8, 1: 0.8}),
        Cell({"activation": "c"}, {0: 0.8, 1: 0.1}),
    ]
    ranks = mean_ranks(compare(cells, "test_accuracy"), cells)
    assert ranks == {0: 1.5, 1: 1.75, 2: 2.75}  # a: 1, 2; b: 2.5, 1; c: 2.5, 3
    assert mean_ranks(compare(cells, "test_loss"), cells) == {0: 1.25, 1: 2.25, 2: 2.5}  # c, b, a: least first


def test_mean_ranks_without_common_seeds_follow_the_means() -> None:
    cells = [Cell({"activation": "a"}, {0: 0.7}), Cell({"activation": "b"}, {1: 0.8}), Cell({"activation": "c"})]
    assert mean_ranks(compare(cells, "test_accuracy"), cells) == {0: 1.0, 1: 2.0}


def test_mean_ranks_agree_with_scipy() -> None:
    draw = np.random.default_rng(0)
    values = draw.integers(0, 4, size=(6, 5)) / 4  # groups by seeds, with ties
    cells = [Cell({"activation": f"f{place}"}, dict(enumerate(row))) for place, row in enumerate(values.tolist())]
    comparison = compare(cells, "test_loss")
    ranks = rankdata(values, axis=0).mean(axis=1)
    expected = {f"f{place}": rank for place, rank in enumerate(ranks)}
    names = [str(group.factors["activation"]) for group in comparison.groups]
    for place, rank in mean_ranks(comparison, cells).items():
        assert rank == pytest.approx(expected[names[place]])
