"""The rates of API keys: requests a minute and submissions an hour, counted in memory or in Redis."""

import time
from dataclasses import dataclass
from math import ceil

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
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
    """Counts what keys send.

    In Redis all processes count together. Without it each process counts for itself, and grants its share of a limit.
    Where Redis does not answer, processes count for themselves until it does.
    """

    def __init__(self, per_minute: int, submits_per_hour: int, *, broker: str, processes: int) -> None:
        self._limits = {
            "requests": RateLimitItemPerMinute(per_minute) if per_minute else None,
            "submissions": RateLimitItemPerHour(submits_per_hour) if submits_per_hour else None,
        }
        self._processes = processes
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._pool = ConnectionPool.from_url(broker, **TIMEOUTS) if broker.startswith(REDIS) else None
        self._shared = None if self._pool is None else FixedWindowRateLimiter(_storage(broker, self._pool))

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
        if self._shared is not None:
            try:
                return await _hit(self._shared, limit, kind, key)
            except StorageError as error:
                log.warning("rates_counted_alone", error=str(error))
        return await _hit(self._own, self._share(limit), kind, key)

    def _share(self, limit: RateLimitItem) -> RateLimitItem:
        return type(limit)(ceil(limit.amount / self._processes))


def _storage(broker: str, pool: ConnectionPool) -> RedisStorage:
    return RedisStorage(broker, implementation="redispy", wrap_exceptions=True, connection_pool=pool)  # type: ignore[arg-type]


async def _hit(limiter: FixedWindowRateLimiter, limit: RateLimitItem, kind: str, key: str) -> Window:
    passes = await limiter.hit(limit, kind, key)
    reset, remaining = await limiter.get_window_stats(limit, kind, key)
    return Window(limit.amount, limit.get_expiry(), remaining, max(0, ceil(reset - time.time())), passes)
