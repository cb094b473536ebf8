"""Keeps what a worker holds: renews leases, reports that it is alive, and learns of cancels and of leases lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.process import attempt_log
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import attempts, workers
from worker.identity import Identity

LOOK_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Held:
    """One experiment that this worker runs. The keeper's thread sets the flags, the training step reads them."""

    def __init__(self, fence: Fence, log_file: Path) -> None:
        self.fence = fence
        self.log_file = log_file
        self.cancel_requested = False
        self.lost = False
        self.logged = ""


class Keeper:
    """A thread beside the training step. It never stops the step itself: it raises a flag, and the step obeys."""

    def __init__(self, database: Database, settings: Settings, identity: Identity) -> None:
        self._database = database
        self._settings = settings
        self._identity = identity
        self._held: list[Held] = []
        self._renew_at = 0.0
        self._wake = threading.Event()
        self._stopping = False
        self._away = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop, and leave the list of workers."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout=5)
        self._once(lambda: self._database.run("leave", lambda s: workers.leave(s, self._identity.id)))

    @contextmanager
    def holding(self, fence: Fence, log_file: Path) -> Iterator[Held]:
        """Keep this experiment's lease for as long as the block lasts."""
        held = Held(fence, log_file)
        self._held = [*self._held, held]
        self._beat_soon()
        try:
            yield held
        finally:
            self._held = [other for other in self._held if other is not held]
            self._beat_soon()

    def _beat_soon(self) -> None:
        self._renew_at = 0.0
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._once(self._look)
            self._wake.wait(LOOK_SECONDS if self._held else self._settings.renew_seconds)
            self._wake.clear()

    def _once(self, work: Callable[[], object]) -> None:
        """A database that is away is waited for: the lease runs on, and so does the step."""
        try:
            work()
            self._away = False
        except (DBAPIError, PoolTimeout) as error:
            if not self._away:
                log.warning("database_away", thread="keeper", error=str(error.__cause__ or error))
            self._away = True
        except Exception:
            log.exception("keeper_failed")

    def _look(self) -> None:
        held = self._held
        if held:
            self._read_flags(held)
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + self._settings.renew_seconds
            self._renew(held)

    def _read_flags(self, held: list[Held]) -> None:
        with self._database.read() as session:
            flags = transitions.flags(session, [one.fence for one in held])
        for one in held:
            one.lost = one.lost or one.fence.id not in flags
            one.cancel_requested = flags.get(one.fence.id, False)

    def _renew(self, held: list[Held]) -> None:
        heartbeat = self._identity.heartbeat([str(one.fence.id) for one in held])
        grown = [(one, tail) for one in held if (tail := attempt_log.tail(one.log_file)) != one.logged]
        with self._database.write("renew") as session:
            kept = transitions.renew(session, [one.fence for one in held], self._settings.lease_seconds)
            for one, tail in grown:
                attempts.keep_log(session, one.fence.id, one.fence.attempt, tail)
            workers.beat(session, heartbeat)
        for one, tail in grown:
            one.logged = tail
        for one in held:
            one.lost = one.lost or one.fence.id not in kept
