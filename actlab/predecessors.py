"""Processes of an earlier supervisor, which end because it has ended."""

import os
from contextlib import suppress

import psutil
import structlog

ENDING_SECONDS = 25.0  # longer than the GRACE_SECONDS after which such a child kills itself

log = structlog.get_logger(__name__)


def await_ended() -> None:
    """Wait until the children of killed supervisors have ended: they may hold the port and write to the database.

    Those that hang are killed after ENDING_SECONDS.
    """
    ending = _orphans()
    if ending:
        log.info("waits_for_ending_processes", pids=[process.pid for process in ending])
        _, hanging = psutil.wait_procs(ending, timeout=ENDING_SECONDS)
        for process in hanging:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _orphans() -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline", "ppid"]) if _is_orphan(process)]


def _is_orphan(process: psutil.Process) -> bool:
    """Return whether a process was started for a supervisor that is no longer its parent."""
    words: list[str] = process.info["cmdline"] or []
    if process.pid == os.getpid() or "actlab" not in words or "--parent" not in words[:-1]:
        return False
    return words[words.index("--parent") + 1] != str(process.info["ppid"])
