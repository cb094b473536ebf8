"""The rates of keys, counted in memory and in Redis."""

import time
from collections.abc import AsyncIterator, Callable

import pytest

from service.access.rates import Rates, Window
from tests.servers import RedisServer, free_port

pytestmark = pytest.mark.anyio


Make = Callable[..., Rates]


def standing() -> float:
    """A clock that stands still, so that no window ends during a test."""
    return 1_000_000.0


@pytest.fixture
async def rates() -> AsyncIterator[Make]:
    made: list[Rates] = []

    def make(
        per_minute: int,
        per_hour: int = 0,
        broker: str = "spool://localhost",
        processes: int = 1,
        clock: Callable[[], float] = standing,
    ) -> Rates:
        made.append(Rates(per_minute, per_hour, broker=broker, processes=processes, clock=clock))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def passed(counting: Rates, number: int, key: str = "a") -> list[bool]:
    windows = [await counting.request(key) for _ in range(number)]
    return [window.passes for window in windows if window is not None]


async def test_request_passes_up_to_the_limit(rates: Make) -> None:
    counting = rates(2)
    first = await counting.request("a")
    assert first is not None
    assert first == Window(2, 60, 1, 60, passes=True)
    assert await passed(counting, 2) == [True, False]
    assert await passed(counting, 1, "another") == [True]


async def test_request_without_a_limit_is_not_counted(rates: Make) -> None:
    assert await rates(0).request("a") is None


async def test_submissions_are_counted_apart_from_requests(rates: Make) -> None:
    counting = rates(1, 1)
    assert await passed(counting, 2) == [True, False]
    windows = [await counting.submission("a") for _ in range(2)]
    assert [(window.period_seconds, window.passes) for window in windows if window] == [(3600, True), (3600, False)]


@pytest.mark.defends("flood")
async def test_processes_without_redis_grant_their_shares(rates: Make) -> None:
    assert await passed(rates(5, processes=2), 4) == [True, True, True, False]


@pytest.mark.defends("flood")
async def test_processes_with_redis_count_together(rates: Make, redis_server: RedisServer) -> None:
    first, second = (rates(3, broker=redis_server.url, processes=2, clock=time.time) for _ in range(2))
    assert await passed(first, 2, "together") == [True, True]
    assert await passed(second, 2, "together") == [True, False]


@pytest.mark.defends("flood")
async def test_processes_count_alone_while_redis_is_down(rates: Make) -> None:
    counting = rates(4, broker=f"redis://127.0.0.1:{free_port()}/0", processes=2)
    assert await passed(counting, 3) == [True, True, False]


async def test_window_tells_its_reset_and_begins_anew_at_its_end(rates: Make) -> None:
    now = 1000.0
    counting = rates(1, clock=lambda: now)
    assert await counting.request("a") == Window(1, 60, 0, 60, passes=True)
    now = 1059.5
    assert await counting.request("a") == Window(1, 60, 0, 1, passes=False)
    now = 1060.0
    assert await counting.request("a") == Window(1, 60, 0, 60, passes=True)
