"""The sections on the articles' claims and published figures."""

from collections.abc import Sequence

from service.domain.article_claims.answer import ArticleClaim, ClaimPart
from service.domain.comparisons.agreement import GATE, Agreement
from service.domain.report import Report
from service.report.numbers import MINUS, UnitFormat
from service.report.parts import Section, Table


def article_claims(claims: Sequence[ArticleClaim]) -> Section:
    """Return the section of verdicts, with the figures that decided."""
    heads = ["claim", "verdict", "decided by"]
    rows = [[f"{claim.number}. {claim.claim}", claim.verdict, _parts(claim)] for claim in claims]
    lead = "What the articles say, each by a rule that was fixed before; those that these runs say something of."
    return Section("The articles' claims", lead, table=Table(heads, rows, frozenset({"claim", "decided by"})))


def _parts(claim: ArticleClaim) -> str:
    """Return the figures that decided, and what is missing."""
    return "; ".join(
        f"{part.title}: {part.verdict}" + (f" ({figure})" if (figure := _figure(part)) else "") for part in claim.parts
    ) + "".join(f"; missing: {reason}" for reason in claim.missing)


def _figure(part: ClaimPart) -> str:
    if part.mean is None:
        return ""
    show = UnitFormat(part.unit)
    return f"{show.signed(part.mean)}, {show.interval(part.interval)}, n = {part.n}"


def published_figures(report: Report) -> Section:
    """Return the section with the article's table beside the study's means, and the article's defects."""
    published = next(curves.reference for curves in report.curves if curves.reference is not None)
    show = UnitFormat("fraction")
    rows = [
        [
            agreement.activation,
            show(agreement.published),
            show(agreement.mean),
            str(agreement.n),
            show.signed(agreement.difference),
            show.interval(agreement.prediction),
            _agrees(agreement),
        ]
        for agreement in report.agreement
    ]
    heads = ["activation", "published", "mean here", "n", f"here {MINUS} published", "one more run would lie within",
             "agreement"]  # fmt: skip
    fields = ", ".join(published.differs)
    differs = [f"These experiments differ from its protocol in {fields}."] if fields else []
    return Section(
        "Beside the article",
        f"Test accuracy (%) at the last epoch. {published.source}.",
        table=Table(heads, rows, frozenset({"agreement"})) if rows else None,
        paragraphs=[
            *differs,
            f"What is wrong with the published experiment: {'; '.join(published.defects)}.",
            f"To mind: {'; '.join(published.comparability)}.",
        ],
    )


def _agrees(agreement: Agreement) -> str:
    gate = f"{'within' if agreement.within_gate else 'not within'} {100 * GATE:g} points"
    if agreement.predicted is None:
        return gate
    return f"{gate}; the published run {'lies' if agreement.predicted else 'does not lie'} in the interval"
