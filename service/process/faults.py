"""Named crash points. A test sets ACTLAB_FAULT=<point>:<action> and the process ends, or hangs, exactly there.

Points lie around every transaction (`<transaction>.before_commit`, `<transaction>.after_commit`) and where files or
messages leave the process. Unset, a point costs one look into an empty dictionary.
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
    """What the action `error` raises."""


@dataclass
class Fault:
    action: str
    passes: int  # how many go by before it acts
    always: bool  # or once for all processes that share the folder


@dataclass
class Faults:
    """What happens at which point. `folder` remembers what has happened, across processes and restarts."""

    plan: dict[str, Fault] = field(default_factory=dict)
    folder: Path | None = None
    source: Path | None = None  # a file that holds the plan, read again when it has been replaced
    version: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, text: str, folder: Path | None = None) -> Self:
        """Read `point:action[!][:after]`, comma-separated; `!` makes it act each time. `@file` names a file with such a
        plan, which may change while processes run. ConfigurationError on anything else."""
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
            found = source.stat()
        except FileNotFoundError:
            return
        if (found.st_ino, found.st_mtime_ns) != self.version:
            self.version = (found.st_ino, found.st_mtime_ns)
            self.plan = _plan(source.read_text())

    def _first(self, point: str) -> bool:
        """Whether nobody has been here before; leaves a mark."""
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
        """The file that says that a process has been there."""
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
                # A call that keeps the interpreter's lock: no other thread of this process runs any more.
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
