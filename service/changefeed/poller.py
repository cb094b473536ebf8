"""The poller: the only reader of changes of an API process, so that clients that wait cost no query."""

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from service.changefeed.feed import Batch, Feed
from service.changefeed.items import Item
from service.storage.changes import deltas, revisions
from service.storage.changes.deltas import EVERYTHING, Deltas
from service.storage.engine.database import Database

MOST_CHANGES = 1000
"""The most experiments or epochs that a batch describes; for more, listeners get a `reset`."""


Renderer = Callable[[Session, Deltas], tuple[Item, ...]]
"""A function that renders changed rows as the items that listeners receive."""


class Poller:
    """Reads changes from the database and publishes them in the feed, rendered once for all listeners."""

    def __init__(
        self, database: Database, feed: Feed, render: Renderer, lag: Callable[[float], object] = lambda _: None
    ) -> None:
        """`lag` is told of each batch the longest time, in seconds, that a change of it waited until it was read."""
        self._database = database
        self._feed = feed
        self._render = render
        self._lag = lag
        self._asked_before = time.monotonic()

    def poll(self) -> None:
        """Publish the changes since the last poll; one query where there are none."""
        asked_at = time.monotonic()
        with self._database.read() as session:
            newest = revisions.newest(session)
            batch = None if newest == self._feed.head else self._read(session, newest)
        if batch is None:
            self._feed.confirm(asked_at)
        else:
            self._feed.publish(batch, asked_at)
            self._lag(time.monotonic() - self._asked_before)
        self._asked_before = asked_at

    def _read(self, session: Session, newest: int) -> Batch:
        last = self._feed.head
        changed = deltas.ids(session, last, MOST_CHANGES)
        return Batch(last, newest, changed, self._items(session, last) if changed is not None else None)

    def _items(self, session: Session, last: int) -> tuple[Item, ...] | None:
        if not self._feed.listeners:
            return None
        changes = deltas.since(session, last, EVERYTHING, MOST_CHANGES)
        return None if changes is None else self._render(session, changes)
