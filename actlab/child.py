"""A process that a supervisor starts again when it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

SETTLED_SECONDS = 30.0  # a child that ran for so long is restarted at once

log = structlog.get_logger(__name__)


@dataclass
class Child:
    """A process that is restarted when it ends. `arguments` returns its command line for each start, and `on_end` takes
    its status and returns whether to start it again."""

    name: str
    arguments: Callable[[], list[str]]
    longest_pause: float
    on_end: Callable[[int], bool] = lambda status: True
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started: float = 0.0
    not_before: float = 0.0
    abandoned: bool = False
    wanted: bool = True

    def start(self) -> None:
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops everything in order.
        command = [sys.executable, "-m", "actlab", *self.arguments(), "--parent", str(os.getpid())]
        self.process = subprocess.Popen(command, start_new_session=True)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Start the process if it is wanted and does not run. The pause before a restart doubles each time it fails
        early."""
        if self.abandoned:
            return
        if self.process is None:
            if self.wanted and time.monotonic() >= self.not_before:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        lived = time.monotonic() - self.started
        self.failures = 0 if lived > SETTLED_SECONDS or status == 0 else self.failures + 1
        self.not_before = time.monotonic() + min(self.longest_pause, 2.0**self.failures - 1)
        self.process = None
        if self.wanted:
            log.warning("child_ended", child=self.name, status=status, lived=round(lived, 1))
        self.abandoned = not self.on_end(status)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """Kill the process and those that it has forked: they are one session."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, and kill it after so many seconds."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, seconds))
        except subprocess.TimeoutExpired:
            log.warning("child_killed", child=self.name)
            self.kill()
