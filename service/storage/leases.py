"""What a worker holds while it runs an experiment, and how it learns that it holds it no longer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from service.domain.status import Status
from service.storage.clock import now
from service.storage.tables import Experiment


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


def running(session: Session) -> list[Lease]:
    """Every lease there is, by the database's clock."""
    columns = (Experiment.id, Experiment.attempt, Experiment.lease_until, Experiment.lease_until < now())
    rows = session.execute(select(*columns).where(Experiment.status == Status.RUNNING).order_by(Experiment.id))
    return [Lease(Fence(id, attempt), until, expired) for id, attempt, until, expired in rows if until is not None]
