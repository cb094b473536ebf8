"""What the articles say, beside what was found."""

from collections.abc import Sequence

from service.domain.article_claims.answer import ArticleClaim, Part
from service.domain.comparisons.agreement import GATE, Agreement
from service.domain.report import Report
from service.report.numbers import MINUS, Shown
from service.report.parts import Section, Table


def article_claims(claims: Sequence[ArticleClaim]) -> Section:
    """Verdicts, with the figures that decided."""
    heads = ["claim", "verdict", "decided by"]
    rows = [[f"{claim.number}. {claim.claim}", claim.verdict, _parts(claim)] for claim in claims]
    lead = "What the articles say, each by a rule that was fixed before; those that these runs say something of."
    return Section("The articles' claims", lead, table=Table(heads, rows, frozenset({"claim", "decided by"})))


def _parts(claim: ArticleClaim) -> str:
    """The figures that decided, or what is missing."""
    return "; ".join(
        f"{part.title}: {part.verdict}" + (f" ({figure})" if (figure := _figure(part)) else "") for part in claim.parts
    ) + "".join(f"; missing: {each}" for each in claim.missing)


def _figure(part: Part) -> str:
    if part.mean is None:
        return ""
    show = Shown(part.unit)
    return f"{show.signed(part.mean)}, {show.interval(part.interval)}, n = {part.n}"


def published_figures(report: Report) -> Section:
    """The article's table beside one's own, and what is wrong with it."""
    published = next(curves.reference for curves in report.curves if curves.reference is not None)
    show = Shown("fraction")
    rows = [
        [
            each.activation,
            show(each.published),
            show(each.mean),
            str(each.n),
            show.signed(each.difference),
            show.interval(each.prediction),
            _agrees(each),
        ]
        for each in report.agreement
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


def _agrees(found: Agreement) -> str:
    gate = f"{'within' if found.within_gate else 'not within'} {100 * GATE:g} points"
    if found.predicted is None:
        return gate
    return f"{gate}; the published run {'lies' if found.predicted else 'does not lie'} in the interval"
