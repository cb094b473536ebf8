"""Ends a worker whose step hangs, even one that hangs inside a library and holds the interpreter's lock."""

import faulthandler
import time
from typing import TextIO


class Watchdog:
    """Writes every thread's stack to `file` and ends the process when nobody pets it in time.

    faulthandler's own thread needs no interpreter lock, which is why no thread of ours could do this.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._armed_at = 0.0

    def arm(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)
        self._armed_at = time.monotonic()

    def pet(self, seconds: float) -> None:
        """Arm again, at most once a second: arming starts a thread, and a step may take a millisecond."""
        if time.monotonic() - self._armed_at >= 1:
            self.arm(seconds)

    def off(self) -> None:
        faulthandler.cancel_dump_traceback_later()
