"""Studies: created with their experiments, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.spec import ExperimentSubmission
from service.domain.status import ACTIVE, Status
from service.domain.study import StudySpec
from service.storage import experiments, workers
from service.storage.tables import Experiment, Study


@dataclass(frozen=True)
class Progress:
    """Experiments per status, and seconds until the last ends at the pace of those finished; None when unknown."""

    counts: dict[Status, int]
    eta_seconds: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def finished(self) -> bool:
        return not any(self.counts[status] for status in ACTIVE)


def create(
    session: Session, principal: str, spec: StudySpec, submissions: Sequence[ExperimentSubmission], id: UUID
) -> Study:
    """Store the study and queue its experiments, all or none."""
    study = Study(
        id=id,
        principal=principal,
        name=spec.name,
        question=spec.question,
        preset=spec.preset,
        base=spec.base,
        factors=spec.factors,
        seeds=spec.seeds,
    )
    session.add(study)
    session.flush()
    study.revision = experiments.create_all(session, principal, id, submissions)
    session.flush()
    session.refresh(study)
    return study


def find(session: Session, id: UUID) -> Study | None:
    return session.get(Study, id)


def revision(session: Session, id: UUID) -> int | None:
    return session.scalar(select(Study.revision).where(Study.id == id))


def progress(session: Session, id: UUID) -> Progress:
    rows = session.execute(
        select(Experiment.status, func.count(), func.avg(Experiment.seconds))
        .where(Experiment.study_id == id)
        .group_by(Experiment.status)
    ).all()
    counts = dict.fromkeys(Status, 0) | {Status(status): n for status, n, _ in rows}
    left = sum(counts[status] for status in ACTIVE)
    mean = next((seconds for status, _, seconds in rows if status == Status.SUCCEEDED), None)
    if not left:
        return Progress(counts, 0.0)
    hands = min(left, workers.count_alive(session))
    return Progress(counts, left * float(mean) / hands if mean is not None and hands else None)
