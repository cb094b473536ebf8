"""Wakes: publishing in the background, dropping while the broker is unreachable, and the bound on pending ones."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from service.background.wakes import MOST_PENDING, QUEUE, Waker, create_celery
from service.domain.errors import ConfigurationError
from service.settings import Settings
from tests.servers import RedisServer, free_port
from tests.waiting import await_true


@pytest.fixture(params=["spool", "redis"])
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Celery:
    if request.param == "spool":
        return create_celery(Settings(home=tmp_path))
    server: RedisServer = request.getfixturevalue("redis_server")
    return create_celery(Settings(home=tmp_path, broker_url=f"{server.url[:-1]}{free_port() % 16}"))


@pytest.fixture
def waker(app: Celery) -> Iterator[Waker]:
    opened = Waker(app)
    yield opened
    opened.stop()


def channel_of(app: Celery) -> Any:
    """A channel with the methods that kombu's own transports have for looking into a queue."""
    return app.connection_for_write().channel()


@pytest.mark.parametrize("url", ["tcp://redis:6379", "redis:6379", "nosuch://redis", "sqs://", "redis://redis:port"])
def test_create_celery_refuses_an_unknown_broker(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="ACTLAB_BROKER_URL"):
        create_celery(Settings(home=tmp_path, broker_url=url))


def test_wakes_reach_the_broker(app: Celery, waker: Waker) -> None:
    channel = channel_of(app)
    channel._purge(QUEUE)
    waker.wake(3)
    await_true(lambda: channel._size(QUEUE) == 3)


def test_wakes_never_expire(app: Celery, waker: Waker) -> None:
    """A worker judges expiry by its own clock, and one whose clock is ahead would drop every wake."""
    channel = channel_of(app)
    channel._purge(QUEUE)
    waker.wake()
    await_true(lambda: channel._size(QUEUE) == 1)
    assert channel._get(QUEUE)["headers"]["expires"] is None


def test_wakes_not_taken_do_not_pile_up(app: Celery, waker: Waker) -> None:
    channel = channel_of(app)
    channel._purge(QUEUE)
    for _ in range(3):
        waker.wake(MOST_PENDING - 6)
        await_true(lambda: not waker._pending)
    await_true(lambda: channel._size(QUEUE) == MOST_PENDING)
    waker.wake(10)
    await_true(lambda: not waker._pending)
    time.sleep(0.1)
    assert channel._size(QUEUE) == MOST_PENDING


@pytest.mark.parametrize("behaviour", ["refuses", "accepts"])
def test_wake_does_not_wait_for_an_unreachable_broker(tmp_path: Path, behaviour: str) -> None:
    """A broker that refuses connections, and one that accepts them and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if behaviour == "accepts":
            silent.listen()
        port = silent.getsockname()[1]
        waker = Waker(create_celery(Settings(home=tmp_path, broker_url=f"redis://127.0.0.1:{port}/0")))
        started = time.monotonic()
        for _ in range(100):
            waker.wake()
        assert time.monotonic() - started < 0.1
        waker.stop()


def test_pending_wakes_are_bounded(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    published = threading.Semaphore(0)
    monkeypatch.setattr(app, "send_task", lambda *_, **__: published.release())
    waker = Waker(app)
    with waker._changed:  # nothing is published while this is held
        for _ in range(10_000):
            waker._pending = min(waker._pending + 1, 256)
    waker.wake(10_000)
    waker.stop()
    assert published._value <= 256
