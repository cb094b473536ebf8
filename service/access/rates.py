"""The rates of API keys: requests a minute and submissions an hour, counted in memory or in Redis."""

import time
from collections.abc import Callable
from math import ceil
from typing import NamedTuple

import structlog
from limits.aio.storage import RedisStorage
from limits.errors import StorageError
from redis.asyncio import ConnectionPool

log = structlog.get_logger(__name__)

REDIS = ("redis://", "rediss://")
TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
"""The timeouts of Redis in seconds, short because one that hangs holds up requests."""
ALONE_SECONDS = 5.0
"""The time for which Redis is not asked again after it has failed."""


class Window(NamedTuple):
    """The state of a limit after a request: what is left of `limit` in `reset_seconds`, and whether it may pass."""

    limit: int
    period_seconds: int
    remaining: int
    reset_seconds: int
    passes: bool


class _Limit(NamedTuple):
    """A limit of all processes together, and the share of one that counts alone."""

    kind: str
    amount: int
    share: int
    period_seconds: int


class Rates:
    """Counts what keys send, in windows of fixed length that begin with a key's first request.

    In Redis all processes count together. Without it each process counts for itself, and grants its share of a limit.
    Where Redis does not answer, processes count for themselves for a while.
    """

    def __init__(
        self,
        per_minute: int,
        submits_per_hour: int,
        *,
        broker: str,
        processes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._requests = _Limit("requests", per_minute, ceil(per_minute / processes), 60)
        self._submissions = _Limit("submissions", submits_per_hour, ceil(submits_per_hour / processes), 3600)
        self._clock = clock
        self._own = _OwnWindows(clock)
        self._alone_until = 0.0
        self._pool = ConnectionPool.from_url(broker, **TIMEOUTS) if broker.startswith(REDIS) else None
        self._shared = None if self._pool is None else _storage(broker, self._pool)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def request(self, key: str) -> Window | None:
        """Count a request of a key; None without a limit."""
        return await self._count(self._requests, key)

    async def submission(self, key: str) -> Window | None:
        """Count a submission of a key; None without a limit."""
        return await self._count(self._submissions, key)

    async def _count(self, limit: _Limit, key: str) -> Window | None:
        if limit.amount == 0:
            return None
        name, period = f"{limit.kind}/{key}", limit.period_seconds
        if self._shared is not None and time.monotonic() >= self._alone_until:
            try:
                count, ends_at = await self._shared.incr(name, period), await self._shared.get_expiry(name)
                return _window(limit.amount, period, count, ends_at - self._clock())
            except StorageError as error:
                self._alone_until = time.monotonic() + ALONE_SECONDS
                log.warning("rates_counted_alone", seconds=ALONE_SECONDS, error=str(error))
        count, ends_at = self._own.incr(name, period)
        return _window(limit.share, period, count, ends_at - self._clock())


class _OwnWindows:
    """The windows of one process. Only its event loop counts, and only names of valid keys, so that they are few.

    The storage of the library in memory starts a thread every 10 ms while it counts: a request costs 7 us there and
    1 us here, and the thread more.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._windows: dict[str, tuple[int, float]] = {}

    def incr(self, name: str, period_seconds: int) -> tuple[int, float]:
        """Return the number of requests in the window of a name, with this one, and the time of its end."""
        count, ends_at = self._windows.get(name, (0, 0.0))
        now = self._clock()
        if ends_at <= now:
            count, ends_at = 0, now + period_seconds
        self._windows[name] = count + 1, ends_at
        return count + 1, ends_at


def _storage(broker: str, pool: ConnectionPool) -> RedisStorage:
    return RedisStorage(broker, implementation="redispy", wrap_exceptions=True, connection_pool=pool)  # type: ignore[arg-type]


def _window(limit: int, period: int, count: int, ends_in: float) -> Window:
    """Return the state of a window after its `count`-th request."""
    left, seconds = limit - count, ceil(ends_in)
    return Window(limit, period, left if left > 0 else 0, seconds if seconds > 0 else 0, left >= 0)
