"""Main effects, seeds needed, and pairs where Holm and the interval disagree."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.comparisons.answer import Comparison, Effect
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import MOST_PAIRS, compare
from service.domain.errors import Invalid
from service.domain.statistics.power import paired_power
from service.domain.statistics.summary import mean_interval

ACTIVATIONS, SIZES = ("relu", "tanh"), (32, 64, 128)


def grid(value: Callable[[str, int, int], float], seeds: int = 4) -> list[Cell]:
    """Return cells of activation by batch size, each over the same seeds."""
    return [
        Cell({"activation": name, "batch_size": size}, {seed: value(name, size, seed) for seed in range(seeds)})
        for name in ACTIVATIONS
        for size in SIZES
    ]


def effect(comparison: Comparison, factor: str) -> Effect:
    return next(effect for effect in comparison.effects if effect.factor == factor)


def additive(name: str, size: int, seed: int) -> float:
    """tanh costs 0.01, each doubling of the batch 0.03; seeds shift all alike, and rows are not quite parallel."""
    return 0.9 - 0.01 * (name == "tanh") - 0.03 * SIZES.index(size) + 0.002 * seed + 0.0001 * seed * (size == 64)


# --- main effects


def test_effects_marginal_means_by_hand() -> None:
    comparison = compare(grid(additive), "test_accuracy")
    size = effect(comparison, "batch_size")
    # Over both activations: 0.895 + seed shift; the shifts average 0.003, those of 64 another 0.00015.
    assert [level.value for level in size.levels] == [32, 64, 128]
    assert [level.mean for level in size.levels] == pytest.approx([0.898, 0.86815, 0.838])
    assert size.range == pytest.approx(0.06)
    assert (size.n, size.n_left_out, size.combinations, size.n_combinations_left_out) == (4, 0, 2, 0)
    activation = effect(comparison, "activation")
    assert [level.value for level in activation.levels] == ["relu", "tanh"]
    assert activation.range == pytest.approx(0.01)
    assert (size.range or 0) > (activation.range or 0)  # batch size matters more than activation


def test_effects_intervals_are_over_seeds_and_simultaneous_for_ranges() -> None:
    rng = random.Random(4)
    noise = {(name, size, seed): rng.gauss(0, 0.003) for name in ACTIVATIONS for size in SIZES for seed in range(4)}
    cells = grid(lambda name, size, seed: additive(name, size, seed) + noise[name, size, seed])
    size = effect(compare(cells, "test_accuracy"), "batch_size")
    means = {
        level: [
            sum(cell.values[seed] for cell in cells if cell.factors["batch_size"] == level) / 2 for seed in range(4)
        ]
        for level in SIZES
    }
    assert size.levels[0].interval == pytest.approx(mean_interval(means[32]))
    differences = [best - worst for best, worst in zip(means[32], means[128], strict=True)]
    assert size.range_interval == pytest.approx(mean_interval(differences, 1 - 0.05 / 3))


def test_effects_leave_out_a_seed_that_one_cell_lacks() -> None:
    cells = grid(additive)
    cells[0] = Cell(cells[0].factors, {seed: v for seed, v in cells[0].values.items() if seed != 3}, n_diverged=1)
    main_effect = effect(compare(cells, "test_accuracy"), "batch_size")
    assert (main_effect.n, main_effect.n_left_out) == (3, 1)
    assert [level.mean for level in main_effect.levels] == pytest.approx([0.897, 0.8671, 0.837])


def test_effects_leave_out_a_combination_that_one_level_lacks() -> None:
    cells = grid(additive)
    cells[3] = Cell(cells[3].factors, {}, n_failed=4)  # tanh at 32: tanh says nothing of batch sizes any more
    comparison = compare(cells, "test_accuracy")
    size, activation = effect(comparison, "batch_size"), effect(comparison, "activation")
    assert (size.n, size.combinations, size.n_combinations_left_out) == (4, 1, 1)
    assert (activation.combinations, activation.n_combinations_left_out) == (2, 1)
    assert activation.range == pytest.approx(0.01)


def test_effects_without_common_seeds_give_the_reason() -> None:
    apart = [Cell(cell.factors, {place: 0.9}) for place, cell in enumerate(grid(additive))]
    assert effect(compare(apart, "test_accuracy"), "activation").reason == "No seed has a value in every cell."
    diagonal = [
        cell for cell in grid(additive) if (cell.factors["activation"] == "relu") == (cell.factors["batch_size"] == 32)
    ]
    main_effect = effect(compare(diagonal, "test_accuracy"), "activation")
    assert (main_effect.levels, main_effect.range, main_effect.range_interval) == ([], None, None)
    assert main_effect.reason == "No combination of the other factors has a value at every level."


def test_effects_of_one_seed_have_no_intervals() -> None:
    main_effect = effect(compare(grid(additive, seeds=1), "test_loss"), "batch_size")
    assert [level.value for level in main_effect.levels] == [128, 64, 32]  # of a loss, less is better
    assert {level.interval for level in main_effect.levels} | {main_effect.range_interval} == {None}
    assert main_effect.range == pytest.approx(-0.06)


def test_effects_of_one_factor_are_empty() -> None:
    cells = [cell for cell in grid(additive) if cell.factors["batch_size"] == 32]
    assert compare(cells, "test_accuracy").effects == []


@given(st.randoms(use_true_random=False))
def test_effects_are_independent_of_the_order_of_cells(rng: random.Random) -> None:
    cells = grid(additive)
    shuffled = rng.sample(cells, len(cells))
    assert compare(shuffled, "test_accuracy").model_dump_json() == compare(cells, "test_accuracy").model_dump_json()


# --- seeds needed


def two(a: list[float], b: list[float], first: int = 0) -> list[Cell]:
    return [Cell({"activation": "relu"}, dict(enumerate(a))), Cell({"activation": "tanh"}, dict(enumerate(b, first)))]


def test_seeds_for_the_best_use_differences_by_seed() -> None:
    a, shifts = [0.95, 0.96, 0.94, 0.95, 0.97], [0.001, 0.003, -0.001, 0.002, 0.0]  # mean 0.001, sd 0.00158
    needed = compare(two(a, [x - d for x, d in zip(a, shifts, strict=True)]), "test_accuracy").seeds_needed
    assert needed is not None
    assert (needed.a, needed.b, needed.n, needed.alpha) == ({"activation": "relu"}, {"activation": "tanh"}, 5, 0.05)
    effect_size = 0.001 / math.sqrt(2.5e-6)
    assert needed.seeds is not None
    assert paired_power(needed.seeds, effect_size, 0.05) >= 0.8 > paired_power(needed.seeds - 1, effect_size, 0.05)
    assert needed.estimate


def test_seeds_for_the_best_without_common_seeds() -> None:
    a, b = [0.95, 0.96, 0.94, 0.95, 0.97], [0.94, 0.95, 0.93, 0.94, 0.96]
    needed = compare(two(a, b, first=5), "test_accuracy").seeds_needed
    assert needed is not None
    assert needed.seeds == 22  # 0.01 over an sd of 0.0114: d = 0.877; n = 22 a side (Cohen's d 0.88 at 80 %)


@pytest.mark.parametrize(
    ("cells", "seeds"),
    [(two([0.9] * 4, [0.8] * 4), "none"), (two([0.9] * 5, [0.9] * 5), None), (two([0.9] * 5, [0.8] * 5), None),
     ([Cell({"activation": "relu"}, {}, n_diverged=1), Cell({"activation": "tanh"}, {})], "none"),
     ([Cell({"activation": "relu"})], "none"), ([], "none")],
    ids=["four seeds", "no difference", "no spread", "diverged", "one group", "nothing"],
)  # fmt: skip
def test_seeds_for_the_best_without_an_answer(cells: list[Cell], seeds: str | None) -> None:
    needed = compare(cells, "test_accuracy").seeds_needed
    assert needed is None if seeds == "none" else needed is not None and needed.seeds is None


def test_seeds_for_the_best_are_of_a_pair_of_the_family() -> None:
    relu, tanh = two([0.95, 0.96, 0.94, 0.95, 0.97], [0.948, 0.961, 0.937, 0.95, 0.969])
    sigmoid = Cell({"activation": "sigmoid"}, dict(enumerate([0.88, 0.9, 0.87, 0.91, 0.89])))
    needed = compare([relu, tanh, sigmoid], "test_accuracy", versus={"activation": "sigmoid"}).seeds_needed
    assert needed is not None
    assert (needed.a, needed.b, needed.alpha) == ({"activation": "relu"}, {"activation": "sigmoid"}, 0.025)


def test_seeds_for_the_best_grow_with_the_pairs() -> None:
    a, b = [0.95, 0.96, 0.94, 0.95, 0.97], [0.948, 0.961, 0.937, 0.95, 0.969]
    third = Cell({"activation": "step"}, dict(enumerate([0.1, 0.11, 0.1, 0.12, 0.1])))
    alone, among = (compare(cells, "test_accuracy").seeds_needed for cells in (two(a, b), [*two(a, b), third]))
    assert alone is not None
    assert among is not None
    assert (alone.seeds or 0) < (among.seeds or 0)


# --- the family


def test_compare_marks_a_pair_where_holm_and_the_interval_disagree() -> None:
    """The largest of three p values is compared with 0.05 by Holm, and with 0.05 / 3 by Bonferroni's interval."""
    base = [0.950, 0.951, 0.952, 0.953, 0.954, 0.955]
    bits = [0.0002, 0.0010, -0.0001, 0.0008, 0.0004, 0.0009]
    cells = two(base, [x - d for x, d in zip(base, bits, strict=True)])
    cells.append(Cell({"activation": "step"}, {seed: 0.1 + 0.001 * seed**2 for seed in range(6)}))
    comparison = compare(cells, "test_accuracy")
    pair = comparison.pairs[0]
    assert pair.p is not None
    assert 0.05 / 3 < pair.p <= 0.05
    assert pair.interval is not None
    assert pair.interval[0] <= 0 <= pair.interval[1]
    assert (pair.verdict, pair.interval_disagrees, comparison.family.disagreements) == ("better", True, 1)
    assert [pair.interval_disagrees for pair in comparison.pairs[1:]] == [False, False]
    assert pair.wilcoxon_p == 4 / 64


def test_compare_refuses_too_many_pairs_with_a_remedy() -> None:
    cells = [Cell({"activation": f"f{place}"}, {0: 0.5}) for place in range(202)]
    with pytest.raises(Invalid, match="compare the others with"):
        compare(cells, "test_accuracy")
    assert len(compare(cells, "test_accuracy", {"activation": "f7"}).pairs) == 201
    assert MOST_PAIRS < 201 * 202 // 2
