"""Server-sent events: from memory while the client keeps up, from the database where it comes back after a while."""

import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from service.api.events.describe import describe, reset
from service.api.http.services import Services
from service.changefeed.items import Item, Kind
from service.changefeed.poller import MOST_CHANGES
from service.domain.errors import Unavailable
from service.storage.changes import deltas, revisions
from service.storage.changes.deltas import Scope

T = TypeVar("T")
log = structlog.get_logger(__name__)

ELSEWHERE = 2**63 - 1
"""The revision that a client has reached which followed another database."""
PAUSE_SECONDS = 1.0
"""Between two questions to a database that is away."""
RETRY_MS = (1000, 3000)
"""When a browser comes back, at random between these: not all of them at once after a restart."""


@dataclass(frozen=True)
class Wish:
    """What one client wants to be told of."""

    scope: Scope
    kinds: frozenset[Kind] = frozenset()
    compact: bool = False


@dataclass(frozen=True)
class News:
    """What to tell, and the revision that the client has reached with it."""

    items: Sequence[Item]
    until: int


Beginning = Callable[[Session], Sequence[Item]]


def begin(session: Session, wish: Wish, since: int | None, state: Beginning) -> News:
    """What the client has missed since a revision; for one that names none, `state`."""
    horizon = revisions.horizon(session)
    if since is None:
        return News(state(session), horizon.newest)
    reason = _lost(since, horizon)
    found = None if reason else deltas.since(session, since, wish.scope, MOST_CHANGES)
    if found is None:
        return News([reset(reason or "Too much has changed to tell it one by one.", horizon.newest)], horizon.newest)
    return News(describe(session, found), horizon.newest)


def _lost(since: int, horizon: revisions.Horizon) -> str | None:
    if since > horizon.newest:
        return "This database has not come that far: it is another one, or an older copy."
    if since < horizon.forgotten:
        return "Deletes are remembered for a day, and you were away for longer."
    return None


class Stream:
    """One client's events, as text, until it leaves, its time is up or the process ends."""

    def __init__(self, services: Services, wish: Wish, seconds: float | None) -> None:
        self._services = services
        self._feed = services.feed
        self._wish = wish
        self._beat = services.settings.heartbeat_seconds
        self._ends = float("inf") if seconds is None else time.monotonic() + seconds

    async def follow(self, news: News) -> AsyncIterator[str]:
        """Tell `news`, and then all that follows it. A comment at least every heartbeat, with the revision reached."""
        position = news.until
        yield f"retry: {random.randint(*RETRY_MS)}\n\n{self._text(news.items)}{self._reached(position)}"
        due = time.monotonic() + self._beat
        while not self._feed.closed and time.monotonic() < self._ends:
            await self._feed.moved(position, min(due, self._ends) - time.monotonic())
            news = await self._news(position)
            position = news.until
            text = self._text(news.items)
            if not text and time.monotonic() >= due:
                text = self._reached(position)
            if text:
                due = time.monotonic() + self._beat
                yield text

    async def _news(self, position: int) -> News:
        batches = self._feed.after(position)
        if batches is None or any(batch.items is None for batch in batches):
            return await self._from_database(position)
        items = [item for batch in batches for item in batch.items or () if item.revision > position]
        return News(items, batches[-1].until if batches else position)

    async def _from_database(self, position: int) -> News:
        """The database is away, perhaps: the client keeps what it has, and hears of it when it is back."""
        try:
            return await self._services.read(lambda session: begin(session, self._wish, position, lambda _: []))
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            log.warning("events_late", error=str(error))
            await self._feed.paused(PAUSE_SECONDS)
            return News([], position)

    def _text(self, items: Iterable[Item]) -> str:
        """Only the last event of a revision says which it was: a client cut off before it is told the whole of it
        again."""
        wanted = (item for item in items if item.is_for(self._wish.scope, self._wish.kinds))
        return "".join(self._frames(list(same), revision) for revision, same in groupby(wanted, lambda i: i.revision))

    def _frames(self, items: Sequence[Item], revision: int) -> str:
        frames = "\n".join(self._frame(item) for item in items)
        return f"{frames}{self._reached(revision, comment=False)}"

    def _frame(self, item: Item) -> str:
        return f"event: {item.kind}\ndata: {item.compact if self._wish.compact else item.data}\n"

    def _reached(self, revision: int, comment: bool = True) -> str:
        return f"{':' + chr(10) if comment else ''}id: {self._services.database_id}.{revision}\n\n"
