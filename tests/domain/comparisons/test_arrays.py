"""All pairs of a comparison, computed in arrays, against the same figures computed for one pair after the other."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import special

from service.domain.comparisons.answer import ALPHA, POWER, Comparison, Pair, SeedsToDecide
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.comparisons.seeds import seeds_to_decide
from service.domain.statistics.equivalence import Margin
from service.domain.statistics.families import holm, shaffer
from service.domain.statistics.seed_table import seed_table
from service.domain.statistics.summary import within
from service.domain.statistics.t_tests import TTest, t_tests

IMAGES, MARGIN = 10_000, 0.005
SMALL: dict[str, Any] = {"rel": 1e-12, "abs": 1e-15, "nan_ok": True}


def make_cells(most_seeds: int) -> list[Cell]:
    """Return 13 cells, each with some of the seeds; two have equal values at all of them."""
    numbers = np.random.default_rng(most_seeds)
    values = [
        dict.fromkeys(range(most_seeds), 0.9)
        if group in (4, 5)
        else {
            seed: round(0.9 + group % 5 * 0.004 + numbers.normal(0, 0.002 + group % 3 * 0.004), 4)
            for seed in sorted(numbers.permutation(most_seeds)[: numbers.integers(2, most_seeds + 1)].tolist())
        }
        for group in range(13)
    ]
    return [Cell({"activation": f"f{group}"}, row, images=IMAGES) for group, row in enumerate(values)]


def alone_test(comparison: Comparison, a: Cell, b: Cell) -> TTest:
    confidence, images = comparison.family.interval_confidence, [IMAGES, IMAGES]
    (test,) = t_tests(seed_table([a.values, b.values]), [(0, 1)], confidence, images=images, margin=Margin(MARGIN))
    assert test is not None
    return test


def figures_of(one: Pair | TTest) -> list[float]:
    """Return the figures that a pair has from its test, NaN where there is none."""
    figures = (
        one.difference,
        one.p,
        one.p_attainable,
        one.hedges_g,
        one.wilcoxon_p,
        *(within(one.interval, -1, 1) or (None, None)),
    )
    return [math.nan if figure is None else figure for figure in figures]


def plain_seeds(test: TTest, pairs: int) -> SeedsToDecide | None:
    """Return the estimate of one pair, in scalars."""
    if test.n < 3:
        return None
    distance, alpha = abs(test.difference), ALPHA / pairs
    difference = plain_number(distance, test.spread, alpha / 2, POWER)
    equivalence = plain_number(MARGIN - distance, test.spread, alpha, (1 + POWER) / 2)
    if min(difference, equivalence) == math.inf:
        return SeedsToDecide(more=None, n=test.n, finding=None)
    if equivalence < difference:
        return SeedsToDecide(more=max(1, int(equivalence) - test.n), n=test.n, finding="equivalence")
    return SeedsToDecide(more=max(1, int(difference) - test.n), n=test.n, finding="difference")


def plain_number(distance: float, spread: float, tail: float, power: float) -> float:
    if distance <= 0:
        return math.inf
    z = -float(special.ndtri(tail))
    seeds = ((z + float(special.ndtri(power))) * spread / distance) ** 2 + z * z / 2
    return math.ceil(seeds) if seeds <= 100_000 else math.inf


def plain_adjusted(p_values: Sequence[float]) -> list[float]:
    adjusted, floor = [0.0] * len(p_values), 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        floor = max(floor, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = floor
    return adjusted


@pytest.mark.parametrize("most_seeds", [3, 9, 60])
def test_compare_gives_all_pairs_what_each_gives_alone(most_seeds: int) -> None:
    cells = make_cells(most_seeds)
    by_name = {cell.factors["activation"]: cell for cell in cells}
    comparison = compare(cells, "test_accuracy", margin=MARGIN)
    sides = [(by_name[pair.a["activation"]], by_name[pair.b["activation"]]) for pair in comparison.pairs]
    assert len(sides) == 78
    tests = [alone_test(comparison, a, b) for a, b in sides]
    for pair, test, (a, b) in zip(comparison.pairs, tests, sides, strict=True):
        assert figures_of(pair) == pytest.approx(figures_of(test), **SMALL)
        more = [(x > y) + (x == y) / 2 for x in a.values.values() for y in b.values.values()]
        assert pair.probability_of_improvement == pytest.approx(sum(more) / len(more), **SMALL)
        assert pair.seeds_to_decide == (plain_seeds(test, 78) if pair.verdict == "undecided" else None)
    after_holm = [pair.p_holm for pair in comparison.pairs]
    assert after_holm == pytest.approx(plain_adjusted([test.p for test in tests]), rel=1e-9)


@pytest.mark.parametrize("most_seeds", [3, 9, 60])
def test_compare_builds_pairs_that_validation_accepts(most_seeds: int) -> None:
    comparison = compare(make_cells(most_seeds), "test_accuracy", margin=MARGIN)
    for pair in comparison.pairs:
        assert Pair.model_validate(pair.model_dump()) == pair
        assert Pair.model_validate_json(pair.model_dump_json()) == pair
        assert pair.model_fields_set == set(Pair.model_fields)


def test_compare_refuses_a_figure_that_is_not_finite() -> None:
    cells = [Cell({"activation": name}, dict.fromkeys(range(3), 1e308 * sign)) for name, sign in (("a", 1), ("b", -1))]
    with pytest.raises(ValueError, match="finite"), np.errstate(all="ignore"):
        compare(cells, "test_loss")


def test_seeds_to_decide_without_a_margin_shows_a_difference() -> None:
    test = TTest("paired t", 0.004, (-0.1, 0.1), 0.5, 0.1, 0.5, 5, 0.01)
    (estimate,) = seeds_to_decide([test], 1, None)
    assert estimate is not None
    assert estimate.finding == "difference"
    assert estimate.more == plain_number(0.004, 0.01, ALPHA / 2, POWER) - 5
    assert seeds_to_decide([], 1, None) == []


def test_corrections_of_many_groups_step_down() -> None:
    p_values = np.random.default_rng(5).random(78).tolist()
    sides = list(combinations(range(13), 2))
    assert holm(p_values) == plain_adjusted(p_values)
    # Above ten groups the multipliers follow from the number of hypotheses that are left: 78 at first, then 66.
    adjusted = shaffer(p_values, sides, 13)
    smallest, second = sorted(range(78), key=p_values.__getitem__)[:2]
    assert adjusted[smallest] == min(1.0, 78 * p_values[smallest])
    assert adjusted[second] == max(adjusted[smallest], min(1.0, 66 * p_values[second]))
