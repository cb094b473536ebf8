"""HeadAsGet: HEAD is answered as GET, without a body."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.routes.test_weights import keep
from tests.api.serving import EXPERIMENTS, listening

CHANGING = {"date", "last-modified", "etag", "x-request-id"}


def test_head_has_the_status_and_headers_of_get(steady: TestClient, paths: list[str]) -> None:
    for path in [*paths, f"{EXPERIMENTS}?limit=0"]:
        if "events" in path or path in ("/readyz", "/metrics"):  # without an end; with figures of this moment
            continue
        got, head = steady.get(path), steady.head(path)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert _stable(head.headers) == _stable(got.headers), path


def _stable(headers: object) -> dict[str, str]:
    return {name: value for name, value in dict(headers).items() if name not in CHANGING}  # type: ignore[call-overload]


@pytest.fixture
def connection(settings: Settings) -> Iterator[http.client.HTTPConnection]:
    with listening(settings) as url:
        opened = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        yield opened
        opened.close()


@states.on_sqlite
def test_head_of_a_stream_of_events_ends(connection: http.client.HTTPConnection) -> None:
    connection.request("HEAD", "/api/v1/events")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


@states.on_sqlite
def test_head_of_weights_keeps_the_connection(
    connection: http.client.HTTPConnection, database: Database, settings: Settings
) -> None:
    id = states.finish(database)
    keep(database, settings, id)
    for path in (f"{EXPERIMENTS}/{id}/weights", f"{EXPERIMENTS}/export", "/healthz", "/readyz", "/"):
        connection.request("HEAD", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b""), path
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
