"""Processes of an earlier supervisor of the same data folder, which end because it has ended."""

from contextlib import suppress

import psutil
import structlog

ENDING_SECONDS = 25.0  # longer than the GRACE_SECONDS after which such a child kills itself

log = structlog.get_logger(__name__)


def await_ended(supervisor: int) -> None:
    """Wait until the children of a killed supervisor have ended: they may hold the port and write to the database.

    Those that hang are killed after ENDING_SECONDS.
    """
    ending = _orphans(supervisor)
    if ending:
        log.info("waits_for_ending_processes", pids=[process.pid for process in ending])
        _, hanging = psutil.wait_procs(ending, timeout=ENDING_SECONDS)
        for process in hanging:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _orphans(supervisor: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter(["cmdline", "ppid"]) if _is_orphan(process, supervisor)]


def _is_orphan(process: psutil.Process, supervisor: int) -> bool:
    """Return whether a process was started for a supervisor that is no longer its parent."""
    words: list[str] = process.info["cmdline"] or []
    if process.info["ppid"] == supervisor or "actlab" not in words or "--parent" not in words[:-1]:
        return False
    return words[words.index("--parent") + 1] == str(supervisor)
