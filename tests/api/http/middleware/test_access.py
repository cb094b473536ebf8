"""Access without keys: it is open, and no proxy stands in front."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.api import states
from tests.api.http.middleware.requests import METHODS, send
from tests.api.problems import refused
from tests.api.serving import serving

PROXIED = ["Forwarded", "X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto", "x_forwarded_anything"]


@pytest.fixture
def insecure(settings: Settings) -> Iterator[TestClient]:
    with serving(settings.model_copy(update={"insecure": True, "host": "0.0.0.0"})) as client:
        yield client


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.defends("proxy")
def test_access_refuses_proxies_on_every_route(steady: TestClient, paths: list[str], method: str) -> None:
    for path in paths:
        assert send(steady, path, method, X_Forwarded_For="10.0.0.1").status_code == 401, path


@pytest.mark.parametrize("header", PROXIED)
@pytest.mark.defends("proxy")
def test_access_refuses_the_headers_of_proxies(steady: TestClient, header: str) -> None:
    problem = refused(send(steady, "/healthz", "GET", **{header: "x"}), 401, "unauthorized")
    assert "--insecure" in problem["detail"]


@states.on_sqlite
def test_access_accepts_proxies_with_insecure(insecure: TestClient) -> None:
    for header in PROXIED:
        assert send(insecure, "/healthz", "GET", **{header: "x"}).status_code == 200
    refused(send(insecure, "/healthz", "GET", Host="attacker.example"), 400)
    refused(send(insecure, Sec_Fetch_Site="cross-site"), 403)
