"""What each row of the catalogue says of itself: complete, and true where that can be computed."""

import re

import pytest

from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.catalogue.problems import KNOWN_PROBLEMS
from service.domain.activations.properties import Properties, properties


def table(name: str) -> Properties:
    return properties(CATALOGUE[name].expression, CATALOGUE[name].values())


def test_there_are_thirty_rows_and_a_known_problem_of_each() -> None:
    assert len(CATALOGUE) == 30
    assert KNOWN_PROBLEMS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_row_says_where_it_is_from_how_to_start_when_to_take_it_and_what_goes_wrong(name: str) -> None:
    row = CATALOGUE[name]
    assert row.advice is not None
    assert row.known_problem is not None
    for text in (row.advice.text, row.known_problem.text):
        assert text[0].isupper()
        assert text.endswith(".")
    for source in (row.initialisation.source, row.advice.source, row.known_problem.source):
        assert re.search(r"\b(19|20)\d\d\b|documentation|computed here", source), source
    assert row.note.endswith(".")
    assert all(p.minimum <= p.default <= p.maximum for p in row.parameters)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if "saturates on both sides" in KNOWN_PROBLEMS[name].text])
def test_what_is_said_to_saturate_on_both_sides_does(name: str) -> None:
    assert table(name).saturating_sides == ["left", "right"]


@pytest.mark.parametrize("name", ["tanh_shrink", "soft_shrink", "hard_shrink", "step"])
def test_what_is_said_to_have_no_gradient_at_0_has_none(name: str) -> None:
    assert (table(name).slope_at_0 or 0) == 0


def test_other_problems_that_are_computed() -> None:
    assert table("relu6").saturating_sides == ["left", "right"]
    assert table("celu").saturating_sides == ["left"]
    assert table("relu_squared").largest_slope is None
    assert table("swish2").largest_slope == pytest.approx(2.2, abs=0.01)
    assert table("log_sigmoid").range == (None, 0)
