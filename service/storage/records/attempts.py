"""Records of attempts: the worker, the times and the outcome of each try of an experiment."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.domain.status import Cause, Outcome
from service.storage.engine.clock import now
from service.storage.engine.unit_of_work import BLIND
from service.storage.tables.experiments import Attempt, Experiment


def open_attempt(session: Session, experiment: UUID, attempt: int, worker: str) -> None:
    session.add(Attempt(experiment_id=experiment, attempt=attempt, worker=worker))


def close_attempt(
    session: Session,
    experiment: UUID,
    attempt: int,
    outcome: Outcome,
    cause: Cause | None = None,
    detail: str | None = None,
) -> None:
    epochs = select(Experiment.epochs_done).where(Experiment.id == experiment).scalar_subquery()
    session.execute(
        update(Attempt)
        .where(Attempt.experiment_id == experiment, Attempt.attempt == attempt, Attempt.outcome.is_(None))
        .values(outcome=outcome, cause=cause, detail=detail, ended_at=now(), epochs=epochs),
        execution_options=BLIND,
    )


def keep_log(session: Session, experiment: UUID, attempt: int, tail: str) -> None:
    """Store the end of an attempt's log, so that it outlives the disk of the worker."""
    session.execute(
        update(Attempt).where(Attempt.experiment_id == experiment, Attempt.attempt == attempt).values(log_tail=tail),
        execution_options=BLIND,
    )


def of_experiment(session: Session, experiment: UUID) -> Sequence[Attempt]:
    return session.scalars(select(Attempt).where(Attempt.experiment_id == experiment).order_by(Attempt.attempt)).all()


def newest(session: Session, experiment: UUID) -> Attempt | None:
    newest_first = select(Attempt).where(Attempt.experiment_id == experiment).order_by(Attempt.attempt.desc())
    return session.scalars(newest_first.limit(1)).one_or_none()
