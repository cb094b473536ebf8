"""RootPath: pages and API below a path, whether a proxy removes it or not."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from service.api.http.credentials import COOKIE
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key
from tests.api.http.middleware.requests import RELU
from tests.api.markup import Page
from tests.api.serving import EXPERIMENTS, services_of, serving

ROOT = "/actlab"


@pytest.fixture
def rooted(settings: Settings) -> Iterator[TestClient]:
    with serving(settings.model_copy(update={"root_path": ROOT})) as client:
        yield client


@pytest.mark.parametrize("prefix", [ROOT, ""], ids=["kept", "removed"])
@states.on_sqlite
def test_root_path_precedes_every_address_of_an_answer(rooted: TestClient, prefix: str) -> None:
    made = rooted.post(f"{prefix}{EXPERIMENTS}", json=RELU, headers={"Idempotency-Key": "k"})
    location = made.headers["location"]
    assert location == f"{ROOT}{EXPERIMENTS}/{made.json()['id']}"
    assert rooted.get(location).json()["id"] == made.json()["id"]
    again = rooted.post(f"{EXPERIMENTS}", json=RELU, headers={"Idempotency-Key": "k"})
    assert (again.headers["location"], again.headers["idempotency-replayed"]) == (location, "true")
    assert rooted.get(f"{prefix}/openapi.json").json()["servers"][0]["url"] == ROOT
    assert rooted.get(f"{prefix}/healthz").status_code == 200
    redirect = rooted.get(f"{prefix}{EXPERIMENTS}/", follow_redirects=False)
    assert redirect.headers["location"] == f"http://127.0.0.1:8000{ROOT}{EXPERIMENTS}"


@pytest.mark.parametrize("path", ["/", "/studies/1", "/docs", "/redoc"])
@states.on_sqlite
def test_pages_load_what_is_below_the_root_path(rooted: TestClient, path: str) -> None:
    answer = rooted.get(f"{ROOT}{path}")
    addresses = Page(answer.text).addresses
    assert addresses
    assert {address.startswith(f"{ROOT}/") for address in addresses} == {True}
    assert {rooted.get(address).status_code for address in addresses} == {200}
    assert f'data-root="{ROOT}"' in answer.text


@pytest.mark.parametrize("prefix", [ROOT, ""], ids=["kept", "removed"])
@states.on_sqlite
def test_access_holds_below_the_root_path(rooted: TestClient, database: Database, prefix: str) -> None:
    key = make_key(database).text
    services_of(rooted).gate.table.refresh()
    assert rooted.get(f"{prefix}/api/v1/me").status_code == 401
    assert rooted.get(f"{prefix}/").status_code == 200
    assert rooted.get(f"{prefix}/api/v1/me", headers=bearer(key)).status_code == 200
    cookie = rooted.post(f"{prefix}/api/v1/session", json={"key": key}).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert f"Path={ROOT};" in cookie
    rooted.base_url = "https://127.0.0.1:8000"
    assert rooted.post(f"{ROOT}/api/v1/session", json={"key": key}).headers["set-cookie"].startswith("__Secure-")
