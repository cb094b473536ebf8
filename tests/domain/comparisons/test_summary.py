"""The sentences of a comparison."""

from typing import Any

import pytest

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare
from service.domain.comparisons.summary import name_of

RELU = {"activation": "relu"}


def cells(**values: list[float]) -> list[Cell]:
    return [Cell({"activation": name}, dict(enumerate(numbers))) for name, numbers in values.items()]


FOUR = cells(
    relu=[0.950, 0.951, 0.952, 0.953, 0.954],
    swish=[0.970, 0.971, 0.9725, 0.973, 0.974],
    tanh=[0.9505, 0.9515, 0.951, 0.954, 0.953],
    sigmoid=[0.900, 0.905, 0.902, 0.901, 0.906],
)


def test_summary_lists_groups_by_their_verdict_against_one() -> None:
    comparison = compare(FOUR, "test_accuracy", RELU, reference=RELU)
    verdicts = {pair.a["activation"]: pair.verdict for pair in comparison.pairs}
    assert (verdicts["swish"], verdicts["sigmoid"]) == ("better", "worse")
    start, _, rest = comparison.summary[0].partition(" \N{EN DASH} ")
    assert start == "Against relu"
    assert rest == f"better: swish; worse: sigmoid; {verdicts['tanh']}: tanh."
    assert comparison.summary[-1:] == ["3 tests against relu, the study's reference, corrected together (Holm, 0.05)."]


@pytest.mark.parametrize(
    ("versus", "reference", "is_other"),
    [(None, None, False), (RELU, None, False), (RELU, RELU, False), (None, RELU, True),
     ({"activation": "tanh"}, RELU, True)],
)  # fmt: skip
def test_summary_names_another_family_than_that_of_the_study(versus: Any, reference: Any, is_other: bool) -> None:
    last = compare(FOUR, "test_accuracy", versus, reference=reference).summary[-1]
    assert ("another family of tests than the study's own, which compares with relu" in last) == is_other
    assert last.startswith("6 tests of all pairs" if versus is None else "3 tests against")


def test_summary_gives_the_number_of_groups_after_five() -> None:
    many = cells(relu=[0.95, 0.951, 0.952], **{f"f{n}": [0.95, 0.9505, 0.953 + n / 1e5] for n in range(8)})
    assert " and 3 more." in compare(many, "test_accuracy", RELU).summary[0]


@pytest.mark.parametrize(
    ("groups", "start"),
    [
        ([], "No experiment has given a figure yet."),
        (cells(relu=[0.9, 0.91, 0.92], tanh=[]), "There is one group with figures, relu"),
        (cells(relu=[0.9], tanh=[0.8]), "No pair of groups could be tested"),
    ],
)
def test_summary_with_few_figures_is_one_sentence(groups: list[Cell], start: str) -> None:
    (sentence,) = compare(groups, "test_accuracy").summary
    assert sentence.startswith(start)


@pytest.mark.parametrize(
    ("factors", "name"),
    [
        (RELU, "relu"),
        ({"dropout": 0.0, "activation": "relu", "batch_size": 64}, "relu (dropout 0, batch size 64)"),
        ({"batch_size": 64}, "batch size 64"),
        ({"model.batch_norm": True, "train_samples": None}, "model.batch norm on, train samples none"),
        ({}, "all"),
    ],
)
def test_name_of_a_group_in_a_sentence(factors: Any, name: str) -> None:
    assert name_of(factors) == name
