"""An app in this process, and a client that checks the shape of every error."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from service.api.app import create_app
from service.api.http.services import Services
from service.settings import Settings
from tests.api.problems import check_shape
from tests.servers import free_port
from tests.waiting import await_true

ROOT = "http://127.0.0.1:8000"
EXPERIMENTS = "/api/v1/experiments"
STUDIES = "/api/v1/studies"
ACTIVATIONS = "/api/v1/activations"
COMPARISONS = "/api/v1/comparisons"
CURVES = "/api/v1/curves"


_idle: list[FastAPI] = []


@contextmanager
def application(settings: Settings) -> Iterator[FastAPI]:
    """An app with these settings and nothing of another test but its routes, which take FastAPI as long to read as a
    dozen requests to answer."""
    rooted = bool(settings.root_path)  # which its pages contain
    app = _idle.pop() if _idle and not rooted else create_app(settings)
    app.state.settings = settings
    yield app
    if not rooted:
        _idle.append(app)


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    with (
        application(settings) as app,
        TestClient(app, base_url=ROOT, raise_server_exceptions=False) as client,
    ):
        client.event_hooks = {"response": [_one_shape]}
        yield client


@contextmanager
def listening(settings: Settings) -> Iterator[str]:
    """Serve an app on a socket, and yield its root URL."""
    own = settings.model_copy(update={"port": free_port()})
    with application(own) as app:
        server = uvicorn.Server(uvicorn.Config(app, port=own.port, log_level="critical"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            await_true(lambda: server.started)
            yield own.own_url
        finally:
            server.should_exit = True
            thread.join(20)


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as bytes, because the client refuses to send invalid ones otherwise."""
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def services_of(client: TestClient) -> Services:
    services: Services = client.app.state.services  # type: ignore[attr-defined]  # typed as any ASGI app
    return services


def _one_shape(answer: Response) -> None:
    is_page = answer.request.url.path.startswith("/guide")  # which says how to build it
    if answer.status_code >= 400 and answer.request.method != "HEAD" and not is_page:
        answer.read()
        check_shape(answer)
