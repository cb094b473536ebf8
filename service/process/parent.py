"""Ending a child process with its supervisor; otherwise it would keep the port and the database in use."""

import os
import signal

import structlog

from service.process.periodic import Periodic

log = structlog.get_logger(__name__)


def end_with(parent: int | None) -> None:
    """End this process by SIGTERM once its parent process has ended. None is for a process without a supervisor."""
    if parent is not None:
        Periodic("parent", 1.0, lambda: _check(parent)).start()


def _check(parent: int) -> None:
    if os.getppid() != parent:
        log.warning("supervisor_gone", pid=parent)
        os.kill(os.getpid(), signal.SIGTERM)
