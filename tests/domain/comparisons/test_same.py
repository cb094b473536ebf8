"""Cells whose runs are equal bit for bit."""

from dataclasses import replace

import pytest

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.comparisons.same import merged, suspects

SWISH, SILU, RELU = ({"activation": name} for name in ("swish", "silu", "relu"))
VALUES = {0: 0.9, 1: 0.92, 2: 0.91}
BITS = {0: "a", 1: "b", 2: "c"}


def names(cells: list[Cell]) -> list[list[object]]:
    return [[factors["activation"] for factors in cell.all_names] for cell in cells]


@pytest.mark.parametrize(
    ("others", "tied"),
    [
        (VALUES, True),
        ({0: 0.9, 1: 0.92}, True),
        (VALUES | {7: 0.5}, True),
        (VALUES | {1: 0.93}, False),
        ({3: 0.9}, False),
        ({}, False),
    ],
    ids=["equal", "fewer seeds", "more seeds", "another value", "no common seed", "no seed"],
)
def test_suspects_have_equal_values_for_common_seeds(others: dict[int, float], tied: bool) -> None:
    cells = [Cell(SWISH, VALUES), Cell(RELU, {0: 0.8}), Cell(SILU, others)]
    assert suspects(cells) == ([cells[0], cells[2]] if tied else [])


@pytest.mark.parametrize(
    ("others", "same"),
    [(BITS, True), ({0: "a"}, True), (BITS | {5: "f"}, True), (BITS | {2: "d"}, False), ({4: "a"}, False), ({}, False)],
)
def test_merged_joins_cells_with_equal_bits_for_common_seeds(others: dict[int, str], same: bool) -> None:
    cells = [Cell(SWISH, VALUES, bits=BITS), Cell(SILU, VALUES, bits=others), Cell(RELU, VALUES)]
    assert names(merged(cells)) == ([["swish", "silu"], ["relu"]] if same else [["swish"], ["silu"], ["relu"]])


def test_merged_keeps_the_factors_of_the_first_or_named_member() -> None:
    cells = [Cell(RELU, {0: 0.1}, bits={0: "r"}), Cell(SILU, VALUES, bits=BITS), Cell(SWISH, VALUES, bits=BITS)]
    assert [cell.factors for cell in merged(cells)] == [RELU, SILU]
    assert names(merged(cells, SWISH)) == [["relu"], ["swish", "silu"]]


def test_merged_counts_each_seed_and_experiment_once() -> None:
    one = Cell(SWISH, {0: 0.9, 1: 0.92}, n_diverged=1, n_failed=1, n_pending=1, n_duplicate=2, bits={0: "a", 1: "b"})
    other = Cell(SILU, {1: 0.92, 5: 0.8}, n_diverged=1, n_pending=2, bits={1: "b", 5: "e"})
    (cell,) = merged([one, replace(other, bits={0: "a", **other.bits})])
    assert cell.values == {0: 0.9, 1: 0.92, 5: 0.8}
    counts = (cell.n_duplicate, cell.n_diverged, cell.n_failed, cell.n_pending)
    assert counts == (3 + 1, 1, 1, 3)
    assert sum(counts) + len(cell.values) == 7 + 5


def test_compare_makes_one_group_of_equal_cells() -> None:
    relu = Cell(RELU, {0: 0.8, 1: 0.83, 2: 0.81})
    cells = [Cell(SWISH, VALUES, bits=BITS), relu, Cell(SILU, VALUES, bits=BITS)]
    comparison = compare(cells, "test_accuracy")
    assert [group.names for group in comparison.groups] == [[SILU, SWISH], [RELU]]
    assert (len(comparison.pairs), comparison.family.pairs) == (1, 1)
    against_swish = compare(cells, "test_accuracy", SWISH)
    assert against_swish.family.versus == SWISH
    assert against_swish.groups[0].names == [SWISH, SILU]
