"""The worker processes of `actlab up`: as many as the processors can keep busy, and as have work."""

import time

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from actlab.child import Child
from service.background import reaper
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import order
from service.storage.records import workers
from service.storage.records.workers import Presence
from service.storage.tables.base import new_id
from worker.training.processors import usable_processors

MOST_WORKERS = 8
"""Workers that are started on CPU unless ACTLAB_WORKERS says otherwise; each takes 300 MiB and a share of the cores."""
LOOK_SECONDS = 1.0
IDLE_SECONDS = 180.0
"""The time without work after which a further worker is stopped: a start takes 5 s of processor time."""

log = structlog.get_logger(__name__)


def most_workers(settings: Settings) -> int:
    """Return the number of workers for this machine, as long as they train on CPU."""
    if settings.workers != "auto":
        return settings.workers
    return 1 if settings.device == "cuda" else max(1, min(MOST_WORKERS, usable_processors() // (settings.threads or 1)))


class WorkerPool:
    """One worker that always runs, and further ones that are started while experiments wait and all workers are busy.

    All workers of a pool have the same number of threads, which is fixed by their greatest number: experiments that are
    trained at the same time never share a core, and those of one study have one fingerprint.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._most = most_workers(settings)
        self._processes: list[WorkerProcess] = []
        self._first = self._new()
        self._look_at = 0.0

    @property
    def children(self) -> list[Child]:
        return [process.child for process in self._processes]

    def start(self) -> None:
        self._first.child.start()

    def tend(self) -> None:
        """Restart what ended, and start or stop further workers. Call it often."""
        for child in self.children:
            child.tend()
        if self._most > 1 and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            try:
                self._adjust()
            except (DBAPIError, PoolTimeout) as error:
                log.warning("database_away", thread="supervisor", error=str(error.__cause__ or error))

    def stopped(self) -> None:
        """Requeue what processes that were stopped on purpose have not released, without counting a loss."""
        for process in self._processes:
            process.stopped()

    def _adjust(self) -> None:
        wanted = [process for process in self._processes if process.child.wanted]
        with self._database.read() as session:
            due = order.count_due(session)
            presences = workers.presences(session, [process.id for process in wanted])
        for process in wanted:
            process.see(presences.get(process.id))
        idle = [process for process in wanted if not process.is_busy]
        if due > len(idle) and len(wanted) < self._limit(presences.get(self._first.id)):
            self._add()
        elif due == 0:
            self._retire(idle)

    def _limit(self, first: Presence | None) -> int:
        """Return how many workers may run. By default a machine with a GPU has one, which the first one reports."""
        on_cpu = first is not None and first.device == "cpu"
        return self._most if on_cpu or (first is not None and self._settings.workers != "auto") else 1

    def _add(self) -> None:
        process = next((process for process in self._processes if not process.child.wanted), None)
        if process is None:
            process = self._new()
        elif process.child.process is not None:  # it is still stopping
            return
        process.resume()
        log.info("worker_added", child=process.child.name)

    def _retire(self, idle: list["WorkerProcess"]) -> None:
        for process in idle:
            if process is not self._first and process.idle_seconds > IDLE_SECONDS:
                process.retire()
                log.info("worker_retired", child=process.child.name)

    def _new(self) -> "WorkerProcess":
        number = len(self._processes) + 1
        name = "worker" if number == 1 else f"worker-{number}"
        process = WorkerProcess(self._database, self._settings, name, self._most)
        self._processes.append(process)
        return process


class WorkerProcess:
    """A worker process. Each start has an id, so that its experiments can be requeued as soon as it ends.

    `share` is the number of workers among which the processors are divided.
    """

    def __init__(self, database: Database, settings: Settings, name: str, share: int) -> None:
        self._database = database
        self._settings = settings
        self._share = share
        self._idle_since = time.monotonic()
        self.id = ""
        self.is_busy = False
        self.child = Child(name, self._arguments, settings.restart_seconds, self._ended)

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self._idle_since

    def see(self, presence: Presence | None) -> None:
        """Note whether the process has work; one that has not reported yet is about to take some."""
        self.is_busy = presence is not None and presence.busy
        if self.is_busy or presence is None:
            self._idle_since = time.monotonic()

    def resume(self) -> None:
        self._idle_since = time.monotonic()
        self.child.wanted = True

    def retire(self) -> None:
        """Ask the process to stop; it is not started again before `resume`."""
        self.child.wanted = False
        self.child.stop()

    def stopped(self) -> None:
        try:
            self._requeue("The worker process was stopped.", counted=False)
        except DBAPIError as error:
            self._report(error)

    def _arguments(self) -> list[str]:
        self.id = new_id().hex
        return ["worker", "--id", self.id, "--share", str(self._share)]

    def _ended(self, status: int) -> bool:
        """Requeue the experiments of the process as a counted loss; return whether another process may do better.

        One that reported why it cannot start stays in the list of workers.
        """
        if not self.child.wanted:
            self.stopped()
            return True
        reason = f"signal {-status}" if status < 0 else f"exit status {status}"
        try:
            if self._has_problem():
                log.error("worker_not_restarted", hint="correct what it reported, then start again")
                return False
            self._requeue(f"The worker process ended with {reason}.", counted=True)
        except DBAPIError as error:
            self._report(error)
        return True

    def _has_problem(self) -> bool:
        with self._database.read() as session:
            return workers.problem_of(session, self.id) is not None

    def _requeue(self, detail: str, counted: bool) -> None:
        lost = reaper.requeue_from_dead(self._database, self._settings, self.id, detail, counted)
        self._database.run("leave", lambda session: workers.leave(session, self.id))
        if lost:
            log.warning("worker_lost", requeued=[str(fence.id) for fence in lost], reason=detail)

    def _report(self, error: DBAPIError) -> None:
        """Log a database that is away: the reaper requeues the experiments when their leases run out."""
        log.warning("worker_not_requeued", worker=self.id, error=str(error.orig))
