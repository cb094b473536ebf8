"""The rules of claims: exceeds, below, above, within, and the combination of parts."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from service.domain.article_claims import rules
from service.domain.article_claims.answer import ClaimPart, every, some


@pytest.mark.parametrize(
    ("values", "least", "verdict"),
    [
        ([0.9, 1.0, 1.1, 1.0, 1.0], 0.5, "supported"),
        ([0.9, 1.0, 1.1, 1.0, 1.0], 1.01, "undecided"),  # above 0, its mean below what is asked, its upper end not
        ([0.9, 1.0, 1.1, 1.0, 1.0], 1.2, "refuted"),
        ([-1.0, 1.0, 3.0, 0.0, 2.0], 0.5, "undecided"),
        ([-1.0, -1.1, -0.9, -1.0, -1.0], 0.5, "refuted"),
        ([0.9, 1.0, 1.1, 1.0], 0.5, "undecided"),
        ([1.0] * 5, 0.5, "supported"),
        ([0.0] * 5, 0.5, "refuted"),
        ([], 0.5, "undecided"),
    ],
    ids=str,
)
def test_exceeds(values: list[float], least: float, verdict: str) -> None:
    ruling = rules.exceeds(values, least)
    assert (ruling.verdict, bool(ruling.missing)) == (verdict, verdict == "undecided")


def test_exceeds_by_hand() -> None:
    # mean 1, sd sqrt(0.02 / 4), 1 +- 2.776445 * sd / sqrt(5)
    ruling = rules.exceeds([0.9, 1.0, 1.1, 1.0, 1.0], 0.5)
    assert ruling.mean == 1.0
    assert ruling.interval == pytest.approx((0.912201, 1.087799), abs=1e-6)


@pytest.mark.parametrize(
    ("rule", "supported", "refuted", "undecided"),
    [
        (lambda values: rules.below(values, 1.0), 0.5, 1.5, 1.0),
        (lambda values: rules.above(values, 1.0), 1.5, 0.5, 1.0),
        (lambda values: rules.within(values, 0.4, 0.6), 0.5, 0.7, 0.6),
    ],
    ids=["below", "above", "within"],
)
def test_below_above_and_within(
    rule: Callable[[list[float]], rules.Ruling], supported: float, refuted: float, undecided: float
) -> None:
    spread = [-0.01, 0.0, 0.01, 0.005, -0.005]
    for centre, verdict in ((supported, "supported"), (refuted, "refuted"), (undecided, "undecided")):
        assert rule([centre + offset for offset in spread]).verdict == verdict
    assert rule([supported] * 4).missing == ("5 seeds with a value; there are 4",)
    assert rule([supported] * 5).verdict == "supported"  # a level that all share is no difference by chance


def test_exceeds_supports_one_in_forty_studies_without_a_difference() -> None:
    rng = random.Random(20_190_514)
    called = [rules.exceeds([rng.gauss(0, 1) for _ in range(5)], 0.0).verdict for _ in range(2_000)]
    assert called.count("supported") / 2_000 <= 0.035  # 2.5 %, and three standard errors


def test_every_and_some_combine_verdicts() -> None:
    def parts(*verdicts: Any) -> list[ClaimPart]:
        return [ClaimPart(title="", verdict=verdict) for verdict in verdicts]

    assert every(parts("supported", "supported")) == "supported"
    assert every(parts("supported", "undecided")) == "undecided"
    assert every(parts("undecided", "refuted")) == "refuted"
    assert (every([]), some([])) == ("undecided", "undecided")
    assert some(parts("refuted", "supported")) == "supported"
    assert some(parts("refuted", "refuted")) == "refuted"
    assert some(parts("refuted", "undecided")) == "undecided"
