"""A listening server, and followers of its events."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn

from service.api.http.services import Services
from service.api.server import Server
from service.settings import Settings
from tests.api.serving import application
from tests.servers import free_port
from tests.waiting import await_true

EVENTS = "/api/v1/events"


@dataclass(frozen=True)
class Running:
    client: httpx2.Client
    server: Server
    services: Services

    def get(self, path: str) -> Any:
        return self.client.get(path).json()


@contextmanager
def running(settings: Settings) -> Iterator[Running]:
    """Serve the API from a thread of this process."""
    own = settings.model_copy(update={"port": free_port()})
    with application(own) as app:
        server = Server(uvicorn.Config(app, port=own.port, log_level="warning", timeout_graceful_shutdown=50))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            await_true(lambda: server.started)
            with httpx2.Client(base_url=own.own_url, timeout=30) as client:
                yield Running(client, server, app.state.services)
        finally:
            server.should_exit = True
            thread.join(60)


@dataclass(frozen=True)
class Frame:
    """An event as it was received. `id` is None unless this frame carries one."""

    event: str | None
    data: Any
    id: str | None


@dataclass
class Follower:
    """The bytes and events that one stream has sent."""

    sent: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def frames(self) -> list[Frame]:
        return [_frame(block.split("\n")) for block in b"".join(self.sent).decode().split("\n\n")[:-1]]

    @property
    def events(self) -> list[Frame]:
        return [frame for frame in self.frames if frame.event is not None]

    @property
    def last_id(self) -> str:
        return [frame.id for frame in self.frames if frame.id is not None][-1]

    def until(self, count: int) -> list[Frame]:
        """Wait for `count` events and return them. Raises AssertionError for more, or for fewer at the time limit."""
        await_true(lambda: len(self.events) >= count)
        events = self.events
        assert len(events) == count, events
        return events


@contextmanager
def following(client: httpx2.Client, path: str = EVENTS, last_event_id: str | None = None) -> Iterator[Follower]:
    """Yield a follower of a stream that has begun, which receives all changes from now on."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    follower = Follower()
    with client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        thread = threading.Thread(target=_read, args=(response, follower))
        thread.start()
        try:
            await_true(lambda: any(frame.id for frame in follower.frames))
            yield follower
        finally:
            _hang_up(response)
            thread.join(20)


def _hang_up(response: httpx2.Response) -> None:
    """Shut the socket down: closing the response would wait for the thread that reads it."""
    connection: socket.socket = response.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):  # the server was first
        connection.shutdown(socket.SHUT_RDWR)


def first_events(client: httpx2.Client, path: str = EVENTS, last_event_id: str | None = None) -> list[Frame]:
    """Return the events that a stream begins with."""
    with following(client, path, last_event_id) as follower:
        return follower.events


def _read(response: httpx2.Response, follower: Follower) -> None:
    with suppress(httpx2.StreamError, httpx2.TransportError):  # hung up by the test, or the server was killed
        follower.sent.extend(response.iter_raw())
    follower.ended = True


def _frame(lines: list[str]) -> Frame:
    fields = dict(line.split(": ", 1) for line in lines if line != ":")
    return Frame(fields.get("event"), json.loads(fields.get("data", "null")), fields.get("id"))
