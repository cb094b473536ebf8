"""The watchdog ends a worker whose step hangs, even inside a library that holds the interpreter's lock."""

import faulthandler
import time
from typing import TextIO


class Watchdog:
    """Writes the stack of every thread to `file` and ends the process when it is not reset in time.

    It uses the thread of faulthandler, which needs no interpreter lock; a Python thread would wait for it.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._armed_at = 0.0
        self._seconds = 0.0

    def arm(self, seconds: float) -> None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=self._file)
        self._armed_at, self._seconds = time.monotonic(), seconds

    def pet(self, seconds: float) -> None:
        """Reset the watchdog, at most once a second: arming starts a thread, and a step may take a millisecond.

        It is reset at once to another time than it has: the first step ends the patience with loading data.
        """
        if seconds != self._seconds or time.monotonic() - self._armed_at >= 1:
            self.arm(seconds)

    def off(self) -> None:
        faulthandler.cancel_dump_traceback_later()
