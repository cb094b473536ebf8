"""Events of real API processes: over restarts, and with hundreds of listeners at once."""

import asyncio
import signal
import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from benchmarks.listeners import listen
from benchmarks.served import serving
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from tests.api import states
from tests.api.following import Follower, Frame, following
from tests.making import make_epoch
from tests.stack.services import Service
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LISTENERS = 300


def told_epochs(frames: list[Frame]) -> list[int]:
    return [item["epoch"] for frame in frames if frame.event == "metrics" for item in frame.data["items"]]


def train(database: Database, fence: Fence, epochs: range) -> None:
    """Record epochs as a worker does, in a process that no API knows of."""
    for epoch in epochs:
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(epoch))
        time.sleep(0.05)


def test_events_have_no_gap_or_repeat_over_restarts_of_the_api(make_service: Callable[..., Service]) -> None:
    """Epochs are written before, while and after the API stops: once by SIGTERM, once by SIGKILL."""
    service = make_service()
    service.run("db", "upgrade")
    database = Database(service.database_url)
    fence = states.start(database, epochs=30)
    path = f"/api/v1/experiments/{fence.id}/events"
    seen: list[Frame] = []
    last: str | None = None
    service.launch("serve")
    await_true(service.client.healthy, 40)
    with httpx2.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=60) as client:
        for begin, number in ((1, signal.SIGTERM), (11, signal.SIGKILL)):
            with following(client, path, last) as follower:
                train(database, fence, range(begin, begin + 3))
                await_true(partial(has_told, follower, begin + 2))
                training = threading.Thread(target=train, args=(database, fence, range(begin + 3, begin + 10)))
                training.start()
                service.stop("serve", number)
                await_true(partial(getattr, follower, "ended"))
            training.join()
            seen, last = seen + follower.events, follower.last_id
            service.launch("serve")
            await_true(service.client.healthy, 40)
        with following(client, path, last) as follower:
            train(database, fence, range(21, 24))
            states.succeed(database, fence)
            await_true(lambda: ended(follower.events))
        seen += follower.events
    database.close()
    assert told_epochs(seen) == list(range(1, 24))
    revisions = [int(frame.id.rpartition(".")[2]) for frame in seen if frame.id]
    assert revisions == sorted(set(revisions))
    assert [frame.data for frame in seen if frame.event == "experiment"][-1] == service.client.experiment(str(fence.id))


def has_told(follower: Follower, epoch: int) -> bool:
    return epoch in told_epochs(follower.events)


def ended(frames: list[Frame]) -> dict[str, Any] | None:
    return next((f.data for f in frames if f.event == "experiment" and f.data["status"] == "succeeded"), None)


def test_events_reach_hundreds_of_listeners_of_one_process(tmp_path: Path, database_url: str) -> None:
    """The bounds leave room for a machine that does other things; `python -m benchmarks.live` measures the times."""
    with serving(tmp_path, database_url) as api:
        delays = asyncio.run(listen(api, LISTENERS, epochs=6))
    assert delays.broken == 0
    assert statistics.median(delays.last) < 3, delays.report()
    assert max(delays.last) < 20, delays.report()
    assert delays.bytes_last - delays.bytes_first < 20 * 2**20, delays.report()
