"""`actlab up`: upgrade the database, run the API and workers, restart them, and stop them cleanly."""

import errno
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from filelock import FileLock, Timeout
from sqlalchemy import make_url

from actlab import holder, ports, predecessors
from actlab.child import Child
from actlab.client import Client
from actlab.holder import Holder
from actlab.pool import WorkerPool
from service.api import exposure
from service.domain.errors import ConfigurationError
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import open_database

START_SECONDS = 90.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.1
PORT_SECONDS = 5.0  # for a port that its process is about to release

log = structlog.get_logger(__name__)


@dataclass
class Supervisor:
    """The processes of one service: an API and its workers, in one data folder."""

    settings: Settings
    stopping: Shutdown = field(default_factory=Shutdown)

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM, and return the exit status. Raises ConfigurationError where it cannot start,
        and where its data folder is deleted."""
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with _only_one(self.settings):
            if killed := holder.read(self.settings.home):  # one that ended by itself has removed it
                predecessors.await_ended(killed.pid)
            if self.settings.port == 0:
                port = ports.free_port(self.settings.host)
                self.settings = self.settings.model_copy(update={"port": port})
            _await_port(self.settings)
            Holder(os.getpid(), self.settings.own_url).write(self.settings.home)
            self._prepare()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stopping.request())
            return self._serve()

    def _prepare(self) -> None:
        # Wakes of an earlier run mean nothing: the queue is in SQL.
        shutil.rmtree(self.settings.spool, ignore_errors=True)
        database = open_database(self.settings)
        migrate.upgrade(database)
        try:
            exposure.prepare(self.settings, database)
        finally:
            database.close()

    def _serve(self) -> int:
        database = open_database(self.settings)
        files = _Files(self.settings)
        pool = WorkerPool(database, self.settings)
        options = ["--port", str(self.settings.port), *(["--insecure"] if self.settings.insecure else [])]
        api = Child("api", lambda: ["serve", *options], self.settings.restart_seconds)
        try:
            api.start()
            pool.start()
            return self._tend(api, pool, files) if self._answers(api) else 1
        except FilesGone:
            for child in (api, *pool.children):  # they have nothing left to save, and would make the folder again
                child.kill()
            raise
        finally:
            self.stopping.request()
            if not files.gone():
                Holder(os.getpid(), self.settings.own_url, stopping=True).write(self.settings.home)
            _stop([api, *pool.children])
            if not files.gone():
                pool.stopped()
            database.close()

    def _tend(self, api: Child, pool: WorkerPool, files: "_Files") -> int:
        """Restart what ends until a signal asks to stop, and return the exit status. Raises FilesGone."""
        log.info("up", url=self.settings.own_url, docs=f"{self.settings.own_url}/docs", home=str(self.settings.home))
        while not self.stopping.requested:
            files.check()
            api.tend()
            pool.tend()
            time.sleep(LOOK_SECONDS)
        return 0

    def _answers(self, api: Child) -> bool:
        """Wait for the API; return False, after logging the reason, if it ends or does not answer."""
        deadline = time.monotonic() + START_SECONDS
        with Client(self.settings.own_url) as client:
            while time.monotonic() < deadline and not self.stopping.requested:
                if api.process is None or api.process.poll() is not None:
                    log.error("api_did_not_start", hint=f"is port {self.settings.port} taken? Set ACTLAB_PORT.")
                    return False
                if client.healthy():
                    return True
                time.sleep(0.1)
        log.error("api_silent", seconds=START_SECONDS)
        return self.stopping.requested


class FilesGone(ConfigurationError):
    """The data folder of a running service, or the database in it, was deleted or replaced."""


class _Files:
    """The data folder and the SQLite database, as they were at the start: by device and inode."""

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database)
        database = [Path(url.database)] if url.get_backend_name() == "sqlite" and url.database else []
        self._identities = {path: _identity(path) for path in (settings.home.resolve(), *database)}

    def check(self) -> None:
        """Raise FilesGone unless all are still there and the same: processes would go on in what nobody can reach."""
        if path := self.gone():
            raise FilesGone(
                f"{path} was deleted or replaced while the service ran, which cannot go on without it. Stop the service"
                " before you move its files; start it again to begin with what is there now."
            )

    def gone(self) -> Path | None:
        """Return the first of the files that is not there any more, or not the same."""
        return next((path for path, identity in self._identities.items() if _identity(path) != identity), None)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Lock the data folder, after waiting for a process that is stopping there.

    Raises ConfigurationError, which names the process that has it.
    """
    lock = FileLock(settings.home / "up.lock")
    try:
        _acquire(lock, settings.home)
    except Timeout as error:
        process = holder.read(settings.home) or "another process"
        remedy = "Stop it, or set ACTLAB_HOME to another folder"
        raise ConfigurationError(f"{settings.home} is in use by {process}. {remedy}.") from error
    try:
        yield
        holder.remove(settings.home)
    finally:
        lock.release()


def _acquire(lock: FileLock, home: Path) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        process = holder.read(home)
        if process is None or not process.stopping:
            raise
        log.info("waits_for_ending_processes", pids=[process.pid])
        lock.acquire(timeout=STOP_SECONDS + PORT_SECONDS)


def _await_port(settings: Settings) -> None:
    """Raise ConfigurationError if another process keeps the port: it would answer in place of the API."""
    deadline = time.monotonic() + PORT_SECONDS
    while (problem := ports.bind_problem(settings.host, settings.port)) is not None:
        if problem.errno != errno.EADDRINUSE or time.monotonic() > deadline:
            where = f"port {settings.port} of {settings.host}"
            raise ConfigurationError(
                f"The API cannot use {where}: {problem.strerror}. Set ACTLAB_PORT to another port."
            ) from problem
        time.sleep(LOOK_SECONDS)


def _stop(children: list[Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.stop()
    for child in reversed(children):
        child.wait(deadline - time.monotonic())
