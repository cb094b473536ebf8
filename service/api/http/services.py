"""The objects that all requests of an API process share."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from anyio import to_thread
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from service.access.rates import Rates
from service.api.http.gate import Gate
from service.api.http.memory import Memory
from service.background.wakes import Waker
from service.changefeed.feed import Feed
from service.datasets.image_source import ImageSource
from service.datasets.locations import Locations
from service.domain.errors import Overloaded
from service.observability.requests import RequestMetrics
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork

T = TypeVar("T")

BACKGROUND_CONNECTIONS = 3  # the reaper, the reconciler and the poller, which must not wait for requests


@dataclass
class Services:
    """The objects of this process, and admission to the database's connections."""

    settings: Settings
    database: Database
    waker: Waker
    database_id: str
    version: str
    feed: Feed
    gate: Gate
    metrics: RequestMetrics
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        settings = self.settings
        self.rates = Rates(
            settings.rate_per_minute, settings.submits_per_hour, broker=settings.broker, processes=settings.processes
        )
        self.images = ImageSource(Locations(settings.home, settings.data_dir))
        self.limiter = anyio.CapacityLimiter(max(1, self.database.pool_size - BACKGROUND_CONNECTIONS))

    async def admit(self, borrower: object) -> None:
        """Wait for one of the database connections. Raises Overloaded when that takes too long.

        Requests wait here, where they hold no thread: one that waited for a connection inside the thread pool would
        hold a thread that requests with a connection need to finish.
        """
        try:
            with anyio.fail_after(self.settings.admission_seconds):
                await self.limiter.acquire_on_behalf_of(borrower)
        except TimeoutError as error:
            waited = self.settings.admission_seconds
            raise Overloaded(f"No database connection was free within {waited:g} s.", Retry_After="2") from error

    def wrote(self, session: UnitOfWork) -> None:
        """Make a commit of this process known to it, before its request is answered; then wake workers."""
        self.feed.wrote(session.changed)
        if session.keys_changed:
            with suppress(DBAPIError, PoolTimeout):  # the table is too old within a second, and then decides nothing
                self.gate.table.refresh()
        if session.wakes:
            self.waker.wake(session.wakes)

    def leave(self, borrower: object) -> None:
        self.limiter.release_on_behalf_of(borrower)

    async def read(self, work: Callable[[Session], T]) -> T:
        """Run a short read in a thread, for a route that is `async`."""
        borrower = object()
        await self.admit(borrower)
        try:
            return await to_thread.run_sync(self._read, work)
        finally:
            self.leave(borrower)

    def _read(self, work: Callable[[Session], T]) -> T:
        with self.database.read() as session:
            return work(session)
