"""The transitions of an experiment that workers and clients make, each one guarded UPDATE in the caller's transaction.

Transitions of experiments whose worker is lost are in `lost_workers`.

The fence `id, attempt, status = 'running'` makes a second worker harmless: a worker that lost its lease has an older
attempt, so that its UPDATE matches no row and raises FenceLost.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Float, Integer, Update, bindparam, case, func, select, update
from sqlalchemy.orm import Session

from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics
from service.domain.status import Cause, Outcome, Status
from service.storage.changes.revisions import stamp
from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.queue import downloads, order
from service.storage.queue.downloads import Machine
from service.storage.queue.leases import EXPERIMENTS, HOLDS, CancelRequested, Checkpoint, Claim, Fence, FenceLost
from service.storage.queue.trace import record_transition
from service.storage.records import attempts, diagnostics, epochs, results
from service.storage.records.results import FinishedRun
from service.storage.tables.base import table_of
from service.storage.tables.experiments import Experiment

# The statements of a running experiment are made once: making one takes several times as long as executing it. They
# are executed with the fence's parameters, and set the columns that they are executed with.
_RUNNING = update(table_of(Experiment)).where(HOLDS)
_RENEW = _RUNNING.values(lease_until=after(bindparam("lease_seconds", type_=Float))).returning(EXPERIMENTS.id)
_GUARDED = _RUNNING.where(~EXPERIMENTS.cancel_requested).returning(EXPERIMENTS.id)
_ENDED: dict[str, Any] = {"owner": None, "lease_until": None, "finished_at": now()}
_END = _GUARDED.values(_ENDED)
_END_CANCELLED = (
    _RUNNING.where(EXPERIMENTS.cancel_requested)
    .values(_ENDED | {"status": Status.CANCELLED, "cause": Cause.CANCELLED})
    .returning(EXPERIMENTS.id)
)
_STEP = bindparam("step", type_=Integer)
_ADVANCED = func.coalesce(EXPERIMENTS.furthest_step, -1) < _STEP
_CHECKPOINT = _GUARDED.values(
    lost_count=case((_ADVANCED, 0), else_=EXPERIMENTS.lost_count),
    furthest_step=case((_ADVANCED, _STEP), else_=EXPERIMENTS.furthest_step),
)
_HELD = select(EXPERIMENTS.id, EXPERIMENTS.cancel_requested).where(HOLDS)

# --- queued -> running ---------------------------------------------------------------------------------------------


def claim(
    session: UnitOfWork, owner: str, limit: int, lease_seconds: float, machine: Machine | None = None
) -> list[Claim]:
    """Claim up to `limit` due experiments for a worker: those whose data sets its machine has or may try to get.

    Where `owner` has running experiments already, those are returned instead: after a commit whose answer got lost,
    the worker owns rows that it does not know of.
    """
    owned = _running_of(session, owner)
    if owned:
        return _claim_again(session, owned[:limit])
    rows = _take(session, owner, limit, lease_seconds, machine)
    if not rows:
        return []
    epochs.forget_undone(session, [row.id for row in rows])
    for row in rows:
        attempts.open_attempt(session, row.id, row.attempt, owner)
    record_transition(session, [(row.id, row.attempt) for row in rows], "claim")
    return [Claim.of(row) for row in rows]


def _claim_again(session: UnitOfWork, rows: Sequence[Experiment]) -> list[Claim]:
    """Claim running experiments of the same worker once more; they start from their checkpoints, as any claim does."""
    if ahead := [row for row in rows if row.epochs_done > (row.checkpoint_epoch or 0)]:
        for row in ahead:
            row.epochs_done = row.checkpoint_epoch or 0
        session.flush()
        epochs.forget_undone(session, [row.id for row in ahead])
        stamp(session, [row.id for row in ahead])
    return [Claim.of(row) for row in rows]


def _take(
    session: Session, owner: str, limit: int, lease_seconds: float, machine: Machine | None
) -> Sequence[Experiment]:
    only = None if machine is None else downloads.trainable(session, machine)
    picked = order.due(limit, only).cte("picked").prefix_with("MATERIALIZED", dialect="postgresql")
    statement = (
        update(Experiment)
        .where(Experiment.id.in_(select(picked.c.id)), Experiment.status == Status.QUEUED)
        .values(
            status=Status.RUNNING,
            attempt=Experiment.attempt + 1,
            owner=owner,
            lease_until=after(lease_seconds),
            not_before=None,
            epochs_done=func.coalesce(Experiment.checkpoint_epoch, 0),
            started_at=func.coalesce(Experiment.started_at, now()),
        )
        .returning(Experiment)
    )
    rows = session.scalars(statement, execution_options=BLIND | FRESH).all()
    return sorted(rows, key=lambda row: row.id)


# --- while running -------------------------------------------------------------------------------------------------


def renew(session: Session, fences: Sequence[Fence], lease_seconds: float) -> set[UUID]:
    """Prolong leases; return the ids whose fence still holds. No revision is taken, because no answer shows a lease."""
    renewed: set[UUID] = set()
    for fence in sorted(fences, key=lambda f: f.id):
        renewed.update(session.scalars(_RENEW, fence.parameters | {"lease_seconds": lease_seconds}))
    return renewed


def flags(session: Session, fences: Sequence[Fence]) -> dict[UUID, bool]:
    """Return the cancel flag of each experiment whose fence still holds; reads only, twice a second."""
    rows = [row for fence in fences for row in session.execute(_HELD, fence.parameters)]
    return {row.id: row.cancel_requested for row in rows}


def keep_execution(session: Session, fence: Fence, execution: dict[str, Any]) -> None:
    """Record how the first attempt runs the experiment, so that later attempts can repeat it bit for bit."""
    _guarded(session, fence, execution=execution)


def record_start(session: UnitOfWork, fence: Fence, layers: Sequence[LayerDiagnostics]) -> None:
    """Record the layers of the network before its first step, as epoch 0."""
    _guarded(session, fence, epochs_done=0)
    diagnostics.upsert(session, fence.id, fence.attempt, layers)
    record_transition(session, [(fence.id, fence.attempt)], "start", epoch=0)


def record_epoch(
    session: UnitOfWork, fence: Fence, figures: EpochMetrics, layers: Sequence[LayerDiagnostics] = ()
) -> None:
    _guarded(session, fence, epochs_done=figures.epoch)
    epochs.upsert(session, fence.id, fence.attempt, figures)
    diagnostics.upsert(session, fence.id, fence.attempt, layers)
    record_transition(session, [(fence.id, fence.attempt)], "epoch", epoch=figures.epoch)


def record_checkpoint(session: UnitOfWork, fence: Fence, checkpoint: Checkpoint) -> None:
    """Record a newer checkpoint, and reset `lost_count` where it is progress.

    Progress is a step that no checkpoint of any attempt had reached, however often the experiment started over. Only
    losses without progress between them add up.
    """
    _guarded(
        session,
        fence,
        _CHECKPOINT,
        step=checkpoint.step,
        checkpoint_epoch=checkpoint.epoch,
        checkpoint_step=checkpoint.step,
        checkpoint_path=checkpoint.path,
        checkpoint_sha256=checkpoint.sha256,
    )
    record_transition(session, [(fence.id, fence.attempt)], "checkpoint")


def start_over(session: UnitOfWork, fence: Fence) -> None:
    """Forget a checkpoint that cannot be used, and every epoch recorded so far."""
    _guarded(
        session,
        fence,
        epochs_done=0,
        checkpoint_epoch=None,
        checkpoint_step=None,
        checkpoint_path=None,
        checkpoint_sha256=None,
    )
    epochs.forget_undone(session, [fence.id])
    record_transition(session, [(fence.id, fence.attempt)], "start_over")


# --- running -> terminal -------------------------------------------------------------------------------------------


def succeed(session: UnitOfWork, fence: Fence, run: FinishedRun) -> None:
    """End an experiment with its result. A repetition by the same attempt, as after a lost answer, changes nothing."""
    if _already(session, fence, Status.SUCCEEDED):
        return
    _guarded(session, fence, _END, status=Status.SUCCEEDED, **results.figures(session, fence.id, run))
    results.insert(session, fence.id, fence.attempt, run)
    attempts.close_attempt(session, fence.id, fence.attempt, Outcome.SUCCEEDED)
    record_transition(session, [(fence.id, fence.attempt)], "succeed")


def fail(session: UnitOfWork, fence: Fence, cause: Cause, detail: str) -> None:
    """End an experiment without a result, as failed, or as cancelled where a cancel was requested."""
    if _already(session, fence, Status.FAILED) or _cancelled_instead(session, fence):
        return
    _guarded(session, fence, _END, status=Status.FAILED, cause=cause, detail=detail)
    attempts.close_attempt(session, fence.id, fence.attempt, Outcome.FAILED, cause, detail)
    record_transition(session, [(fence.id, fence.attempt)], "fail")


def end_cancelled(session: UnitOfWork, fence: Fence) -> None:
    """End an experiment as cancelled, once its worker has stopped. Raises FenceLost."""
    if _already(session, fence, Status.CANCELLED):
        return
    if not _cancelled_instead(session, fence):
        raise FenceLost(fence)


def _cancelled_instead(session: UnitOfWork, fence: Fence) -> bool:
    """End an experiment as cancelled where a cancel was requested; return whether it was."""
    changed = session.execute(_END_CANCELLED, fence.parameters).all()
    if changed:
        attempts.close_attempt(session, fence.id, fence.attempt, Outcome.CANCELLED, Cause.CANCELLED)
        record_transition(session, [(fence.id, fence.attempt)], "cancelled")
    return bool(changed)


# --- running -> queued ---------------------------------------------------------------------------------------------


def release(session: UnitOfWork, fence: Fence, detail: str | None = None) -> None:
    """Requeue an experiment at the shutdown of its worker, or for the reason in `detail`; no loss is counted."""
    if _cancelled_instead(session, fence):
        return
    _guarded(session, fence, status=Status.QUEUED, owner=None, lease_until=None)
    attempts.close_attempt(session, fence.id, fence.attempt, Outcome.RELEASED, detail=detail)
    record_transition(session, [(fence.id, fence.attempt)], "release")


# --- requested by a client -----------------------------------------------------------------------------------------


def request_cancel(session: UnitOfWork, which: ColumnElement[bool]) -> list[UUID]:
    """Cancel the queued experiments that `which` selects, and flag the running ones; return the ids of both.

    From the commit on none of them can succeed.
    """
    queued = Experiment.status == Status.QUEUED
    changed = session.execute(
        update(Experiment)
        .where(which, Experiment.status.in_((Status.QUEUED, Status.RUNNING)), ~Experiment.cancel_requested)
        .values(
            cancel_requested=True,
            status=case((queued, Status.CANCELLED), else_=Experiment.status),
            cause=case((queued, Cause.CANCELLED), else_=Experiment.cause),
            finished_at=case((queued, now()), else_=None),
        )
        .returning(Experiment.id, Experiment.attempt),
        execution_options=BLIND,
    ).all()
    if changed:
        record_transition(session, [(row.id, row.attempt) for row in changed], "cancel")
    return [row.id for row in changed]


# --- shared --------------------------------------------------------------------------------------------------------


def _guarded(session: Session, fence: Fence, statement: Update = _GUARDED, **values: Any) -> None:
    """Update the row of a running experiment. Raises FenceLost or CancelRequested where no row changed."""
    changed = session.execute(statement, fence.parameters | values).all()
    if len(changed) == 1:
        return
    if session.scalar(_HELD, fence.parameters) is not None:
        raise CancelRequested(fence)
    raise FenceLost(fence)


def _already(session: Session, fence: Fence, status: Status) -> bool:
    """Return whether this very attempt has ended the experiment with this status."""
    ended = (Experiment.id == fence.id, Experiment.attempt == fence.attempt, Experiment.status == status)
    return session.scalar(select(Experiment.id).where(*ended)) is not None


def _running_of(session: Session, owner: str) -> Sequence[Experiment]:
    owned = select(Experiment).where(Experiment.owner == owner, Experiment.status == Status.RUNNING)
    return session.scalars(owned.order_by(Experiment.id).with_for_update(), execution_options=FRESH).all()
