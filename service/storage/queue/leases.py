"""Leases of running experiments, and the fence that a worker's writes must pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update
from sqlalchemy.orm import Session

from service.domain.status import Status
from service.storage.engine.clock import after, now
from service.storage.tables.base import table_of
from service.storage.tables.experiments import Experiment

LONGEST_SECONDS = 3600.0  # the most that ACTLAB_LEASE_SECONDS allows
MARGIN_SECONDS = 1.0  # the adjustment of a clock that is tolerated

EXPERIMENTS = table_of(Experiment).c


def _holds(id: Any, attempt: Any) -> ColumnElement[bool]:
    return and_(EXPERIMENTS.id == id, EXPERIMENTS.attempt == attempt, EXPERIMENTS.status == Status.RUNNING)


HOLDS = _holds(bindparam("fence_id"), bindparam("fence_attempt"))
"""The condition that a fence holds, for a statement that is executed with `Fence.parameters`."""


class FenceLost(Exception):
    """The experiment no longer belongs to this attempt. The worker must stop and write nothing more."""


class CancelRequested(Exception):
    """A client has asked to cancel the experiment. The worker must stop and call `end_cancelled`."""


@dataclass(frozen=True)
class Fence:
    """An experiment and the attempt that may write to it: the fencing token of a worker."""

    id: UUID
    attempt: int

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of a statement's HOLDS."""
        return {"fence_id": self.id, "fence_attempt": self.attempt}

    @property
    def holds(self) -> ColumnElement[bool]:
        """The condition that it holds, for a statement of this fence alone."""
        return _holds(self.id, self.attempt)


@dataclass(frozen=True)
class Checkpoint:
    """A file to resume from, with the epochs completed and the steps done when it was written."""

    epoch: int
    step: int
    path: str
    sha256: str


@dataclass(frozen=True)
class Claim:
    """An experiment that a worker has claimed, and what it needs to run it."""

    fence: Fence
    spec: dict[str, Any]
    checkpoint: Checkpoint | None
    execution: dict[str, Any] | None
    lost_count: int
    waited_seconds: float | None = None
    """The time from the submission to this claim; None where an earlier attempt was claimed before."""

    @classmethod
    def of(cls, row: Experiment) -> Self:
        checkpoint = None
        if row.checkpoint_path is not None:
            checkpoint = Checkpoint(
                row.checkpoint_epoch or 0, row.checkpoint_step or 0, row.checkpoint_path, row.checkpoint_sha256 or ""
            )
        waited = (row.started_at - row.created_at).total_seconds() if row.started_at and row.attempt == 1 else None
        return cls(Fence(row.id, row.attempt), row.spec, checkpoint, row.execution, row.lost_count, waited)


@dataclass(frozen=True)
class Lease:
    """A running experiment and the end of its lease. `expired` is judged by the database's clock."""

    fence: Fence
    until: datetime
    expired: bool


def over(lease_seconds: float) -> ColumnElement[bool]:
    """Return the condition that a lease has run out by the database's clock.

    A lease that ends more than `lease_seconds` ahead counts as run out too: the clock has been set back since it was
    given, and a dead worker would otherwise keep its experiment for as long.
    """
    return or_(Experiment.lease_until < now(), Experiment.lease_until > after(lease_seconds + MARGIN_SECONDS))


_TOUCH = update(table_of(Experiment)).where(HOLDS).values(lease_until=EXPERIMENTS.lease_until)


def touch(session: Session, fences: Sequence[Fence]) -> None:
    """Write the rows that a renewal would write, without changing them."""
    for fence in sorted(fences, key=lambda f: f.id):
        session.execute(_TOUCH, fence.parameters)


def running(session: Session, lease_seconds: float = LONGEST_SECONDS) -> list[Lease]:
    """Return the leases of all running experiments. `lease_seconds` is the longest lease that workers take."""
    columns = (Experiment.id, Experiment.attempt, Experiment.lease_until, over(lease_seconds))
    rows = session.execute(select(*columns).where(Experiment.status == Status.RUNNING).order_by(Experiment.id))
    return [Lease(Fence(id, attempt), until, expired) for id, attempt, until, expired in rows if until is not None]
