"""Invariants of everything that the database stores, stated without the model and the constraints of the tables."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.database import Database
from service.storage.queue.leases import Checkpoint
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Attempt, Experiment, Result, Trace
from tests.storage.model import Expected


@dataclass
class Stored:
    """The rows of the database, read in one consistent snapshot."""

    counter: int
    rows: dict[UUID, Experiment] = field(default_factory=dict)
    epochs: dict[UUID, list[Epoch]] = field(default_factory=dict)
    attempts: dict[UUID, list[Attempt]] = field(default_factory=dict)
    results: dict[UUID, int] = field(default_factory=dict)
    trace: list[Trace] = field(default_factory=list)

    @classmethod
    def read(cls, database: Database) -> "Stored":
        with database.read() as session:
            stored = cls(session.scalars(select(ChangeCounter.value)).one())
            stored.rows = {row.id: row for row in session.scalars(select(Experiment))}
            stored.epochs = {id: [] for id in stored.rows}
            stored.attempts = {id: [] for id in stored.rows}
            for epoch in session.scalars(select(Epoch).order_by(Epoch.epoch)):
                stored.epochs[epoch.experiment_id].append(epoch)
            for attempt in session.scalars(select(Attempt).order_by(Attempt.attempt)):
                stored.attempts[attempt.experiment_id].append(attempt)
            stored.results = {result.experiment_id: result.attempt for result in session.scalars(select(Result))}
            stored.trace = list(session.scalars(select(Trace).order_by(Trace.seq)))
        return stored

    def as_expected(self) -> dict[UUID, Expected]:
        return {id: self._one(row) for id, row in self.rows.items()}

    def _one(self, row: Experiment) -> Expected:
        return Expected(
            status=Status(row.status),
            cause=None if row.cause is None else Cause(row.cause),
            attempt=row.attempt,
            lost=row.lost_count,
            owner=row.owner,
            cancel=row.cancel_requested,
            checkpoint=_checkpoint(row),
            furthest=row.furthest_step,
            epochs={epoch.epoch: epoch.train_loss or 0.0 for epoch in self.epochs[row.id]},
            outcomes=[
                None if attempt.outcome is None else Outcome(attempt.outcome) for attempt in self.attempts[row.id]
            ],
            result=self.results.get(row.id),
            retry_of=row.retry_of,
        )


def _checkpoint(row: Experiment) -> Checkpoint | None:
    if row.checkpoint_path is None:
        return None
    assert row.checkpoint_epoch is not None
    assert row.checkpoint_step is not None
    assert row.checkpoint_sha256 is not None
    return Checkpoint(row.checkpoint_epoch, row.checkpoint_step, row.checkpoint_path, row.checkpoint_sha256)


# --- of one snapshot -------------------------------------------------------------------------------------------------


def check(stored: Stored, max_losses: int) -> None:
    for id, row in stored.rows.items():
        _is_consistent(row, max_losses)
        _has_contiguous_epochs(row, stored.epochs[id])
        _has_ended_attempts(row, stored.attempts[id])
    _each_success_has_one_result(stored)
    _nothing_stale_was_written(stored.trace)


def _is_consistent(row: Experiment, max_losses: int) -> None:
    status = Status(row.status)
    running = status == Status.RUNNING
    assert (row.owner is not None, row.lease_until is not None) == (running, running)
    assert (row.finished_at is not None) == status.terminal
    assert (row.cause is not None) == (status in (Status.FAILED, Status.CANCELLED))
    assert (row.cause == Cause.CANCELLED) == (status == Status.CANCELLED)
    assert not (row.cancel_requested and status in (Status.QUEUED, Status.SUCCEEDED))
    assert 0 <= row.lost_count <= max_losses
    assert row.lost_count < max_losses or status.terminal


def _has_contiguous_epochs(row: Experiment, epochs: list[Epoch]) -> None:
    assert [epoch.epoch for epoch in epochs] == list(range(1, row.epochs_done + 1))
    assert all(epoch.attempt <= row.attempt for epoch in epochs)


def _has_ended_attempts(row: Experiment, attempts: list[Attempt]) -> None:
    assert [attempt.attempt for attempt in attempts] == list(range(1, row.attempt + 1))
    open_ones = [attempt.attempt for attempt in attempts if attempt.outcome is None]
    assert open_ones == ([row.attempt] if row.status == Status.RUNNING else [])


def _each_success_has_one_result(stored: Stored) -> None:
    succeeded = {id: row.attempt for id, row in stored.rows.items() if row.status == Status.SUCCEEDED}
    assert stored.results == succeeded


def _nothing_stale_was_written(trace: list[Trace]) -> None:
    newest: dict[UUID, int] = {}
    for line in trace:
        if line.transition == "claim":
            assert line.attempt == newest.get(line.experiment_id, 0) + 1, "an attempt was claimed twice"
            newest[line.experiment_id] = line.attempt
        assert line.attempt == newest.get(line.experiment_id, 0), f"attempt {line.attempt} wrote after a newer claim"


# --- from one snapshot to the next -----------------------------------------------------------------------------------

# Fields of a terminal experiment that never change. A client may edit others, and a delete may clear `retry_of`.
FINAL = ("status", "cause", "detail", "attempt", "lost_count", "epochs_done", "checkpoint_path", "finished_at",
         "test_accuracy", "cancel_requested")  # fmt: skip


def check_step(before: Stored, after: Stored, changed: set[UUID]) -> None:
    """Check two snapshots with one transaction between them, which visibly changed the experiments `changed`."""
    assert after.counter - before.counter in (0, 1), "one transaction takes one revision"
    for id, row in after.rows.items():
        earlier = before.rows.get(id)
        _is_stamped(row, earlier, after.counter, changed=id in changed)
        if earlier is not None:
            assert row.attempt >= earlier.attempt
        if earlier is not None and Status(earlier.status).terminal:
            assert _final(row) == _final(earlier), "a terminal state changed"


def _is_stamped(row: Experiment, earlier: Experiment | None, counter: int, *, changed: bool) -> None:
    if earlier is not None and not changed:
        assert row.revision == earlier.revision, "nothing changed, but the revision did"
        return
    assert row.revision == counter
    assert earlier is None or row.revision > earlier.revision


def _final(row: Experiment) -> list[Any]:
    return [getattr(row, name) for name in FINAL]
