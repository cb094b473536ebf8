"""`actlab up`: upgrade the database, run the API and a worker, restart them, and stop them cleanly."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from actlab.client import Client
from service.background import reaper
from service.domain.errors import ConfigurationError
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database, open_database
from service.storage.records import workers
from service.storage.tables.base import new_id

START_SECONDS = 90.0
STOP_SECONDS = 20.0
LOOK_SECONDS = 0.2
SETTLED_SECONDS = 30.0  # a child that ran for so long is restarted at once

log = structlog.get_logger(__name__)


@dataclass
class Child:
    """A process that is restarted when it ends. `arguments` returns its command line for each start."""

    name: str
    arguments: Callable[[], list[str]]
    longest_pause: float
    on_end: Callable[[int], None] = lambda status: None
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    not_before: float = 0.0

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops everything in order.
        command = [sys.executable, "-m", "actlab", *self.arguments(), "--parent", str(os.getpid())]
        self.process = subprocess.Popen(command, start_new_session=True)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Start the process unless it runs. The pause before a restart doubles each time it fails early."""
        if self.process is None:
            if time.monotonic() >= self.not_before:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        lived = time.monotonic() - self.started
        self.failures = 0 if lived > SETTLED_SECONDS or status == 0 else self.failures + 1
        self.not_before = time.monotonic() + min(self.longest_pause, 2.0**self.failures - 1)
        self.process = None
        log.warning("child_ended", child=self.name, status=status, lived=round(lived, 1))
        self.on_end(status)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, and kill it after so many seconds."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            log.warning("child_killed", child=self.name)
            self.process.kill()
            self.process.wait()


@dataclass
class Supervisor:
    """The processes of one service: an API and a worker, in one data folder."""

    settings: Settings
    stopping: Shutdown = field(default_factory=Shutdown)

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM, and return the exit status."""
        self.settings.check_exposure()
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with _only_one(self.settings):
            _check_port(self.settings)
            self._prepare()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: self.stopping.request())
            return self._serve()

    def _prepare(self) -> None:
        # Wakes of an earlier run mean nothing: the queue is in SQL.
        shutil.rmtree(self.settings.spool, ignore_errors=True)
        database = open_database(self.settings)
        migrate.upgrade(database)
        database.close()

    def _serve(self) -> int:
        database = open_database(self.settings)
        worker = _Worker(database, self.settings)
        insecure = ["--insecure"] if self.settings.insecure else []
        pause = self.settings.restart_seconds
        api = Child("api", lambda: ["serve", *insecure], pause)
        worker_child = Child("worker", worker.arguments, pause, worker.ended)
        children = [api, worker_child]
        try:
            for child in children:
                child.start()
            if not self._answers(api):
                return 1
            log.info("up", url=self.settings.url, docs=f"{self.settings.url}/docs", home=str(self.settings.home))
            while not self.stopping.requested:
                for child in children:
                    child.tend()
                time.sleep(LOOK_SECONDS)
            return 0
        finally:
            self.stopping.request()
            _stop(children)
            worker.ended(0 if worker_child.process is None else worker_child.process.returncode, counted=False)
            database.close()

    def _answers(self, api: Child) -> bool:
        """Wait for the API; return False, after logging the reason, if it ends or does not answer."""
        deadline = time.monotonic() + START_SECONDS
        with Client(self.settings.url) as client:
            while time.monotonic() < deadline and not self.stopping.requested:
                if api.process is None or api.process.poll() is not None:
                    log.error("api_did_not_start", hint=f"is port {self.settings.port} taken? Set ACTLAB_PORT.")
                    return False
                if client.healthy():
                    return True
                time.sleep(0.1)
        log.error("api_silent", seconds=START_SECONDS)
        return self.stopping.requested


class _Worker:
    """The worker process. Each start has an id, so that its experiments can be requeued as soon as it ends."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._id = ""

    def arguments(self) -> list[str]:
        self._id = new_id().hex
        return ["worker", "--id", self._id]

    def ended(self, status: int, counted: bool = True) -> None:
        """Requeue the experiments of the process, as a counted loss unless it was stopped on purpose.

        If the database is away, the reaper requeues them when their leases run out.
        """
        reason = f"signal {-status}" if status < 0 else f"exit status {status}"
        try:
            detail = f"The worker process ended with {reason}."
            lost = reaper.requeue_from_dead(self._database, self._settings, self._id, detail, counted)
            self._database.run("leave", lambda session: workers.leave(session, self._id))
        except DBAPIError as error:
            log.warning("worker_not_requeued", worker=self._id, error=str(error.orig))
            return
        if lost:
            log.warning("worker_lost", requeued=[str(fence.id) for fence in lost], reason=reason)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Lock the data folder. Raises ConfigurationError, which names the process that has it."""
    holder = settings.home / "up.json"
    lock = FileLock(settings.home / "up.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        remedy = "Stop it, or set ACTLAB_HOME to another folder"
        raise ConfigurationError(f"{settings.home} is in use by {_described(holder)}. {remedy}.") from error
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "url": settings.url}))
        yield
        holder.unlink(missing_ok=True)
    finally:
        lock.release()


def _check_port(settings: Settings) -> None:
    """Raise ConfigurationError if another process uses the port: it would answer in place of the API."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        where = f"port {settings.port} of {settings.host}"
        raise ConfigurationError(
            f"The API cannot use {where}: {error.strerror}. Set ACTLAB_PORT to another port."
        ) from error


def _described(holder: Path) -> str:
    try:
        process = json.loads(holder.read_text())
        return f"process {process['pid']} ({process['url']})"
    except (OSError, ValueError, KeyError):
        return "another process"


def _stop(children: list[Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.stop()
    for child in reversed(children):
        child.wait(deadline - time.monotonic())
