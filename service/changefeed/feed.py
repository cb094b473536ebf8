"""The changes that a process knows without a query: those that its poller read, and those of its own commits."""

import asyncio
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, MutableSequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from service.changefeed.items import Item
from service.domain.errors import Overloaded
from service.storage.changes.reader import ChangeReader

MOST_BATCHES = 1000
MOST_KEPT = 16 * 2**20  # characters of items
MOST_REMEMBERED = 20_000  # revisions
MOST_CAUGHT_UP = 1000  # changes that are read in the event loop; all revisions are forgotten where there are more


@dataclass(frozen=True)
class Batch:
    """All changes after one revision, up to and including another.

    `changed` holds the newest revisions by id, or None for too many. `items` is None where there was no listener or too
    many changes.
    """

    after: int
    until: int
    changed: Mapping[UUID, int] | None
    items: tuple[Item, ...] | None

    @property
    def size(self) -> int:
        return sum(len(item.data) + len(item.compact) for item in self.items or ())

    def touches(self, id: UUID) -> bool:
        return self.changed is None or id in self.changed


@dataclass(frozen=True)
class Listeners:
    """The listeners of each API process on one port, in memory that all read and of which each writes its own place."""

    counts: MutableSequence[int] = field(default_factory=lambda: [0])
    place: int = 0

    @property
    def here(self) -> int:
        return self.counts[self.place]

    @property
    def everywhere(self) -> int:
        return sum(self.counts)

    def add(self, number: int) -> None:
        self.counts[self.place] += number


class Feed:
    """The feed of a process: its recent changes, the revisions that it remembers, and the tasks that wait for changes.

    Create it in the event loop, whose tasks wait on it; the threads of the poller and of requests write to it.

    What it remembers is exact with a `reader`, which asks the database each time: a process that shares a database with
    others cannot tell otherwise what they have committed. Without one it is at most two periods old.
    """

    def __init__(
        self,
        head: int,
        period: float,
        most_listeners: int,
        reader: ChangeReader | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self.head = head
        self.closed = False
        self._listeners = listeners or Listeners()
        self._period = period
        self._most_listeners = most_listeners
        self._batches: deque[Batch] = deque()
        self._kept = 0
        self._reader = reader
        self._revisions: dict[UUID, int] = {}
        self._known = head  # the newest revision up to which all changes are in _revisions
        self._generation = 0
        self._fresh_until = 0.0
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._pulse = asyncio.Event()

    # --- writing -------------------------------------------------------------------------------------------------

    def publish(self, batch: Batch, asked_at: float) -> None:
        """Add a batch that the poller read at `asked_at`, on the monotonic clock."""
        with self._lock:
            self.head = batch.until
            if batch.until > self._known:
                self._raise(batch.changed)
                self._known = batch.until
            self._keep(batch)
            self._confirm(asked_at)
        self._loop.call_soon_threadsafe(self._announce)

    def confirm(self, asked_at: float) -> None:
        """Note that the poller read at `asked_at` and nothing had changed."""
        with self._lock:
            self._confirm(asked_at)

    def wrote(self, changed: Mapping[UUID, int]) -> None:
        """Note a commit of this process, before its request is answered, so that no later answer is older."""
        with self._lock:
            self._raise(changed)

    def close(self) -> None:
        """Release all tasks that wait, because the process is about to end. Call it in the event loop."""
        self.closed = True
        self._announce()

    def _raise(self, changed: Mapping[UUID, int] | None) -> None:
        self._generation += 1
        if changed is None:
            self._revisions.clear()
            return
        for id in changed.keys() & self._revisions.keys():
            self._revisions[id] = max(self._revisions[id], changed[id])

    def _keep(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._kept += batch.size
        while len(self._batches) > MOST_BATCHES or (self._kept > MOST_KEPT and len(self._batches) > 1):
            self._kept -= self._batches.popleft().size

    def _confirm(self, asked_at: float) -> None:
        self._fresh_until = asked_at + 2 * self._period

    def _announce(self) -> None:
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    # --- revisions -----------------------------------------------------------------------------------------------

    def token(self) -> int:
        """Return a token to take before a read whose revision is to be remembered."""
        return self._generation

    def remember(self, id: UUID, revision: int, token: int) -> None:
        """Remember a revision that was just read, unless something changed since the token was taken."""
        with self._lock:
            if token == self._generation:
                self._revisions[id] = max(revision, self._revisions.get(id, 0))
                if len(self._revisions) > MOST_REMEMBERED:
                    del self._revisions[next(iter(self._revisions))]

    def recall(self, id: UUID) -> int | None:
        """Return the remembered revision of an experiment or study, or None."""
        with self._lock:
            return self._revisions.get(id) if self._is_current() else None

    def is_unchanged(self, token: int) -> bool:
        """Return whether nothing at all has changed since a token was taken."""
        with self._lock:
            return self._is_current() and token == self._generation

    def _is_current(self) -> bool:
        """Return whether what is remembered holds: now with a reader, else at most two periods ago."""
        if self._reader is None:
            return time.monotonic() <= self._fresh_until
        try:
            newest = self._reader.newest()
            if newest > self._known:
                self._raise(self._reader.since(self._known, MOST_CAUGHT_UP))
                self._known = newest
        except sqlite3.OperationalError:  # locked by a recovery, or the disk fails: the request's own read will tell
            return False
        return newest == self._known

    # --- waiting -------------------------------------------------------------------------------------------------

    def after(self, revision: int) -> list[Batch] | None:
        """Return the batches after a revision, oldest first; None where the oldest are no longer kept."""
        with self._lock:
            start = self._batches[0].after if self._batches else self.head
            if revision < start:
                return None
            batches = []
            for batch in reversed(self._batches):
                if batch.until <= revision:
                    break
                batches.append(batch)
        return batches[::-1]

    async def moved(self, revision: int, seconds: float) -> bool:
        """Wait up to `seconds` for a change after `revision`; return whether there is one."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while self.head <= revision and not self.closed:
                    await self._pulse.wait()
        except TimeoutError:
            pass
        return self.head > revision

    async def paused(self, seconds: float) -> None:
        """Wait for `seconds`, or until the process ends."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not self.closed:
                    await self._pulse.wait()
        except TimeoutError:
            pass

    @property
    def listeners(self) -> int:
        """The number of listeners of this process."""
        return self._listeners.here

    @property
    def all_listeners(self) -> int:
        """The number of listeners of all processes on the port."""
        return self._listeners.everywhere

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count a listener within the block, so that batches carry items. Raises Overloaded for too many listeners."""
        if self._listeners.everywhere >= self._most_listeners:
            raise Overloaded(
                f"{self._most_listeners} clients follow events here already (ACTLAB_MAX_LISTENERS). Poll with"
                " If-None-Match and ?wait=30, or come back later.",
                Retry_After="10",
            )
        self._listeners.add(1)
        try:
            yield
        finally:
            self._listeners.add(-1)
