"""A model of the life cycle in plain Python, without SQL, clock or concurrency, for test_machine.py to compare."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from service.domain.status import Cause, Outcome, Status
from service.storage.queue.leases import CancelRequested, Checkpoint, Fence, FenceLost
from service.storage.queue.lost_workers import LostWorker


@dataclass
class Expected:
    """An experiment as the model expects it.

    `lease` numbers its leases; 0 is none. Comparisons use the fields that the database stores as such.
    """

    status: Status = Status.QUEUED
    cause: Cause | None = None
    attempt: int = 0
    lost: int = 0
    owner: str | None = None
    lease: int = field(default=0, compare=False)
    expired: bool = field(default=False, compare=False)
    backing_off: bool = field(default=False, compare=False)
    cancel: bool = False
    checkpoint: Checkpoint | None = None
    furthest: int | None = None
    epochs: dict[int, float] = field(default_factory=dict)
    outcomes: list[Outcome | None] = field(default_factory=list)
    result: int | None = None
    retry_of: UUID | None = None

    def end(self, status: Status, outcome: Outcome, cause: Cause | None = None) -> None:
        """Leave `running` for another status."""
        self.status, self.cause, self.outcomes[-1] = status, cause, outcome
        self.owner, self.lease, self.expired = None, 0, False

    def rewind(self) -> bool:
        """Delete the epochs past the checkpoint; return whether there were any."""
        last = self.checkpoint.epoch if self.checkpoint else 0
        before = len(self.epochs)
        self.epochs = {epoch: loss for epoch, loss in self.epochs.items() if epoch <= last}
        return len(self.epochs) != before


class World:
    """The experiments in the order of creation, and those that the present step has changed."""

    def __init__(self) -> None:
        self.experiments: dict[UUID, Expected] = {}
        self.changed: set[UUID] = set()

    # --- clients ---------------------------------------------------------------------------------------------------

    def submit(self, id: UUID, retry_of: UUID | None = None) -> None:
        self.experiments[id] = Expected(retry_of=retry_of)
        self.changed.add(id)

    def cancel(self, ids: set[UUID]) -> set[UUID]:
        cancelled = {id for id in ids & self.experiments.keys() if self._may_be_cancelled(self.experiments[id])}
        for row in (self.experiments[id] for id in cancelled):
            row.cancel = True
            if row.status == Status.QUEUED:
                row.status, row.cause = Status.CANCELLED, Cause.CANCELLED
        self.changed |= cancelled
        return cancelled

    @staticmethod
    def _may_be_cancelled(row: Expected) -> bool:
        return not row.status.terminal and not row.cancel

    def remove(self, id: UUID) -> bool:
        row = self.experiments.get(id)
        if row is None or not row.status.terminal:
            return False
        del self.experiments[id]
        for other, retry in self.experiments.items():
            if retry.retry_of == id:
                retry.retry_of = None
                self.changed.add(other)
        return True

    # --- a worker --------------------------------------------------------------------------------------------------

    def claim(self, owner: str, limit: int, lease: int) -> list[Fence]:
        owned = sorted(id for id, row in self.experiments.items() if row.owner == owner)[:limit]
        if owned:
            self.changed |= {id for id in owned if self.experiments[id].rewind()}
            return [Fence(id, self.experiments[id].attempt) for id in owned]
        due = sorted(list(self._due())[:limit])
        for id in due:
            row = self.experiments[id]
            row.status, row.owner, row.attempt, row.lease = Status.RUNNING, owner, row.attempt + 1, lease
            row.rewind()
            row.outcomes.append(None)
        self.changed |= set(due)
        return [Fence(id, self.experiments[id].attempt) for id in due]

    def _due(self) -> Iterator[UUID]:
        return (id for id, row in self.experiments.items() if row.status == Status.QUEUED and not row.backing_off)

    def renew(self, fence: Fence, lease: int) -> set[UUID]:
        row = self._running(fence)
        if row is None:
            return set()
        row.lease, row.expired = lease, False
        return {fence.id}

    def record(self, fence: Fence, epoch: int, loss: float) -> None:
        self._guarded(fence).epochs[epoch] = loss

    def record_checkpoint(self, fence: Fence, checkpoint: Checkpoint) -> None:
        row = self._guarded(fence)
        if row.furthest is None or row.furthest < checkpoint.step:
            row.lost, row.furthest = 0, checkpoint.step
        row.checkpoint = checkpoint

    def start_over(self, fence: Fence) -> None:
        row = self._guarded(fence)
        row.checkpoint = None
        row.epochs = {}

    def succeed(self, fence: Fence) -> None:
        if not self._already(fence, Status.SUCCEEDED):
            row = self._guarded(fence)
            row.end(Status.SUCCEEDED, Outcome.SUCCEEDED)
            row.result = fence.attempt

    def fail(self, fence: Fence) -> None:
        if not (self._already(fence, Status.FAILED) or self._cancelled_instead(fence)):
            self._guarded(fence).end(Status.FAILED, Outcome.FAILED, Cause.DIVERGED)

    def end_cancelled(self, fence: Fence) -> None:
        if not (self._already(fence, Status.CANCELLED) or self._cancelled_instead(fence)):
            raise FenceLost(fence)

    def release(self, fence: Fence) -> None:
        if not self._cancelled_instead(fence):
            self._guarded(fence).end(Status.QUEUED, Outcome.RELEASED)

    def _cancelled_instead(self, fence: Fence) -> bool:
        row = self._running(fence)
        if row is None or not row.cancel:
            return False
        row.end(Status.CANCELLED, Outcome.CANCELLED, Cause.CANCELLED)
        self.changed.add(fence.id)
        return True

    def holds(self, fence: Fence) -> bool:
        return self._running(fence) is not None

    def _running(self, fence: Fence) -> Expected | None:
        row = self.experiments.get(fence.id)
        return row if row and (row.attempt, row.status) == (fence.attempt, Status.RUNNING) else None

    def _guarded(self, fence: Fence) -> Expected:
        row = self._running(fence)
        if row is None:
            raise FenceLost(fence)
        if row.cancel:
            raise CancelRequested(fence)
        self.changed.add(fence.id)
        return row

    def _already(self, fence: Fence, status: Status) -> bool:
        row = self.experiments.get(fence.id)
        return row is not None and (row.attempt, row.status) == (fence.attempt, status)

    # --- a reaper, and a supervisor --------------------------------------------------------------------------------

    def expire(self, id: UUID, lease: int) -> None:
        row = self.experiments[id]
        row.lease, row.expired = lease, True

    def requeue_expired(self, fence: Fence, lease: int, lost_worker: LostWorker) -> bool:
        row = self._running(fence)
        if row is None or row.lease != lease or not row.expired:
            return False
        self._lose(fence.id, lost_worker)
        return True

    def requeue_owned(self, owner: str, lost_worker: LostWorker) -> set[Fence]:
        lost = {Fence(id, row.attempt) for id, row in self.experiments.items() if row.owner == owner}
        for fence in lost:
            self._lose(fence.id, lost_worker)
        return lost

    def _lose(self, id: UUID, lost_worker: LostWorker) -> None:
        row = self.experiments[id]
        earlier, row.lost = row.lost, row.lost + int(lost_worker.counted)
        self.changed.add(id)
        if row.cancel:
            row.end(Status.CANCELLED, Outcome.LOST, Cause.CANCELLED)
        elif row.lost >= lost_worker.max_losses:
            row.end(Status.FAILED, Outcome.LOST, Cause.WORKER_LOST)
        else:
            row.end(Status.QUEUED, Outcome.LOST)
            row.backing_off = earlier > 0
