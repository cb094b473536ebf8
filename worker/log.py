"""The log of an attempt, which tells an operator why it failed."""

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

from service.process import attempt_log
from service.storage.queue.leases import Fence

log = structlog.get_logger(__name__)


class AttemptLog:
    """A text file of time-stamped lines, to which the watchdog also writes the stacks of a hung step.

    A full disk is reported in the worker's own log, and the attempt goes on.
    """

    def __init__(self, folder: Path, fence: Fence) -> None:
        self.path = attempt_log.path(folder, fence.id, fence.attempt)
        self.stream = self._open()

    def line(self, text: str) -> None:
        try:
            self.stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
        except OSError as error:
            log.warning("attempt_log_failed", file=str(self.path), error=str(error), line=text)

    def traceback(self, error: BaseException) -> None:
        self.line("".join(traceback.format_exception(error)).rstrip())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stream.close()
        except OSError as failure:
            log.warning("attempt_log_failed", file=str(self.path), error=str(failure))

    def _open(self) -> TextIO:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self.path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            log.warning("attempt_log_failed", file=str(self.path), error=str(error))
            return Path(os.devnull).open("a", encoding="utf-8")
