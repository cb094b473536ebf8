"""Streams of server-sent events.

A client that keeps up is served from memory; one that comes back later is served from the database first.
"""

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
"""The revision of a client that followed another database: it is beyond every revision of this one."""
PAUSE_SECONDS = 1.0
"""The pause before the next read from a database that is away."""
RETRY_MS = (1000, 3000)
"""The range of the delay after which a browser connects again. It is random, so that not all of them come at once after
a restart."""


@dataclass(frozen=True)
class Subscription:
    """The records and kinds of events that a client follows; `compact` leaves the specs out."""

    scope: Scope
    kinds: frozenset[Kind] = frozenset()
    compact: bool = False


@dataclass(frozen=True)
class Delivery:
    """Events to send, and the revision that the client has reached with them."""

    items: Sequence[Item]
    until: int


Beginning = Callable[[Session], Sequence[Item]]


def begin(session: Session, subscription: Subscription, since: int | None, state: Beginning) -> Delivery:
    """Return the events since a revision, or those of `state` for a client that names no revision.

    The only event is a reset where the client must read everything again.
    """
    horizon = revisions.horizon(session)
    if since is None:
        return Delivery(state(session), horizon.newest)
    reason = _reset_reason(since, horizon)
    changes = None if reason else deltas.since(session, since, subscription.scope, MOST_CHANGES)
    if changes is None:
        return Delivery([reset(reason or "Too much has changed to send each change.", horizon.newest)], horizon.newest)
    return Delivery(describe(session, changes), horizon.newest)


def _reset_reason(since: int, horizon: revisions.Horizon) -> str | None:
    if since > horizon.newest:
        return "This database has not reached that revision: it is another database, or an older copy."
    if since < horizon.forgotten:
        return "Deletions are kept for a day, and you were away for longer."
    return None


class Stream:
    """The events of one client, as text, until it disconnects, its time is up or the process ends."""

    def __init__(self, services: Services, subscription: Subscription, seconds: float | None) -> None:
        self._services = services
        self._feed = services.feed
        self._subscription = subscription
        self._beat = services.settings.heartbeat_seconds
        self._ends = float("inf") if seconds is None else time.monotonic() + seconds

    async def follow(self, delivery: Delivery) -> AsyncIterator[str]:
        """Yield the events of `delivery`, then all that follow, and a comment with the position at every heartbeat."""
        position = delivery.until
        yield f"retry: {random.randint(*RETRY_MS)}\n\n{self._text(delivery.items)}{self._position(position)}"
        due = time.monotonic() + self._beat
        while not self._feed.closed and time.monotonic() < self._ends:
            await self._feed.moved(position, min(due, self._ends) - time.monotonic())
            delivery = await self._next(position)
            position = delivery.until
            text = self._text(delivery.items)
            if not text and time.monotonic() >= due:
                text = self._position(position)
            if text:
                due = time.monotonic() + self._beat
                yield text

    async def _next(self, position: int) -> Delivery:
        batches = self._feed.after(position)
        if batches is None or any(batch.items is None for batch in batches):
            return await self._from_database(position)
        items = [item for batch in batches for item in batch.items or () if item.revision > position]
        return Delivery(items, batches[-1].until if batches else position)

    async def _from_database(self, position: int) -> Delivery:
        """Return the changes from the database, or none if it is away; the client gets them when it is back."""
        try:
            return await self._services.read(lambda session: begin(session, self._subscription, position, lambda _: []))
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            log.warning("events_late", error=str(error))
            await self._feed.paused(PAUSE_SECONDS)
            return Delivery([], position)

    def _text(self, items: Iterable[Item]) -> str:
        """Return the events as text. Only the last event of a revision carries its id: a client that is cut off before
        it gets the whole revision again."""
        selected = (item for item in items if item.is_for(self._subscription.scope, self._subscription.kinds))
        return "".join(self._frames(list(same), revision) for revision, same in groupby(selected, lambda i: i.revision))

    def _frames(self, items: Sequence[Item], revision: int) -> str:
        frames = "\n".join(self._frame(item) for item in items)
        return f"{frames}{self._position(revision, comment=False)}"

    def _frame(self, item: Item) -> str:
        return f"event: {item.kind}\ndata: {item.compact if self._subscription.compact else item.data}\n"

    def _position(self, revision: int, comment: bool = True) -> str:
        return f"{':' + chr(10) if comment else ''}id: {self._services.database_id}.{revision}\n\n"
