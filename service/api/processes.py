"""The processes of one API: one that serves itself, or several that it forks and replaces when they end."""

import multiprocessing
import os
import signal
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.context import ForkProcess
from pathlib import Path

import structlog
from fastapi import FastAPI

from service.api.server import freeze_imports, serve
from service.api.sockets import bound
from service.changefeed.feed import Listeners
from service.process.parent import end_with
from service.process.shutdown import Shutdown
from service.settings import Settings

START_SECONDS = 60.0
STOP_SECONDS = 10.0  # above the five that a server gives its requests
LOOK_SECONDS = 0.1
HANG_SECONDS = 30.0  # without a turn of the event loop, which has ten a second
SETTLED_SECONDS = 30.0  # a process that served for so long is replaced at once

log = structlog.get_logger(__name__)


def run(api: FastAPI, settings: Settings) -> int:
    """Serve until SIGINT or SIGTERM and return the exit status. Raises ConfigurationError where the port is taken."""
    sockets = bound(settings)
    if settings.processes == 1:
        serve(api, sockets[0])
        return 0
    return Processes(api, settings, sockets).run()


@dataclass
class _Place:
    """The process that has one of the places, and when the next one may have it."""

    number: int
    process: ForkProcess | None = None
    started: float = 0.0
    failures: int = 0
    not_before: float = 0.0


@dataclass
class Processes:
    """Processes that are forked from this one, which serves nothing itself.

    They share what is imported, in memory and in the time that it takes (2 s). Each has a socket on the port, which
    this process keeps open: connections that wait on it are answered by the next process that gets the place.
    """

    api: FastAPI
    settings: Settings
    sockets: Sequence[Sequence[socket.socket]]
    stopping: Shutdown = field(default_factory=Shutdown)

    def __post_init__(self) -> None:
        self._fork = multiprocessing.get_context("fork")
        # Shared memory without a lock, which a process that is killed could not release.
        self._serves = self._fork.RawValue("b", 0)
        self._listeners = self._fork.RawArray("i", self.settings.processes)
        self._beats = self._fork.RawArray("d", self.settings.processes)
        # What the processes count, so that each answers a scrape for all.
        self._metrics = tempfile.TemporaryDirectory(prefix="actlab-metrics-")
        self._places = [_Place(number) for number in range(self.settings.processes)]

    def run(self) -> int:
        freeze_imports()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.request())
        try:
            if not self._start_first():
                return 0 if self.stopping.requested else 1
            log.info("api_processes", number=len(self._places))
            while not self.stopping.requested:
                for place in self._places:
                    self._tend(place)
                time.sleep(LOOK_SECONDS)
            return 0
        finally:
            self._stop()

    def _start_first(self) -> bool:
        """Start one process and wait until it serves, so that a reason why none can is said once."""
        first = self._places[0]
        self._start(first)
        deadline = time.monotonic() + START_SECONDS
        while not self._serves.value:
            ended = first.process is None or not first.process.is_alive()
            if ended or self.stopping.requested or time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def _tend(self, place: _Place) -> None:
        """Start the process of a place unless it runs. The pause before that doubles each time it ends early."""
        if place.process is not None:
            self._end_if_it_hangs(place)
            if place.process.is_alive():
                return
            self._note_end(place)
        if time.monotonic() >= place.not_before:
            self._start(place)

    def _end_if_it_hangs(self, place: _Place) -> None:
        """Kill a process whose event loop stands still: its share of the connections would wait for ever."""
        beat = self._beats[place.number]
        if beat and time.monotonic() - beat > HANG_SECONDS and place.process is not None:
            log.warning("api_process_hangs", pid=place.process.pid, seconds=HANG_SECONDS)
            place.process.kill()
            place.process.join()

    def _note_end(self, place: _Place) -> None:
        assert place.process is not None
        status, lived = place.process.exitcode, time.monotonic() - place.started
        log.warning("api_process_ended", pid=place.process.pid, status=status, lived=round(lived, 1))
        place.failures = 0 if lived > SETTLED_SECONDS else place.failures + 1
        place.not_before = time.monotonic() + min(self.settings.restart_seconds, 2.0**place.failures - 1)
        place.process.close()
        place.process = None

    def _start(self, place: _Place) -> None:
        self._listeners[place.number] = 0
        self._beats[place.number] = 0.0  # none before it serves
        place.process = self._fork.Process(target=self._serve, args=(place.number, os.getpid()), name="api")
        place.started = time.monotonic()
        place.process.start()

    def _serve(self, place: int, parent: int) -> None:
        """Serve, in a forked process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        end_with(parent)
        for other in {own for sockets in self.sockets for own in sockets} - set(self.sockets[place]):
            other.close()
        self.api.state.listeners = Listeners(self._listeners, place)
        self.api.state.metrics_folder = Path(self._metrics.name)

        def beat() -> None:
            self._beats[place] = time.monotonic()
            self._serves.value = 1

        serve(self.api, self.sockets[place], beat)

    def _stop(self) -> None:
        for own in (own for sockets in self.sockets for own in sockets):
            own.close()  # or the kernel would accept connections that nobody serves
        running = [place.process for place in self._places if place.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                log.warning("api_process_killed", pid=process.pid)
                process.kill()
                process.join()
        self._metrics.cleanup()
