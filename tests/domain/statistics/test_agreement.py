"""Our figures against those of statsmodels, pingouin and scikit-posthocs, which `agreement.py` records."""

import json
import math
from itertools import combinations
from typing import Any

import pytest

from service.domain.statistics.equivalence import Margin
from service.domain.statistics.families import holm
from service.domain.statistics.improvement import probabilities_of_more
from service.domain.statistics.seed_table import seed_table
from service.domain.statistics.t_tests import t_tests
from tests.domain.statistics.agreement import FILE

RECORDED: dict[str, list[dict[str, Any]]] = json.loads(FILE.read_text())
CASES, FAMILIES = RECORDED["cases"], RECORDED["families"]
CLOSE = 1e-9


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{len(case['a'])} seeds")
def test_equivalence_against_statsmodels(case: dict[str, Any]) -> None:
    a, b = case["a"], case["b"]
    margin = Margin(case["margin"])
    (paired,) = t_tests(seed_table([dict(enumerate(a)), dict(enumerate(b))]), [(0, 1)], 0.95, margin=margin)
    assert paired is not None
    assert paired.test == "paired t"
    assert paired.p_equivalence == pytest.approx(case["paired_equivalence_p"], abs=CLOSE)
    (welch,) = t_tests(seed_table([dict(enumerate(a)), dict(enumerate(b, start=100))]), [(0, 1)], 0.95, margin=margin)
    assert welch is not None
    assert welch.test == "Welch t"
    assert welch.p_equivalence == pytest.approx(case["welch_equivalence_p"], abs=CLOSE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{len(case['a'])} seeds")
def test_probability_of_more_against_pingouin(case: dict[str, Any]) -> None:
    groups = [dict(enumerate(case["a"])), dict(enumerate(case["b"]))]
    more, less = probabilities_of_more(seed_table(groups), [(0, 1), (1, 0)])
    assert more == pytest.approx(case["probability_of_more"], abs=CLOSE)
    assert less is not None
    assert more is not None
    assert more + less == pytest.approx(1)


def test_probability_of_more_by_counting_each_pair_of_runs() -> None:
    groups = [{0: 0.5, 1: 0.7, 2: 0.7}, {0: 0.7, 1: 0.6}, {4: 0.1}, {}, {0: 0.6}]
    sides = [(0, 1), (1, 0), (0, 2), (2, 1), (3, 0), (4, 0), (2, 0), (1, 4)]
    counted = [
        sum((x > y) + (x == y) / 2 for x in groups[a].values() for y in groups[b].values())
        / (len(groups[a]) * len(groups[b]) or math.nan)
        for a, b in sides
    ]
    # Of the 6 pairs of runs of the first a wins 2, and 2 are tied: 3 / 6.
    assert counted[0] == 0.5
    assert probabilities_of_more(seed_table(groups), sides) == [
        None if math.isnan(share) else share for share in counted
    ]


def test_probability_of_more_needs_values() -> None:
    assert probabilities_of_more(seed_table([{}, {0: 1.0}, {1: 1.0}]), [(0, 1), (1, 2)]) == [None, 0.5]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{len(case['p_values'])} p values")
def test_holm_against_statsmodels(case: dict[str, Any]) -> None:
    assert holm(case["p_values"]) == pytest.approx(case["p_holm"], abs=CLOSE)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: f"{len(family['groups'])} groups")
def test_tests_of_all_pairs_against_scikit_posthocs(family: dict[str, Any]) -> None:
    # Seeds of their own, so that no pair is compared by seed.
    groups = [dict(enumerate(values, start=100 * index)) for index, values in enumerate(family["groups"])]
    sides = list(combinations(range(len(groups)), 2))
    tests = [test for test in t_tests(seed_table(groups), sides, 0.95) if test is not None and test.test == "Welch t"]
    assert len(tests) == len(sides)
    assert holm([test.p for test in tests]) == pytest.approx(family["welch_holm"], abs=CLOSE)
