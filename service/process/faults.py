"""Named crash points. Where a test sets ACTLAB_FAULT=<point>:<action>, the process ends or hangs at that point.

Points lie around every transaction (`<transaction>.before_commit`, `<transaction>.after_commit`) and where files or
messages leave the process. Without a setting, a point costs one lookup in an empty dictionary.
"""

import ctypes
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from service.domain.errors import ConfigurationError

ACTIONS = ("kill", "exit", "stop", "hang", "seize", "pause", "error")
FOR_EVER = 86_400


class InjectedFault(RuntimeError):
    """The exception that the action `error` raises."""


@dataclass
class Fault:
    """An action at a crash point, after a number of passes without one.

    It acts on every later pass if `always`, else once for all processes that share a folder.
    """

    action: str
    passes: int
    always: bool


@dataclass
class Faults:
    """A plan of faults by crash point. Files in `folder` mark those that have acted, across processes and restarts."""

    plan: dict[str, Fault] = field(default_factory=dict)
    folder: Path | None = None
    source: Path | None = None  # a file that holds the plan, read again when it has been replaced
    version: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, text: str, folder: Path | None = None) -> Self:
        """Parse a comma-separated plan of `point:action[!][:after]`, where `!` makes a fault act each time.

        `@file` names a file with such a plan, which may change while processes run. Raises ConfigurationError for
        other text.
        """
        if text.startswith("@"):
            return cls({}, folder, Path(text[1:]))
        return cls(_plan(text), folder)

    def reach(self, point: str) -> None:
        if self.source is not None:
            self._read_again(self.source)
        fault = self.plan.get(point)
        if fault is None:
            return
        if fault.passes > 0:
            fault.passes -= 1
        elif fault.always or self._first(point):
            self._act(fault.action, point)

    def _read_again(self, source: Path) -> None:
        try:
            stat = source.stat()
        except FileNotFoundError:
            return
        if (stat.st_ino, stat.st_mtime_ns) != self.version:
            self.version = (stat.st_ino, stat.st_mtime_ns)
            self.plan = _plan(source.read_text())

    def _first(self, point: str) -> bool:
        """Mark a point; return whether no process had marked it before."""
        if self.folder is None:
            del self.plan[point]
            return True
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.mark(point).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def mark(self, point: str) -> Path:
        """Return the file that marks a point as reached."""
        return (self.folder or Path()) / f"{point}.reached"

    def _act(self, action: str, point: str) -> None:
        match action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(70)
            case "stop":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "hang":
                time.sleep(FOR_EVER)
            case "seize":
                # A call that keeps the interpreter's lock, so that no other thread of this process runs.
                ctypes.PyDLL(None).sleep(FOR_EVER)
            case "pause":
                while not self.mark(point).with_suffix(".go").exists():
                    time.sleep(0.01)
            case _:
                raise InjectedFault(point)


def _plan(text: str) -> dict[str, Fault]:
    return dict(_parse(part) for part in text.split(",") if part)


def _parse(part: str) -> tuple[str, Fault]:
    point, _, rest = part.strip().partition(":")
    action, _, after = rest.partition(":")
    always = action.endswith("!")
    action = action.removesuffix("!")
    if action not in ACTIONS or not (after or "0").isdigit():
        raise ConfigurationError(f"ACTLAB_FAULT: {part!r} is not point:action[!][:after] with action one of {ACTIONS}")
    return point, Fault(action, int(after or 0), always)
