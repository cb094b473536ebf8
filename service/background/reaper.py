"""The reaper, which requeues the experiments of lost workers."""

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
    """A lease that has not changed since `since`, by this process's clock. `alive`: it had not expired then."""

    attempt: int
    until: datetime
    since: float
    alive: bool


class Reaper:
    """Requeues the experiments of workers whose lease has run out.

    It does so only after it has watched a lease, unchanged and while the database answered and took writes, for the
    time of a whole lease. After an outage of the database or the machine, workers thus have the time to renew.

    An experiment whose lease had run out before the first look is requeued without counting a loss.
    """

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._watched: dict[UUID, _Watch] = {}

    def look(self) -> list[Fence]:
        """Look at all leases once; return the fences of the experiments that were taken from their workers."""
        try:
            return self._look()
        except Exception:
            self._watched.clear()  # the watch has a gap, so it begins again
            raise

    def _look(self) -> list[Fence]:
        with self._database.read() as session:
            running = leases.running(session, self._settings.lease_seconds)
        self._watched = {lease.fence.id: self._watch(lease) for lease in running}
        silent = [lease for lease in running if self._watched_for(lease) >= self._settings.lease_seconds / 2]
        if silent and not self._could_renew(silent):
            self._watched.clear()
            return []
        return [lease.fence for lease in silent if self._is_lost(lease) and self._take(lease)]

    def _watch(self, lease: Lease) -> _Watch:
        watch = self._watched.get(lease.fence.id)
        if watch is not None and (watch.attempt, watch.until) == (lease.fence.attempt, lease.until):
            return watch
        return _Watch(lease.fence.attempt, lease.until, self._clock(), alive=not lease.expired)

    def _watched_for(self, lease: Lease) -> float:
        return self._clock() - self._watched[lease.fence.id].since

    def _could_renew(self, silent: list[Lease]) -> bool:
        """Return whether the database takes the writes of these workers' renewals, within an eighth of a lease.

        A database that answers reads may still take no writes, because another transaction locks it or its disk is
        full.
        """
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
        requeued = self._database.run(
            "reap",
            lambda s: lost_workers.requeue_expired(
                s, lease.fence, lease.until, lost_worker, self._settings.lease_seconds
            ),
        )
        if requeued:
            log.warning("lease_expired", experiment=str(lease.fence.id), attempt=lease.fence.attempt)
            keep_log(self._database, self._settings, lease.fence)
        return requeued


def requeue_from_dead(
    database: Database, settings: Settings, worker: str, detail: str, counted: bool = True
) -> list[Fence]:
    """Requeue at once the experiments of a worker process that its supervisor saw die; return their fences."""
    lost_worker = LostWorker(settings.max_losses, counted=counted, detail=detail)
    fences = database.run("requeue_from_dead", lambda s: lost_workers.requeue_owned(s, worker, lost_worker))
    for fence in fences:
        keep_log(database, settings, fence)
    return fences


def keep_log(database: Database, settings: Settings, fence: Fence) -> None:
    """Store the end of a lost attempt's log, where the log file is on this machine."""
    tail = attempt_log.tail(attempt_log.path(settings.logs, fence.id, fence.attempt))
    if tail:
        database.run("keep_log", lambda s: attempts.keep_log(s, fence.id, fence.attempt, tail))
