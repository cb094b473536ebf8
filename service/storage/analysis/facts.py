"""The facts that a monitoring system reads: how many experiments, how long a queue, which workers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import seconds_since
from service.storage.records import workers
from service.storage.tables.experiments import Attempt, Experiment
from service.storage.tables.totals import DeletedTotal

WORKER_STATES = ("idle", "busy", "unusable", "lost")
"""`unusable`: it could not start. `lost`: its last heartbeat is too old; it did not take leave."""

Ended = tuple[Status, Cause | None]
"""The status and the cause of an end."""


@dataclass(frozen=True)
class Queued:
    """The queued experiments of one priority, and the age of the oldest."""

    experiments: int
    oldest_seconds: float


@dataclass(frozen=True)
class Facts:
    """Facts of the database at one moment. `ended` and `attempts_lost` include deleted experiments, so that they never
    fall; `experiments` does not. `last_seen` holds the newest heartbeat of the workers in each state."""

    experiments: Mapping[Status, int]
    ended: Mapping[Ended, int]
    attempts_lost: int
    queue: Mapping[int, Queued]
    workers: Mapping[str, int]
    last_seen: Mapping[str, datetime]


def read(session: Session) -> Facts:
    """Return the facts; five queries, of which one reads an index of all experiments."""
    counts = select(Experiment.status, func.count()).group_by(Experiment.status)
    experiments = {Status(status): number for status, number in session.execute(counts)}
    deleted = session.scalars(select(DeletedTotal)).all()
    states = _states(session)
    return Facts(
        experiments={status: experiments.get(status, 0) for status in Status},
        ended=_ended(session, experiments, deleted),
        attempts_lost=_lost(session) + sum(row.attempts_lost for row in deleted),
        queue=_queue(session),
        workers=Counter(state for state, _ in states),
        last_seen={state: max(seen for other, seen in states if other == state) for state in dict(states)},
    )


def _ended(session: Session, experiments: Mapping[Status, int], deleted: Sequence[DeletedTotal]) -> Mapping[Ended, int]:
    """Return the ends, with those that never happened as 0."""
    failed = select(Experiment.cause, func.count()).where(Experiment.status == Status.FAILED)
    ended: Counter[Ended] = Counter(dict.fromkeys(_ends(), 0))
    ended[Status.SUCCEEDED, None] = experiments.get(Status.SUCCEEDED, 0)
    ended[Status.CANCELLED, Cause.CANCELLED] = experiments.get(Status.CANCELLED, 0)
    for cause, number in session.execute(failed.group_by(Experiment.cause)):
        ended[Status.FAILED, Cause(str(cause))] = number
    for row in deleted:
        ended[Status(row.status), Cause(row.cause) if row.cause else None] += row.experiments
    return ended


def _ends() -> list[Ended]:
    failures: list[Ended] = [(Status.FAILED, cause) for cause in Cause if cause is not Cause.CANCELLED]
    return [(Status.SUCCEEDED, None), (Status.CANCELLED, Cause.CANCELLED), *failures]


def _lost(session: Session) -> int:
    lost = select(func.count()).select_from(Attempt).where(Attempt.outcome == Outcome.LOST)
    return session.execute(lost).scalar_one()


def _queue(session: Session) -> dict[int, Queued]:
    queued = (
        select(Experiment.priority, func.count(), func.max(seconds_since(Experiment.created_at)))
        .where(Experiment.status == Status.QUEUED)
        .group_by(Experiment.priority)
    )
    return {priority: Queued(number, max(0.0, oldest)) for priority, number, oldest in session.execute(queued)}


def _states(session: Session) -> list[tuple[str, datetime]]:
    """Return the state of each worker and its last heartbeat."""
    rows = workers.listed(session)
    return [
        (row.worker.status if row.alive or row.worker.problem is not None else "lost", row.worker.last_seen)
        for row in rows
    ]
