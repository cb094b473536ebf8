"""The service below /actlab/ behind nginx with TLS: pages, API, documents, events and the client."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
import pytest

from actlab.client import ApiError, Client
from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key
from tests.api.http.middleware.requests import RELU
from tests.api.markup import Page
from tests.stack.proxying import ROOT_PATH, proxied

pytestmark = [pytest.mark.slow, states.on_sqlite]


@dataclass(frozen=True)
class Proxied:
    url: str
    key: str
    transport: httpx.HTTPTransport

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(transport=self.transport) as client:
            return client.get(f"{self.url}{path}", headers=headers)


@pytest.fixture(params=["kept", "removed"])
def service(
    request: pytest.FixtureRequest, settings: Settings, database: Database, tmp_path: Path
) -> Iterator[Proxied]:
    key = make_key(database, Role.SUBMITTER, "anna").text
    with proxied(settings, tmp_path, removed=request.param == "removed") as nginx:
        verified = httpx.HTTPTransport(verify=ssl.create_default_context(cafile=str(nginx.certificate)))
        yield Proxied(f"https://127.0.0.1:{nginx.port}{ROOT_PATH}", key, verified)


def test_client_works_behind_a_proxy(service: Proxied) -> None:
    with Client(service.url, api_key=service.key, transport=service.transport) as client:
        assert client.healthy()
        assert client.me()["name"] == "anna"
        before = client.submit_experiment(RELU)
        assert [item["id"] for item in client.experiments(mine=True)] == [before["id"]]
        events = client.watch(since=0)
        assert next(events).data["id"] == before["id"]
        client.cancel(before["id"])
        assert next(events).data["status"] == "cancelled"
        events.close()  # type: ignore[attr-defined]  # a generator


def test_stranger_gets_401_and_the_page_that_asks(service: Proxied) -> None:
    with Client(service.url, transport=service.transport) as client:
        with pytest.raises(ApiError) as refused:
            client.queue()
        assert refused.value.status == 401
    for path in ("/", "/studies/1", "/docs", "/redoc"):
        answer = service.get(path)
        addresses = [address for address in Page(answer.text).addresses if "/assets/" in address]
        assert (answer.status_code, len(addresses) > 3) == (200, True)
        base = service.url.removesuffix(ROOT_PATH)
        with httpx.Client(transport=service.transport) as client:
            assert {client.get(f"{base}{address}").status_code for address in addresses} == {200}


def test_addresses_of_answers_are_those_of_the_proxy(service: Proxied) -> None:
    with httpx.Client(transport=service.transport, headers=bearer(service.key)) as client:
        made = client.post(f"{service.url}/api/v1/experiments", json=RELU)
        assert made.headers["location"] == f"{ROOT_PATH}/api/v1/experiments/{made.json()['id']}"
        assert client.get(f"{service.url}/openapi.json").json()["servers"][0]["url"] == ROOT_PATH
        slashed = client.get(f"{service.url}/api/v1/experiments/", follow_redirects=False)
        assert slashed.headers["location"] == f"{service.url}/api/v1/experiments"
        session = client.post(f"{service.url}/api/v1/session", json={"key": service.key}).headers["set-cookie"]
        assert session.startswith("__Secure-")
        assert {"Secure", f"Path={ROOT_PATH}"} <= set(session.split("; "))
