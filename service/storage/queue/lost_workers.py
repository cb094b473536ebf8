"""running -> queued or failed: what is taken from a worker that went silent or was seen to die."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, literal, or_, update

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, UnitOfWork
from service.storage.queue.leases import LONGEST_SECONDS, Fence, over
from service.storage.queue.order import BACK_OFF_SECONDS
from service.storage.queue.trace import record_transition
from service.storage.records import attempts
from service.storage.tables.experiments import Experiment


@dataclass(frozen=True)
class LostWorker:
    """How a lost experiment is judged: `counted` is false where nobody was there to see its lease run out."""

    max_losses: int
    counted: bool
    detail: str


def requeue_expired(
    session: UnitOfWork, fence: Fence, seen_lease: datetime, loss: LostWorker, lease_seconds: float = LONGEST_SECONDS
) -> bool:
    """Take it from a worker that went silent: only if the lease is still the one that was watched, and is over."""
    expired = and_(fence.holds, Experiment.lease_until == seen_lease, over(lease_seconds))
    return bool(_lose(session, expired, loss))


def requeue_owned(session: UnitOfWork, owner: str, loss: LostWorker) -> list[Fence]:
    """Take everything from a worker process that its supervisor saw die."""
    return _lose(session, and_(Experiment.owner == owner, Experiment.status == Status.RUNNING), loss)


def _lose(session: UnitOfWork, guard: ColumnElement[bool], loss: LostWorker) -> list[Fence]:
    losses = Experiment.lost_count + (1 if loss.counted else 0)
    status = case(
        (Experiment.cancel_requested, Status.CANCELLED),
        (losses >= loss.max_losses, Status.FAILED),
        else_=Status.QUEUED,
    )
    ends = or_(Experiment.cancel_requested, losses >= loss.max_losses)
    cause = case(
        (Experiment.cancel_requested, Cause.CANCELLED), (losses >= loss.max_losses, Cause.WORKER_LOST), else_=None
    )
    changed = session.execute(
        update(Experiment)
        .where(guard)
        .values(
            status=status,
            cause=cause,
            detail=case((cause == Cause.WORKER_LOST, loss.detail), else_=None),
            finished_at=case((ends, now()), else_=None),
            lost_count=losses,
            # The first loss is retried at once; a job that keeps killing its worker gives others room.
            not_before=case((ends, None), else_=after(Experiment.lost_count * literal(BACK_OFF_SECONDS))),
            owner=None,
            lease_until=None,
        )
        .returning(Experiment.id, Experiment.attempt, Experiment.cause),
        execution_options=BLIND,
    ).all()
    for row in changed:
        attempts.close_attempt(session, row.id, row.attempt, Outcome.LOST, Cause.WORKER_LOST, loss.detail)
    if changed:
        record_transition(session, [(row.id, row.attempt) for row in changed], "lose")
    return [Fence(row.id, row.attempt) for row in changed]
