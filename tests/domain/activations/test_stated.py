"""The statements of the articles against the computed properties."""

import json
import math
from dataclasses import asdict, replace

import mpmath
import pytest

from service.domain.activations.activation import ARTICLE
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.stated import (
    BETAS,
    SHORTER,
    STATEMENTS,
    judgements,
    mismatches,
    not_monotonic,
    swish_facts,
)


def test_judgements_hold_for_all_but_two_statements() -> None:
    all_judgements = judgements()
    assert [
        (judgement.activation, judgement.property, judgement.stated, judgement.computed)
        for judgement in mismatches(all_judgements)
    ] == [
        ("swish", "the only one that is not monotonic", True, False),
        ("swish2", "f(1) for a large beta, where it is said to be ReLU", 1, pytest.approx(2)),
    ]
    json.dumps([asdict(judgement) for judgement in all_judgements], allow_nan=False)


@pytest.mark.parametrize("index", range(len(STATEMENTS)))
def test_judgements_can_fail_for_each_statement(index: int) -> None:
    statement = STATEMENTS[index]
    other = not statement.stated if isinstance(statement.stated, bool) else ("left", 7)
    (judgement,) = judgements([replace(statement, stated=other)])
    holds = judgements([statement])[0].verdict == "holds"
    assert judgement.verdict == ("does not hold" if holds or not isinstance(other, bool) else "holds")


def test_judgements_do_not_hold_where_nothing_is_computed() -> None:
    (judgement,) = judgements([replace(STATEMENTS[0], stated=None, compute=lambda: None)])
    assert judgement.verdict == "cannot be computed"
    assert mismatches([judgement]) == [judgement]


def test_statements_have_a_function_and_a_source() -> None:
    assert {statement.activation for statement in STATEMENTS} <= CATALOGUE.keys()
    assert {statement.source for statement in STATEMENTS} == {ARTICLE, SHORTER}
    named = {name for name, row in CATALOGUE.items() if row.named_in_article}
    assert named - {statement.activation for statement in STATEMENTS} == {"rrelu", "softplus"}  # named, not described


def test_swish_facts() -> None:
    facts = swish_facts()
    with mpmath.workdps(30):  # f' = 0 where 1 + exp(-x) + x exp(-x) = 0: x = -1 - W(1 / e)
        at = -1 - mpmath.lambertw(mpmath.exp(-1)).real
        lowest = at / (1 + mpmath.exp(-at))
    assert facts.minimum_at == pytest.approx(float(at), abs=1e-4) == pytest.approx(-1.2785, abs=1e-4)
    assert facts.minimum == pytest.approx(float(lowest), abs=1e-8) == pytest.approx(-0.2785, abs=1e-4)
    assert facts.beta_0_is_half_of_x
    assert facts.gaps == pytest.approx({beta: -float(lowest) / beta for beta in BETAS}, rel=1e-7)
    assert facts.within_the_bound
    assert not replace(facts, gaps={1.0: 0.28}).within_the_bound
    assert math.isclose(facts.gaps[1.0], -facts.minimum)


def test_not_monotonic_names_more_than_swish() -> None:
    assert {"gelu", "mish", "sine"} <= set(not_monotonic())
    assert not {"relu", "tanh", "swish", "softmax"} & set(not_monotonic())
    assert not swish_facts().only_swish_is_not_monotonic
