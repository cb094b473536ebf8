"""The models of a verdict on a claim."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from service.domain.comparisons.answer import Figures
from service.domain.comparisons.cells import Factor
from service.domain.statistics.summary import Interval

Verdict = Literal["supported", "refuted", "undecided"]


class Evidence(Figures):
    """The experiments of a figure, one a seed."""

    factors: dict[str, Factor]
    seeds: list[int]
    experiments: list[UUID]


class ClaimPart(Figures):
    """One condition of a rule, at one setting."""

    model_config = ConfigDict(title="Part")

    title: str
    verdict: Verdict
    context: dict[str, Factor] = Field(
        {}, description="Spec fields that all its experiments share, unlike the article."
    )
    n: int = Field(0, description="Seeds that the figure is made of.")
    mean: float | None = None
    interval: Interval | None = Field(None, description="Of the mean, over seeds; null without one.")
    confidence: float | None = Field(None, description="Level of the interval.")
    unit: str = ""
    limit: float | None = Field(None, description="The value that the rule compares the figure with.")
    missing: list[str] = Field([], description="What is needed for a decision; empty where it is decided.")
    evidence: list[Evidence] = []


class ArticleClaim(Figures):
    """One of the articles' claims."""

    model_config = ConfigDict(title="Claim")

    number: int
    claim: str
    rule: str
    verdict: Verdict
    missing: list[str] = Field(description="What is needed for a decision; empty where it is decided.")
    parts: list[ClaimPart]
    notes: list[str] = Field([], description="Remarks that do not affect the verdict.")


class ArticleClaims(Figures):
    model_config = ConfigDict(title="Claims")

    claims: list[ArticleClaim] = Field(description="All twelve, by number.")


def every(parts: Sequence[ClaimPart]) -> Verdict:
    """Return the verdict of a conjunction: supported if every part is, refuted if any part is."""
    return conjunction([part.verdict for part in parts])


def conjunction(verdicts: Sequence[Verdict]) -> Verdict:
    if "refuted" in verdicts:
        return "refuted"
    return "supported" if set(verdicts) == {"supported"} else "undecided"


def some(parts: Sequence[ClaimPart]) -> Verdict:
    """Return the verdict of a disjunction: supported if any part is, refuted only if all parts are."""
    verdicts = {part.verdict for part in parts}
    if "supported" in verdicts:
        return "supported"
    return "refuted" if verdicts == {"refuted"} else "undecided"


def article_claim(
    number: int,
    words: str,
    rule: str,
    parts: Sequence[ClaimPart],
    verdict: Verdict | None = None,
    notes: Sequence[str] = (),
) -> ArticleClaim:
    """Return a claim with its parts; without a given verdict, that of their conjunction."""
    decided = every(parts) if verdict is None else verdict
    missing = [] if decided != "undecided" else [reason for part in parts for reason in part.missing]
    return ArticleClaim(
        number=number,
        claim=words,
        rule=rule,
        verdict=decided,
        missing=list(dict.fromkeys(missing)),
        parts=list(parts),
        notes=list(notes),
    )
