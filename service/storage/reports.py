"""What a report is made of."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.article_claims.verdicts import judge
from service.domain.comparisons.agreement import Agreement, agreement
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.compare import compare
from service.domain.comparisons.curves import CurveMetricName, Curves
from service.domain.comparisons.metrics import OF_THE_MACHINE, PRIMARY, MetricName
from service.domain.comparisons.published import ReferenceName, article
from service.domain.errors import StudyNotFound
from service.domain.report import Asked, Machine, Report, Unfinished
from service.domain.status import Cause, Status
from service.storage.analysis import comparisons, curves
from service.storage.analysis.article_claims import observe
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import Study

SECONDARY: Sequence[MetricName] = ("test_accuracy", "best_test_accuracy", "test_loss", "learning_speed", "seconds")
DRAWN: Sequence[CurveMetricName] = ("train_accuracy", "validation_accuracy", "train_loss", "validation_loss")
DRAWN_BESIDE: Sequence[CurveMetricName] = (
    "train_accuracy", "validation_accuracy", "train_total_loss", "validation_total_loss",
)  # fmt: skip
"""With the article's curves, whose losses hold the L2 terms."""


@dataclass(frozen=True)
class Wanted:
    """How to group, what decides, and what to set it beside."""

    group_by: Sequence[str]
    metric: MetricName
    allow_mixed: bool = False
    grid: str | None = None
    reference: ReferenceName | None = None


def gather(session: Session, id: UUID, narrowed: Filter, wanted: Wanted) -> Report:
    """Everything that the report says of these experiments of a study: all of them, or those of the grid that is
    wanted. Invalid for what a comparison would refuse; StudyNotFound."""
    study = studies.find(session, id)
    if study is None:
        raise StudyNotFound(f"There is no study {id}.")
    gathered = comparisons.gather(session, narrowed, wanted.metric, wanted.group_by, allow_mixed=wanted.allow_mixed)
    images = comparisons.image_intervals(session, narrowed, wanted.metric, gathered)
    found = machines(session, narrowed)
    return Report(
        asked=_asked(study, wanted.grid),
        progress=_counts(session, narrowed),
        comparison=compare(gathered.cells, wanted.metric, images=images),
        cells=gathered.cells,
        others=_others(session, narrowed, wanted, one_machine=_is_one(found)),
        curves=_curves(session, narrowed, wanted),
        machines=found,
        unfinished=unfinished(session, narrowed, wanted.group_by),
        claims=[claim for claim in judge(observe(session, id, narrowed)).claims if any(part.n for part in claim.parts)],
        agreement=[] if wanted.reference is None else _agreement(session, narrowed, wanted, wanted.reference),
    )


def machines(session: Session, narrowed: Filter) -> list[Machine]:
    """Each fingerprint among the results, the most frequent first."""
    asked = select(Result.fingerprint).join(Experiment, Experiment.id == Result.experiment_id)
    found = session.scalars(asked.where(*narrowed.conditions()))
    counts = Counter(tuple(sorted(fingerprint.items())) for fingerprint in found)
    return [_machine(dict(fingerprint), number) for fingerprint, number in counts.most_common()]


def unfinished(session: Session, narrowed: Filter, group_by: Sequence[str]) -> list[Unfinished]:
    """Experiments that failed or were cancelled, those of one cell and cause together."""
    columns = (Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause)
    ended = Experiment.status.in_((Status.FAILED, Status.CANCELLED))
    rows = session.execute(select(*columns).where(*narrowed.conditions(), ended).order_by(Experiment.id)).all()
    specs = comparisons.specs_of(session, {row.condition for row in rows})
    seeds: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in rows:
        seeds[row.condition, row.status, row.cause].append(row.seed)
    return [
        Unfinished(
            comparisons.factors_of(specs[condition], group_by),
            Status(status),
            cause,
            Cause(cause).remedy,
            sorted(set(found)),
        )
        for (condition, status, cause), found in seeds.items()
    ]


def _machine(fingerprint: dict[str, Any], experiments: int) -> Machine:
    versions = {"actlab": fingerprint["code"], "torch": fingerprint["torch"], "numpy": fingerprint["numpy"]}
    shared = ("device", "device_name", "instruction_set", "threads", "precision", "execution", "mixed")
    return Machine(experiments=experiments, versions=versions, **{name: fingerprint[name] for name in shared})


def _counts(session: Session, narrowed: Filter) -> dict[Status, int]:
    counted = select(Experiment.status, func.count()).where(*narrowed.conditions()).group_by(Experiment.status)
    found = {Status(status): number for status, number in session.execute(counted)}
    return {status: found[status] for status in Status if status in found}


def _asked(study: Study, grid: str | None) -> Asked:
    grids = [each for each in study.grids if grid in (None, each["name"])]
    spec = {"name": study.name, "question": study.question, "base": study.base, "factors": study.factors,
            "grids": grids or None, "seeds": study.seeds, "tuning": study.tuning}  # fmt: skip
    given = {name: value for name, value in spec.items() if value is not None}
    return Asked(str(study.id), study.name, study.question, given, study.created_at, grid)


def _is_one(found: Sequence[Machine]) -> bool:
    return len({(each.device, each.precision, each.versions["actlab"]) for each in found}) <= 1


def _others(session: Session, narrowed: Filter, wanted: Wanted, *, one_machine: bool) -> list[Comparison]:
    """The same groups in the other metrics; in seconds only where those have a mean."""
    metrics = [name for name in SECONDARY if name != wanted.metric and (one_machine or name not in OF_THE_MACHINE)]
    return [_compared(session, narrowed, wanted, metric) for metric in metrics]


def _compared(session: Session, narrowed: Filter, wanted: Wanted, metric: MetricName) -> Comparison:
    found = comparisons.gather(session, narrowed, metric, wanted.group_by, allow_mixed=wanted.allow_mixed)
    return compare(found.cells, metric)


def _agreement(session: Session, narrowed: Filter, wanted: Wanted, reference: ReferenceName) -> list[Agreement]:
    found = comparisons.gather(session, narrowed, PRIMARY, wanted.group_by, allow_mixed=wanted.allow_mixed)
    return agreement(found.cells, article(reference))


def _curves(session: Session, narrowed: Filter, wanted: Wanted) -> list[Curves]:
    drawn = DRAWN if wanted.reference is None else DRAWN_BESIDE
    return [
        curves.gather(
            session, narrowed, metric, wanted.group_by, allow_mixed=wanted.allow_mixed, reference=wanted.reference
        )
        for metric in drawn
    ]
