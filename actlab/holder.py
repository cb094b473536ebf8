"""The process that holds a data folder, as `actlab up` writes it there for others to read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "up.json"


@dataclass(frozen=True)
class Holder:
    """The supervisor that runs in a data folder, the URL that it serves, and whether it is stopping."""

    pid: int
    url: str
    stopping: bool = False

    def __str__(self) -> str:
        return f"process {self.pid} ({self.url})"

    def write(self, home: Path) -> None:
        (home / NAME).write_text(json.dumps(asdict(self)))


def read(home: Path) -> Holder | None:
    """Return the holder that is written in a data folder; None where there is none, or none that can be read.

    A supervisor that was killed leaves its own behind.
    """
    try:
        return Holder(**json.loads((home / NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove(home: Path) -> None:
    (home / NAME).unlink(missing_ok=True)
