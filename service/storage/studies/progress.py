"""Progress of studies: their experiments by status, and the time that is left."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from service.domain.status import ACTIVE, Status
from service.storage.records import experiments, workers
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study, StudyReuse


@dataclass(frozen=True)
class Progress:
    """Experiments per status, and the seconds until the last one ends at the pace of those finished.

    `retryable` is the number of those that failed and have not been retried. `eta_seconds` is None where no experiment
    has finished yet or no worker is alive.
    """

    counts: Mapping[Status, int]
    retryable: int
    eta_seconds: float | None

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def active(self) -> int:
        return sum(self.counts[status] for status in ACTIVE)

    @property
    def finished(self) -> bool:
        return not self.active


def is_finished(study: Study, progress: Progress) -> bool:
    """Return whether all experiments of a study have ended, and its ranking, if it tunes, is not to come."""
    return progress.finished and (study.tuning is None or study.tuned_at is not None or study.cancelled_at is not None)


def of_study(session: Session, id: UUID) -> Progress:
    return of_studies(session, [id])[id]


def of_studies(session: Session, ids: Collection[UUID]) -> dict[UUID, Progress]:
    """Return the progress of several studies; three queries whatever their number."""
    counts = {id: dict.fromkeys(Status, 0) for id in ids}
    means: dict[UUID, float] = {}
    figures = (Experiment.status, Experiment.seconds)
    own = select(Experiment.study_id.label("study"), *figures).where(Experiment.study_id.in_(ids))
    reused = select(StudyReuse.study_id, *figures).join(Experiment, Experiment.id == StudyReuse.experiment_id)
    both = union_all(own, reused.where(StudyReuse.study_id.in_(ids))).subquery()
    for id, status, number, seconds in session.execute(
        select(both.c.study, both.c.status, func.count(), func.avg(both.c.seconds)).group_by(
            both.c.study, both.c.status
        )
    ):
        counts[id][Status(status)] = number
        if status == Status.SUCCEEDED:
            means[id] = float(seconds)
    alive, failed = workers.count_alive(session), _retryable(session, ids)
    return {
        id: Progress(numbers, failed.get(id, 0), _eta(numbers, means.get(id), alive)) for id, numbers in counts.items()
    }


def _retryable(session: Session, ids: Collection[UUID]) -> dict[UUID, int]:
    of_studies = (Experiment.study_id.in_(ids), experiments.is_retryable())
    counts = select(Experiment.study_id, func.count().label("n")).where(*of_studies).group_by(Experiment.study_id)
    return {row.study_id: row.n for row in session.execute(counts)}


def _eta(counts: Mapping[Status, int], mean_seconds: float | None, alive: int) -> float | None:
    left = sum(counts[status] for status in ACTIVE)
    if not left:
        return 0.0
    return left * mean_seconds / min(left, alive) if mean_seconds is not None and alive else None
