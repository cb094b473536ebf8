"""What this process knows of changes without asking the database: fed by its poller, and by its own commits."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from service.changefeed.items import Item
from service.domain.errors import Overloaded

MOST_BATCHES = 1000
MOST_KEPT = 16 * 2**20  # characters of items
MOST_REMEMBERED = 20_000  # revisions


@dataclass(frozen=True)
class Batch:
    """All changes after one revision, through another. `changed` None: too many to name. `items` None: nobody
    listened, or too many to tell."""

    after: int
    until: int
    changed: Mapping[UUID, int] | None
    items: tuple[Item, ...] | None

    @property
    def size(self) -> int:
        return sum(len(item.data) + len(item.compact) for item in self.items or ())

    def touches(self, id: UUID) -> bool:
        return self.changed is None or id in self.changed


class Feed:
    """Made in the event loop, whose tasks wait on it; the poller's and the requests' threads write to it."""

    def __init__(self, head: int, period: float, most_listeners: int) -> None:
        self.head = head
        self.closed = False
        self.listeners = 0
        self._period = period
        self._most_listeners = most_listeners
        self._batches: deque[Batch] = deque()
        self._kept = 0
        self._revisions: dict[UUID, int] = {}
        self._generation = 0
        self._fresh_until = 0.0
        self._lock = threading.Lock()
        self._loop = asyncio.get_running_loop()
        self._pulse = asyncio.Event()

    # --- writing -------------------------------------------------------------------------------------------------

    def publish(self, batch: Batch, asked_at: float) -> None:
        """What the poller found when it asked, on the monotonic clock."""
        with self._lock:
            self.head = batch.until
            self._raise(batch.changed)
            self._keep(batch)
            self._confirm(asked_at)
        self._loop.call_soon_threadsafe(self._announce)

    def confirm(self, asked_at: float) -> None:
        """The poller asked, and nothing had changed."""
        with self._lock:
            self._confirm(asked_at)

    def wrote(self, changed: Mapping[UUID, int]) -> None:
        """A commit of this process, before its request is answered: nobody who saw the answer gets an older state."""
        with self._lock:
            self._raise(changed)

    def close(self) -> None:
        """Let everybody who waits go, in the event loop: the process is about to end."""
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
        """Take it before reading what is to be remembered."""
        return self._generation

    def remember(self, id: UUID, revision: int, token: int) -> None:
        """Note what was just read, unless something changed meanwhile: the read may have been before it."""
        with self._lock:
            if token == self._generation:
                self._revisions[id] = max(revision, self._revisions.get(id, 0))
                if len(self._revisions) > MOST_REMEMBERED:
                    del self._revisions[next(iter(self._revisions))]

    def recall(self, id: UUID) -> int | None:
        """Its revision, at most two periods old; None where that is not known."""
        with self._lock:
            return self._revisions.get(id) if time.monotonic() <= self._fresh_until else None

    # --- waiting -------------------------------------------------------------------------------------------------

    def after(self, revision: int) -> list[Batch] | None:
        """What has happened since, oldest first; None where that is too long ago to be remembered."""
        with self._lock:
            start = self._batches[0].after if self._batches else self.head
            if revision < start:
                return None
            found = []
            for batch in reversed(self._batches):
                if batch.until <= revision:
                    break
                found.append(batch)
        return found[::-1]

    async def moved(self, revision: int, seconds: float) -> bool:
        """Whether something has happened after `revision`, now or within so many seconds."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while self.head <= revision and not self.closed:
                    await self._pulse.wait()
        except TimeoutError:
            pass
        return self.head > revision

    async def paused(self, seconds: float) -> None:
        """So long, or less where the process ends."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not self.closed:
                    await self._pulse.wait()
        except TimeoutError:
            pass

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count as one who listens, for whom changes are told in full. Overloaded where there are too many."""
        if self.listeners >= self._most_listeners:
            raise Overloaded(
                f"{self._most_listeners} clients follow events here already (ACTLAB_MAX_LISTENERS). Poll with"
                " If-None-Match and ?wait=30, or come back later.",
                Retry_After="10",
            )
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1
