"""A child that outlives its supervisor would hold the port and the database with nobody to stop it."""

import os
import signal

import structlog

from service.process.periodic import Periodic

log = structlog.get_logger(__name__)


def end_with(parent: int | None) -> None:
    """End this process, as on SIGTERM, once the given parent process is gone; None: there is no supervisor."""
    if parent is not None:
        Periodic("parent", 1.0, lambda: _check(parent)).start()


def _check(parent: int) -> None:
    if os.getppid() != parent:
        log.warning("supervisor_gone", pid=parent)
        os.kill(os.getpid(), signal.SIGTERM)
