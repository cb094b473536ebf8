"""Ending a child process with its supervisor; otherwise it would keep the port and the database in use."""

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import suppress

import structlog

GRACE_SECONDS = 20.0  # as long as a supervisor waits for a child that it stops
LOOK_SECONDS = 0.2
PR_SET_PDEATHSIG = 1  # of linux/prctl.h

log = structlog.get_logger(__name__)


def end_with(parent: int | None) -> None:
    """End this process by SIGTERM at once when its parent process ends, and by SIGKILL where that takes too long.

    Call it before anything slow, so that a parent that ends meanwhile is noticed. None is for a process without a
    supervisor.
    """
    if parent is None:
        return
    by_kernel = _ask_kernel()
    if os.getppid() != parent:  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=_follow, args=(parent, by_kernel), name="parent", daemon=True).start()


def _ask_kernel() -> bool:
    """Let Linux send SIGTERM when the parent ends; return whether it will. The request outlives an exec."""
    if sys.platform != "linux":
        return False
    status: int = ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    return status == 0


def _follow(parent: int, by_kernel: bool) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    with suppress(OSError):  # whoever read the log may be gone as well
        log.warning("supervisor_gone", pid=parent)
    if not by_kernel:
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
