"""The procedures that the benchmark of power compares, and those of comparisons on its designs."""

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from benchmarks import power
from benchmarks.power import Design, by_seeds, chosen, designs, false_calls, procedures, real_runs
from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.statistics.seed_table import seed_table
from service.domain.statistics.t_tests import t_tests

RUNS: Mapping[str, Mapping[str, float]] = real_runs()["test_accuracy"]


def cells(names: list[str], seeds: tuple[int, ...]) -> list[Cell]:
    return [Cell({"activation": name}, {seed: RUNS[name][str(seed)] for seed in seeds}, images=1000) for name in names]


@pytest.mark.parametrize("versus", [None, {"activation": "relu"}], ids=["all pairs", "one group"])
def test_compare_finds_sigmoid_and_tanh_worse_in_every_subset(versus: dict[str, str] | None) -> None:
    names = list(RUNS)
    for seeds in itertools.combinations(range(12), 5):
        pairs = {
            (pair.a["activation"], pair.b["activation"]): pair.verdict
            for pair in compare(cells(names, seeds), "test_accuracy", versus).pairs
        }
        for worse in ("sigmoid", "tanh"):
            assert pairs.get(("relu", worse)) == "better" or pairs.get((worse, "relu")) == "worse", seeds


@pytest.mark.parametrize(("reference", "seeds", "least"), [(False, 3, 0.85), (True, 3, 0.99), (False, 4, 0.99)])
def test_chosen_procedure_finds_sigmoid_worse_than_relu(reference: bool, seeds: int, least: float) -> None:
    shares = power.found(chosen(reference=reference), seeds, reference=reference)
    assert shares["relu and sigmoid (0.067)"] >= least
    before = power.found(procedures(reference=reference)["paired t, Holm"], seeds, reference=reference)
    assert all(shares[gap] >= before[gap] for gap in shares)


@pytest.mark.parametrize(
    "design",
    [Design(4, 3), Design(4, 4, spreads="1:5"), Design(4, 5, correlation=0.7), Design(4, 3, own_seeds=10),
     Design(4, 5, own_seeds=5), Design(4, 5, images=360)],
    ids=lambda design: design.title,
)  # fmt: skip
def test_by_seeds_has_the_p_values_of_comparisons(design: Design) -> None:
    values = design.draw(20)
    first = 0 if design.own_seeds is None else 100  # apart, so that no seeds are common
    for study, p_values in zip(values, by_seeds(design, values), strict=True):
        groups = [
            {first * place + seed: float(value) for seed, value in enumerate(row) if not np.isnan(value)}
            for place, row in enumerate(study)
        ]
        sides = list(itertools.combinations(range(design.groups), 2))
        tests = t_tests(seed_table(groups), sides, 0.95, images=[design.images] * design.groups)
        assert [test.p for test in tests if test] == pytest.approx(p_values.tolist(), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [design for place, design in enumerate(designs()) if design.groups <= 8 and place % 9 == 0],
    ids=lambda design: f"{'one group' if design.reference else 'all pairs'}, {design.title}",
)
def test_chosen_procedure_calls_few_false_differences(design: Design) -> None:
    # 400 studies: 5 %, and three standard errors.
    assert false_calls(design, chosen(reference=design.reference), 400) <= 0.083


@pytest.mark.nightly
@pytest.mark.parametrize("reference", [False, True], ids=["all pairs", "one group"])
def test_chosen_procedure_calls_few_false_differences_in_every_design(reference: bool) -> None:
    every_design = [design for design in [*designs(), *power.UNPAIRED] if design.reference == reference]
    for design in every_design:
        share = false_calls(design, chosen(reference=reference), 2000)
        if share > power.MOST_FALSE_CALLS:  # of hundreds of shares some are too high by chance
            again = design.draw(20_000, part=1)
            calls = chosen(reference=reference)(design, again)
            share = float(calls[:, design.without_difference()].any(axis=1).mean())
        assert share <= power.MOST_FALSE_CALLS, design.title


def test_critical_t_against_dunnetts_table() -> None:
    # Dunnett (1964), two-sided 5 %: 2.65 for 4 groups and 20 degrees of freedom, 3.03 for 2 groups and 5.
    assert power._critical_t(4, 20) == pytest.approx(2.65, abs=0.01)
    assert power._critical_t(2, 5) == pytest.approx(3.03, abs=0.01)


def test_paired_t_and_welch_t_against_scipy() -> None:
    design = Design(2, 6, spreads="1:5")
    values = design.draw(50)
    expected = stats.ttest_rel(values[:, 0], values[:, 1], axis=1).pvalue
    assert power.paired_t(design, values)[:, 0] == pytest.approx(expected, rel=1e-9)
    expected = stats.ttest_ind(values[:, 0], values[:, 1], axis=1, equal_var=False).pvalue
    assert power.welch_t(design, values)[:, 0] == pytest.approx(expected, rel=1e-9)
