"""The log of one attempt: what an operator reads when it went wrong."""

import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from service import attempt_log
from service.storage.leases import Fence


class AttemptLog:
    """A text file of time-stamped lines; also where the watchdog leaves the stacks of a hung step."""

    def __init__(self, folder: Path, fence: Fence) -> None:
        self.path = attempt_log.path(folder, fence.id, fence.attempt)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.stream = self.path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")

    def line(self, text: str) -> None:
        self.stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")

    def traceback(self, error: BaseException) -> None:
        self.line("".join(traceback.format_exception(error)).rstrip())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
