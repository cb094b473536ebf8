"""What a worker holds while it runs an experiment, and how it learns that it holds it no longer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from service.domain.status import Status
from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND
from service.storage.tables.experiments import Experiment

LONGEST_SECONDS = 3600.0  # that ACTLAB_LEASE_SECONDS may say
MARGIN_SECONDS = 1.0  # by which clocks are put right without having been wrong


class FenceLost(Exception):
    """The experiment is no longer this attempt's: stop, and write nothing more."""


class CancelRequested(Exception):
    """Somebody asked to cancel it: stop, and report so."""


@dataclass(frozen=True)
class Fence:
    """What a worker must still hold for a write of its own to count."""

    id: UUID
    attempt: int

    @property
    def holds(self) -> ColumnElement[bool]:
        return and_(Experiment.id == self.id, Experiment.attempt == self.attempt, Experiment.status == Status.RUNNING)


@dataclass(frozen=True)
class Checkpoint:
    """A file to resume from: epochs completed and steps done when it was written."""

    epoch: int
    step: int
    path: str
    sha256: str


@dataclass(frozen=True)
class Claim:
    """An experiment that a worker now holds."""

    fence: Fence
    spec: dict[str, Any]
    checkpoint: Checkpoint | None
    execution: dict[str, Any] | None
    lost_count: int

    @classmethod
    def of(cls, row: Experiment) -> Self:
        checkpoint = None
        if row.checkpoint_path is not None:
            checkpoint = Checkpoint(
                row.checkpoint_epoch or 0, row.checkpoint_step or 0, row.checkpoint_path, row.checkpoint_sha256 or ""
            )
        return cls(Fence(row.id, row.attempt), row.spec, checkpoint, row.execution, row.lost_count)


@dataclass(frozen=True)
class Lease:
    """A running experiment as others see it."""

    fence: Fence
    until: datetime
    expired: bool


def over(lease_seconds: float) -> ColumnElement[bool]:
    """Whether a lease has run out by the database's clock, or lies so far ahead that this clock cannot have given it:
    it has been set back since, and would otherwise keep a dead worker's experiment for as long."""
    return or_(Experiment.lease_until < now(), Experiment.lease_until > after(lease_seconds + MARGIN_SECONDS))


def touch(session: Session, fences: Sequence[Fence]) -> None:
    """Write what a renewal would write, and change nothing."""
    for fence in sorted(fences, key=lambda f: f.id):
        same = update(Experiment).where(fence.holds).values(lease_until=Experiment.lease_until)
        session.execute(same, execution_options=BLIND)


def running(session: Session, lease_seconds: float = LONGEST_SECONDS) -> list[Lease]:
    """Every lease there is; workers give themselves `lease_seconds` at most."""
    columns = (Experiment.id, Experiment.attempt, Experiment.lease_until, over(lease_seconds))
    rows = session.execute(select(*columns).where(Experiment.status == Status.RUNNING).order_by(Experiment.id))
    return [Lease(Fence(id, attempt), until, expired) for id, attempt, until, expired in rows if until is not None]
