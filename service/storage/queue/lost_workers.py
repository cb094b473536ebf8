"""Lost workers: the transitions from `running` that no worker makes, because it went silent or was seen to die."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, literal, or_, update

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, UnitOfWork
from service.storage.queue.leases import LONGEST_SECONDS, Fence, FenceLost, over
from service.storage.queue.order import BACK_OFF_SECONDS
from service.storage.queue.trace import record_transition
from service.storage.records import attempts
from service.storage.tables.experiments import Experiment


@dataclass(frozen=True)
class LostWorker:
    """The loss of a worker, as it is counted against its experiments.

    `counted` is false where no process watched the lease run out. An experiment that reaches `max_losses` fails.
    """

    max_losses: int
    counted: bool
    detail: str


def requeue_expired(
    session: UnitOfWork,
    fence: Fence,
    watched_until: datetime,
    lost_worker: LostWorker,
    lease_seconds: float = LONGEST_SECONDS,
) -> bool:
    """Requeue the experiment of a worker whose lease has run out; return whether it was requeued or ended.

    Nothing changes where the lease is no longer the one that was watched, which ended at `watched_until`.
    """
    expired = and_(fence.holds, Experiment.lease_until == watched_until, over(lease_seconds))
    return bool(_requeue(session, expired, lost_worker))


def hand_back(session: UnitOfWork, fence: Fence, lost_worker: LostWorker) -> None:
    """Requeue the experiment of a worker that must end, at the worker's own request. Raises FenceLost."""
    if not _requeue(session, fence.holds, lost_worker):
        raise FenceLost(fence)


def requeue_owned(session: UnitOfWork, owner: str, lost_worker: LostWorker) -> list[Fence]:
    """Requeue all experiments of a worker process that its supervisor saw die."""
    return _requeue(session, and_(Experiment.owner == owner, Experiment.status == Status.RUNNING), lost_worker)


def _requeue(session: UnitOfWork, guard: ColumnElement[bool], lost_worker: LostWorker) -> list[Fence]:
    """Requeue the running experiments that `guard` selects; end those with a cancel request or too many losses."""
    losses = Experiment.lost_count + (1 if lost_worker.counted else 0)
    status = case(
        (Experiment.cancel_requested, Status.CANCELLED),
        (losses >= lost_worker.max_losses, Status.FAILED),
        else_=Status.QUEUED,
    )
    ends = or_(Experiment.cancel_requested, losses >= lost_worker.max_losses)
    cause = case(
        (Experiment.cancel_requested, Cause.CANCELLED),
        (losses >= lost_worker.max_losses, Cause.WORKER_LOST),
        else_=None,
    )
    changed = session.execute(
        update(Experiment)
        .where(guard)
        .values(
            status=status,
            cause=cause,
            detail=case((cause == Cause.WORKER_LOST, lost_worker.detail), else_=None),
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
        attempts.close_attempt(session, row.id, row.attempt, Outcome.LOST, Cause.WORKER_LOST, lost_worker.detail)
    if changed:
        record_transition(session, [(row.id, row.attempt) for row in changed], "lose")
    return [Fence(row.id, row.attempt) for row in changed]
