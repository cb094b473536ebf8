"""Building the report of a study."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.article_claims.verdicts import judge
from service.domain.choices import PublishedName
from service.domain.comparisons.agreement import Agreement, agreement
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.cells import Factors, one_named
from service.domain.comparisons.compare import compare
from service.domain.comparisons.curves import CurveMetricName, Curves
from service.domain.comparisons.machines import MACHINE
from service.domain.comparisons.metrics import OF_THE_MACHINE, PRIMARY, MetricName
from service.domain.comparisons.published import article
from service.domain.errors import StudyNotFound
from service.domain.report import Machine, Report, SubmittedStudy
from service.storage.analysis import comparisons, curves, report
from service.storage.analysis.article_claims import observe
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.tables.studies import Study

SECONDARY: Sequence[MetricName] = ("test_accuracy", "best_test_accuracy", "test_loss", "learning_speed", "seconds")
DRAWN: Sequence[CurveMetricName] = ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss")
DRAWN_BESIDE: Sequence[CurveMetricName] = (
    "train_accuracy", "validation_accuracy", "train_total_loss", "validation_total_loss",
)  # fmt: skip
"""With the article's curves, whose losses hold the L2 terms."""


@dataclass(frozen=True)
class Grouping:
    """The factors to group by, the metric that decides and its margin, and the published figures to compare with.

    `versus` is the parameter of comparisons: a group, `all`, or None for `reference`, the study's own.
    """

    group_by: Sequence[str]
    metric: MetricName
    allow_mixed: bool = False
    grid: str | None = None
    versus: str | None = None
    reference: Factors | None = None
    published: PublishedName | None = None
    margin: float | None = None


def build(session: Session, id: UUID, filters: Filter, grouping: Grouping) -> Report:
    """Return the report of a study, or of one of its grids.

    `filters` select the experiments: those of the study, or of the grid. Raises StudyNotFound, and Refusal for a set
    that a comparison would refuse.
    """
    study = studies.find(session, id)
    if study is None:
        raise StudyNotFound(f"There is no study {id}.")
    gathered = comparisons.gather(
        session, filters, grouping.metric, grouping.group_by, allow_mixed=grouping.allow_mixed
    )
    images = comparisons.image_intervals(session, filters, grouping.metric, gathered)
    reference = one_named(grouping.reference, gathered.cells)
    versus = factors.versus_named(grouping.versus, grouping.group_by, reference, also=[MACHINE])
    machines = report.machines(session, filters)
    return Report(
        study=_submitted(study, grouping.grid, None if study.tuning else reference),
        progress=report.counts(session, filters),
        comparison=compare(
            gathered.cells, grouping.metric, versus, images, reference=reference, margin=grouping.margin
        ),
        cells=gathered.cells,
        others=_others(session, filters, grouping, one_machine=_is_one(machines)),
        curves=_curves(session, filters, grouping),
        machines=machines,
        protocol=factors.shared(list(comparisons.specs_of(session, gathered.factors.keys()).values())),
        unfinished=report.unfinished(session, filters, grouping.group_by),
        article_claims=[
            claim for claim in judge(observe(session, id, filters)).claims if any(part.n for part in claim.parts)
        ],
        agreement=[] if grouping.published is None else _agreement(session, filters, grouping, grouping.published),
    )


def _submitted(study: Study, grid: str | None, reference: Factors | None) -> SubmittedStudy:
    """Return the spec of a study as it was posted, or with only the named grid of several and the reference in it."""
    grids = [part for part in study.grids if grid in (None, part["name"])]
    fields = {"name": study.name, "question": study.question, "base": study.base, "factors": study.factors,
            "grids": grids or None, "seeds": study.seeds, "tuning": study.tuning,
            "reference": study.reference if grid is None else reference}  # fmt: skip
    spec = {name: value for name, value in fields.items() if value is not None}
    return SubmittedStudy(str(study.id), study.name, study.question, spec, study.created_at, grid)


def _is_one(machines: Sequence[Machine]) -> bool:
    kinds = {
        (machine.device_name, machine.threads, machine.device, machine.precision, machine.versions["actlab"])
        for machine in machines
    }
    return len(kinds) <= 1


def _others(session: Session, filters: Filter, grouping: Grouping, *, one_machine: bool) -> list[Comparison]:
    """Compare the same groups in the secondary metrics; in seconds only where one kind of machine was used."""
    metrics = [name for name in SECONDARY if name != grouping.metric and (one_machine or name not in OF_THE_MACHINE)]
    return [_compared(session, filters, grouping, metric) for metric in metrics]


def _compared(session: Session, filters: Filter, grouping: Grouping, metric: MetricName) -> Comparison:
    gathered = comparisons.gather(session, filters, metric, grouping.group_by, allow_mixed=grouping.allow_mixed)
    return compare(gathered.cells, metric)


def _agreement(session: Session, filters: Filter, grouping: Grouping, published: PublishedName) -> list[Agreement]:
    gathered = comparisons.gather(session, filters, PRIMARY, grouping.group_by, allow_mixed=grouping.allow_mixed)
    return agreement(gathered.cells, article(published))


def _curves(session: Session, filters: Filter, grouping: Grouping) -> list[Curves]:
    drawn = DRAWN if grouping.published is None else DRAWN_BESIDE
    return [
        curves.gather(
            session, filters, metric, grouping.group_by, allow_mixed=grouping.allow_mixed, published=grouping.published
        )
        for metric in drawn
    ]
