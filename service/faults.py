"""Named crash points. A test sets ACTLAB_FAULT=<point>:<action> and the process ends, or hangs, exactly there.

Points lie around every transaction (`<transaction>.before_commit`, `<transaction>.after_commit`) and where files or
messages leave the process. Unset, a point costs one look into an empty dictionary.
"""

import os
import signal
import time
from dataclasses import dataclass, field

from service.domain.errors import ConfigurationError

ACTIONS = ("kill", "exit", "stop", "hang", "error")


class InjectedFault(RuntimeError):
    """What the action `error` raises."""


@dataclass
class Faults:
    """`plan` maps a point to an action and to how many passes go by before it acts."""

    plan: dict[str, tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Read `point:action[:after]`, comma-separated. ConfigurationError on anything else."""
        return cls(dict(_parse(part) for part in text.split(",") if part))

    def reach(self, point: str) -> None:
        if point not in self.plan:
            return
        action, passes = self.plan[point]
        if passes > 0:
            self.plan[point] = (action, passes - 1)
            return
        del self.plan[point]
        _act(action, point)


def _parse(part: str) -> tuple[str, tuple[str, int]]:
    point, _, rest = part.strip().partition(":")
    action, _, after = rest.partition(":")
    if action not in ACTIONS or not (after or "0").isdigit():
        raise ConfigurationError(f"ACTLAB_FAULT: {part!r} is not point:action[:after] with action one of {ACTIONS}")
    return point, (action, int(after or 0))


def _act(action: str, point: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "exit":
        os._exit(70)
    elif action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif action == "hang":
        time.sleep(86_400)
    else:
        raise InjectedFault(point)
