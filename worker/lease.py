"""The thread that renews a worker's leases, sends its heartbeats, and reads cancel requests and lost leases."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.observability.work import WorkMetrics
from service.process import attempt_log
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import attempts, workers
from worker.identity import Identity

FLAG_SECONDS = 0.5

log = structlog.get_logger(__name__)


class HeldLease:
    """The lease of an experiment that this worker runs. The renewer's thread sets its flags, the training step reads
    them."""

    def __init__(self, fence: Fence, log_file: Path) -> None:
        self.fence = fence
        self.log_file = log_file
        self.cancel_requested = False
        self.lost = False
        self.logged = ""


class LeaseRenewer:
    """Renews leases in a thread beside the training step. It never stops the step: it sets flags that the step checks.

    `leases`: those of the experiments that this worker runs.
    """

    def __init__(self, database: Database, settings: Settings, identity: Identity, metrics: WorkMetrics) -> None:
        self._metrics = metrics
        self._database = database
        self._settings = settings
        self._identity = identity
        self.leases: list[HeldLease] = []
        self._renew_at = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self._unreachable = False
        self._thread = threading.Thread(target=self._run, name="lease-renewer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and delete the worker's row."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)
        self._attempt(lambda: self._database.run("leave", lambda s: workers.leave(s, self._identity.id)))

    @contextmanager
    def holding(self, fence: Fence, log_file: Path) -> Iterator[HeldLease]:
        """Renew the lease of this experiment for as long as the block runs."""
        lease = HeldLease(fence, log_file)
        self.leases = [*self.leases, lease]
        self._beat_soon()
        try:
            yield lease
        finally:
            self.leases = [other for other in self.leases if other is not lease]
            self._beat_soon()

    def _beat_soon(self) -> None:
        self._renew_at = 0.0
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._attempt(self._beat)
            self._wake.wait(FLAG_SECONDS if self.leases else self._settings.renew_seconds)
            self._wake.clear()

    def _attempt(self, work: Callable[[], object]) -> None:
        """Do `work`, and log a database that is unreachable: until the lease ends, the step may go on."""
        try:
            work()
            self._unreachable = False
        except (DBAPIError, PoolTimeout) as error:
            if not self._unreachable:
                log.warning("database_away", thread="lease_renewer", error=str(error.__cause__ or error))
            self._unreachable = True
        except Exception:
            log.exception("lease_renewer_failed")

    def _beat(self) -> None:
        leases = self.leases
        if leases:
            self._read_flags(leases)
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + self._settings.renew_seconds
            self._renew_or_count(leases)

    def _read_flags(self, leases: list[HeldLease]) -> None:
        with self._database.read() as session:
            flags = transitions.flags(session, [lease.fence for lease in leases])
        for lease in leases:
            lease.lost = lease.lost or lease.fence.id not in flags
            lease.cancel_requested = flags.get(lease.fence.id, False)

    def _renew_or_count(self, leases: list[HeldLease]) -> None:
        try:
            self._renew(leases)
        except (DBAPIError, PoolTimeout):
            self._metrics.renewal_failed(len(leases))
            raise

    def _renew(self, leases: list[HeldLease]) -> None:
        heartbeat = self._identity.heartbeat([str(lease.fence.id) for lease in leases])
        grown = [(lease, tail) for lease in leases if (tail := attempt_log.tail(lease.log_file)) != lease.logged]
        with self._database.write("renew") as session:
            renewed = transitions.renew(session, [lease.fence for lease in leases], self._settings.lease_seconds)
            for lease, tail in grown:
                attempts.keep_log(session, lease.fence.id, lease.fence.attempt, tail)
            workers.beat(session, heartbeat)
        for lease, tail in grown:
            lease.logged = tail
        for lease in leases:
            lease.lost = lease.lost or lease.fence.id not in renewed
        self._metrics.renewed(len(renewed), len(leases) - len(renewed))
