"""Watching events with the clients, over connections that break."""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from rich.console import Console

from actlab import client as clients
from actlab import demo
from actlab.client import ApiError, AsyncClient, Client, Event
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import listening

EVENTS = {"content-type": "text/event-stream"}
ROOT = "http://127.0.0.1:8000"
Take = Callable[..., list[Event]]


@pytest.fixture(params=["sync", "async"])
def take(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Return a function that takes `count` events of either client."""
    monkeypatch.setattr(clients, "PAUSE_SECONDS", 0.0)

    def now(count: int, url: str = ROOT, transport: Any = None, **query: Any) -> list[Event]:
        with Client(url, transport=transport) as client:
            events = client.watch(**query)
            return [next(events) for _ in range(count)]

    async def later(count: int, url: str = ROOT, transport: Any = None, **query: Any) -> list[Event]:
        async with AsyncClient(url, transport=transport) as client:
            events = client.watch(**query)
            return [await anext(events) for _ in range(count)]

    return now if request.param == "sync" else lambda *args, **kwargs: asyncio.run(later(*args, **kwargs))


def frame(kind: str, id: str, revision: int, *, last: bool = True) -> str:
    data = json.dumps({"id": id, "revision": revision})
    return f"event: {kind}\ndata: {data}\n" + (f"id: d.{revision}\n\n" if last else "\n")


class Script(httpx2.MockTransport):
    """A transport that answers each connection with the next scripted answer, and records the requests."""

    def __init__(self, *answers: str | int) -> None:
        self.requests: list[httpx2.Request] = []
        left = list(answers)

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            reply = left.pop(0)
            if isinstance(reply, int):
                return httpx2.Response(reply, json={"detail": "no", "code": "overloaded"})
            return httpx2.Response(200, text=reply, headers=EVENTS)

        super().__init__(answer)

    @property
    def cursors(self) -> list[str | None]:
        return [request.headers.get("last-event-id") for request in self.requests]


def test_watch_reconnects_without_gaps_or_repeats(take: Take) -> None:
    whole = frame("experiment", "a", 7) + ":\nid: d.9\n\n"
    cut = frame("experiment", "a", 10, last=False)
    rest = frame("experiment", "a", 10, last=False) + frame("study", "s", 10) + frame("experiment", "a", 11)
    script = Script("retry: 1000\n\n" + whole, cut, 503, rest)
    events = take(4, transport=script, study="s", kind=["experiment"], since=5)
    assert [(event.kind, event.data["revision"]) for event in events] == [
        ("experiment", 7), ("experiment", 10), ("study", 10), ("experiment", 11)]  # fmt: skip
    assert script.cursors == [None, "d.9", "d.9", "d.9"]
    assert str(script.requests[0].url) == f"{ROOT}/api/v1/events?study=s&kind=experiment&since=5&compact=false"


@pytest.mark.parametrize("status", [404, 503])
def test_watch_raises_if_the_first_connection_is_refused(take: Take, status: int) -> None:
    with pytest.raises(ApiError):
        take(1, transport=Script(status))


def test_watch_raises_if_a_later_connection_is_refused(take: Take) -> None:
    with pytest.raises(ApiError):
        take(2, transport=Script(frame("experiment", "a", 7), 401))


def test_watch_raises_once_the_service_has_been_silent_for_its_patience(take: Take) -> None:
    first = frame("experiment", "a", 7)
    assert len(take(2, transport=Script(first, 503, frame("experiment", "a", 8)), patience=60.0)) == 2
    with pytest.raises(ApiError):
        take(2, transport=Script(first, 503, frame("experiment", "a", 8)), patience=0.0)


@states.on_sqlite
def test_watch_follows_a_service(take: Take, settings: Settings, database: Database) -> None:
    id = states.finish(database)
    with listening(settings) as url:
        (event,) = take(1, url=url, experiment=str(id), since=0)
        with Client(url) as client:
            assert event == Event("experiment", client.experiment(str(id)))
            assert client.finished_experiment(str(id)) == event.data


@states.on_sqlite
def test_demo_prints_each_experiment_that_ends(settings: Settings, database: Database) -> None:
    shown = StringIO()
    with listening(settings) as url, Client(url) as client, ThreadPoolExecutor() as threads:
        study = client.submit_study({"factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]})
        watching = threads.submit(demo._watch, client, study, Console(file=shown, width=100))
        states.finish_queued(database, lambda spec: 0.5 + 0.1 * spec["seed"])
        watching.result(60)
    lines = [line.split() for line in shown.getvalue().splitlines() if "accuracy" in line]
    assert sorted((line[0], line[2], line[5]) for line in lines) == [
        (name, seed, accuracy) for name in ("relu", "tanh") for seed, accuracy in (("0", "0.5000"), ("1", "0.6000"))
    ]


def test_demo_fails_where_the_service_ends_while_it_is_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def end(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    answers = iter([lambda _: httpx2.Response(200, text=frame("study", "s", 2), headers=EVENTS)])
    transport = httpx2.MockTransport(lambda request: next(answers, end)(request))
    monkeypatch.setattr(demo, "PATIENCE_SECONDS", 0.5)
    (tmp_path / "demo.log").write_text("the last words")
    client, console = Client(ROOT, transport=transport), Console(file=StringIO())
    failing = pytest.raises(demo.DemoFailed, match=r"The service ended.\nthe last words")
    with client, failing, demo._answering("The service ended.", tmp_path / "demo.log"):
        demo._watch(client, {"id": "s", "revision": 1, "experiments": 1}, console)
