"""Finds experiments whose worker went silent and hands them on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from service.process import attempt_log
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import leases, lost_workers
from service.storage.queue.leases import Fence, Lease
from service.storage.queue.lost_workers import LostWorker
from service.storage.records import attempts

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Watch:
    """A lease that has not changed since `since` on this process's clock; `alive`: it had not expired then."""

    attempt: int
    until: datetime
    since: float
    alive: bool


class Reaper:
    """Takes an experiment away only after it has itself watched the lease, unchanged and with the database answering
    and taking writes, for a whole lease. Whatever held everybody up (the database, the machine) then gets its worker
    the time to renew.

    A lease that had run out before anybody looked is nobody's fault: it is requeued without counting a loss.
    """

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._watched: dict[UUID, _Watch] = {}

    def look(self) -> list[Fence]:
        """One round; what it took away."""
        try:
            return self._look()
        except Exception:
            self._watched.clear()  # a gap in the watch: begin again
            raise

    def _look(self) -> list[Fence]:
        with self._database.read() as session:
            found = leases.running(session, self._settings.lease_seconds)
        self._watched = {lease.fence.id: self._watch(lease) for lease in found}
        silent = [lease for lease in found if self._watched_for(lease) >= self._settings.lease_seconds / 2]
        if silent and not self._could_renew(silent):
            self._watched.clear()
            return []
        return [lease.fence for lease in silent if self._is_lost(lease) and self._take(lease)]

    def _watch(self, lease: Lease) -> _Watch:
        before = self._watched.get(lease.fence.id)
        if before is not None and (before.attempt, before.until) == (lease.fence.attempt, lease.until):
            return before
        return _Watch(lease.fence.attempt, lease.until, self._clock(), alive=not lease.expired)

    def _watched_for(self, lease: Lease) -> float:
        return self._clock() - self._watched[lease.fence.id].since

    def _could_renew(self, silent: list[Lease]) -> bool:
        """Whether the database takes, and soon, what their workers would write: one that is read from may still be one
        that nobody writes to, because another transaction holds it or its disk is full."""
        started = self._clock()
        self._database.run("watch", lambda s: leases.touch(s, [lease.fence for lease in silent]))
        return self._clock() - started < self._settings.lease_seconds / 8

    def _is_lost(self, lease: Lease) -> bool:
        return lease.expired and self._watched_for(lease) >= self._settings.lease_seconds

    def _take(self, lease: Lease) -> bool:
        lost_worker = LostWorker(
            self._settings.max_losses,
            counted=self._watched[lease.fence.id].alive,
            detail=f"The worker did not renew its lease of {self._settings.lease_seconds:g} s.",
        )
        taken = self._database.run(
            "reap",
            lambda s: lost_workers.requeue_expired(
                s, lease.fence, lease.until, lost_worker, self._settings.lease_seconds
            ),
        )
        if taken:
            log.warning("lease_expired", experiment=str(lease.fence.id), attempt=lease.fence.attempt)
            keep_log(self._database, self._settings, lease.fence)
        return taken


def requeue_from_dead(
    database: Database, settings: Settings, worker: str, detail: str, counted: bool = True
) -> list[Fence]:
    """Requeue at once what a worker process held that its supervisor saw die."""
    lost_worker = LostWorker(settings.max_losses, counted=counted, detail=detail)
    lost = database.run("requeue_from_dead", lambda s: lost_workers.requeue_owned(s, worker, lost_worker))
    for fence in lost:
        keep_log(database, settings, fence)
    return lost


def keep_log(database: Database, settings: Settings, fence: Fence) -> None:
    """Store what the dead worker wrote last, where its log lies on this machine's disk."""
    tail = attempt_log.tail(attempt_log.path(settings.logs, fence.id, fence.attempt))
    if tail:
        database.run("keep_log", lambda s: attempts.keep_log(s, fence.id, fence.attempt, tail))
