"""The interface of a tracker that is compared with others."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from benchmarks.peers.load import Read

EPOCHS = 20
PAGE = 50
READERS = 8
"""Connections that read one run or one history."""
LISTERS = 4
"""Connections that read pages."""


class Served(Protocol):
    """A tracker that is running."""

    def fill(self, runs: int) -> None:
        """Top up to so many finished runs of EPOCHS epochs."""

    def reads(self) -> Mapping[str, Read]:
        """Return the requests whose rates are measured, by the name of the measurement."""

    def write(self) -> None:
        """Create a run, record EPOCHS epochs one by one, and finish it."""


class Tracker(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def promise(self) -> str:
        """The failures that a committed write survives."""

    def running(self, home: Path) -> AbstractContextManager[Served]:
        """Start the tracker on a new database in the folder `home`; stop it when the block ends."""
