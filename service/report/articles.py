"""The sections on the articles' claims and published figures."""

from collections.abc import Sequence

from service.domain.article_claims.answer import ArticleClaim
from service.domain.article_claims.sentences import sentences
from service.domain.comparisons.agreement import GATE, Agreement
from service.domain.report import Report
from service.report.numbers import MINUS, UnitFormat
from service.report.parts import Section, Table

SPEED_OF_LEARNING = (
    "A, the speed of learning, is the natural logarithm of the mean validation loss in epochs 1 and 2; a lower value is"
    " faster."
)


def article_claims(claims: Sequence[ArticleClaim]) -> Section:
    """Return the section of verdicts, with what was found in sentences."""
    heads = ["claim", "verdict", "what was found"]
    rows = [[f"{claim.number}. {claim.claim}", claim.verdict, " ".join(sentences(claim))] for claim in claims]
    lead = (
        "The claims of the articles on which these runs are evidence, each decided by a rule that was fixed before the"
        f" data was collected. {SPEED_OF_LEARNING}"
    )
    return Section("The articles' claims", lead, table=Table(heads, rows, frozenset(heads)))


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
