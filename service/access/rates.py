"""The rates of API keys: requests a minute and submissions an hour, counted in memory or in Redis."""

import time
from dataclasses import dataclass
from math import ceil

import structlog
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.errors import StorageError
from limits.storage import MemoryStorage
from redis.asyncio import ConnectionPool

log = structlog.get_logger(__name__)

REDIS = ("redis://", "rediss://")
TIMEOUTS = {"socket_connect_timeout": 1.0, "socket_timeout": 1.0}
"""In seconds: a Redis that hangs must not hold up requests."""


@dataclass(frozen=True)
class Window:
    """The state of a limit after a request: what is left of `limit` in `reset_seconds`, and whether it may pass."""

    limit: int
    period_seconds: int
    remaining: int
    reset_seconds: int
    passes: bool


class Rates:
    """Counts what keys send, in windows of fixed length that begin with a key's first request.

    In Redis all processes count together. Without it each process counts for itself, and grants its share of a limit.
    Where Redis does not answer, processes count for themselves until it does.
    """

    def __init__(self, per_minute: int, submits_per_hour: int, *, broker: str, processes: int) -> None:
        self._limits = {
            "requests": RateLimitItemPerMinute(per_minute) if per_minute else None,
            "submissions": RateLimitItemPerHour(submits_per_hour) if submits_per_hour else None,
        }
        self._processes = processes
        self._own = MemoryStorage()
        self._pool = ConnectionPool.from_url(broker, **TIMEOUTS) if broker.startswith(REDIS) else None
        self._shared = None if self._pool is None else _storage(broker, self._pool)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def request(self, key: str) -> Window | None:
        """Count a request of a key; None without a limit."""
        return await self._count("requests", key)

    async def submission(self, key: str) -> Window | None:
        """Count a submission of a key; None without a limit."""
        return await self._count("submissions", key)

    async def _count(self, kind: str, key: str) -> Window | None:
        limit = self._limits[kind]
        if limit is None:
            return None
        name, period = f"{kind}/{key}", limit.get_expiry()
        if self._shared is not None:
            try:
                count = await self._shared.incr(name, period)
                return _window(limit.amount, period, count, await self._shared.get_expiry(name))
            except StorageError as error:
                log.warning("rates_counted_alone", error=str(error))
        count = self._own.incr(name, period)
        return _window(ceil(limit.amount / self._processes), period, count, self._own.get_expiry(name))


def _storage(broker: str, pool: ConnectionPool) -> RedisStorage:
    return RedisStorage(broker, implementation="redispy", wrap_exceptions=True, connection_pool=pool)  # type: ignore[arg-type]


def _window(limit: int, period: int, count: int, ends_at: float) -> Window:
    """Return the state of a window after its `count`-th request."""
    return Window(limit, period, max(0, limit - count), max(0, ceil(ends_at - time.time())), count <= limit)
