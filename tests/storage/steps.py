"""Transitions of one experiment, each in a transaction of its own."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import update

from service.domain.status import Cause
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import leases, lost_workers, transitions
from service.storage.queue.leases import Checkpoint, Claim, Fence
from service.storage.queue.lost_workers import LostWorker
from service.storage.tables.experiments import Experiment
from tests.making import make_epoch, make_layer, make_run

COUNTED = LostWorker(max_losses=3, counted=True, detail="gone")

WRITES: dict[str, Callable[[UnitOfWork, Fence], Any]] = {
    "epoch": lambda s, fence: transitions.record_epoch(s, fence, make_epoch()),
    "start": lambda s, fence: transitions.record_start(s, fence, [make_layer(0)]),
    "checkpoint": lambda s, fence: transitions.record_checkpoint(s, fence, Checkpoint(1, 1, "f", "s")),
    "execution": lambda s, fence: transitions.keep_execution(s, fence, {}),
    "start_over": transitions.start_over,
    "succeed": lambda s, fence: transitions.succeed(s, fence, make_run()),
    "fail": lambda s, fence: transitions.fail(s, fence, Cause.DIVERGED, "d"),
    "release": transitions.release,
    "cancelled": transitions.end_cancelled,
}


def do(database: Database, transition: Callable[..., Any], *arguments: Any) -> Any:
    return database.run("do", lambda s: transition(s, *arguments))


def claim(database: Database, owner: str = "w1", limit: int = 1) -> list[Claim]:
    return database.run("claim", lambda s: transitions.claim(s, owner, limit, 30))


def claimed(database: Database, owner: str = "w1") -> Fence:
    (taken,) = claim(database, owner)
    return taken.fence


def cancel(database: Database, id: UUID) -> None:
    do(database, transitions.request_cancel, Experiment.id == id)


def expire(database: Database, id: UUID) -> None:
    database.run(
        "expire", lambda s: s.execute(update(Experiment).where(Experiment.id == id).values(lease_until=after(-1)))
    )


def lose(database: Database, id: UUID, loss: LostWorker = COUNTED) -> bool:
    """Let the lease of the only running experiment expire, and requeue it as the reaper does."""
    expire(database, id)
    with database.read() as session:
        (lease,) = leases.running(session)
    return bool(do(database, lost_workers.requeue_expired, lease.fence, lease.until, loss))
