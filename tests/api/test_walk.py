"""The access decision of every route: each has one, and it holds for every sender."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from service.access.roles import Role
from service.api.app import create_app
from service.api.http.guarded import GuardedRoute
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import WAYS, Headers, bearer, make_expired, make_key, make_revoked, notice
from tests.api.problems import refused
from tests.api.serving import serving
from tests.conftest import database as database

FRAMEWORK = {"/openapi.json": Role.VIEWER}
"""Routes that the framework adds, which the middleware decides."""
PUBLIC_API = {
    "GET /healthz", "GET /readyz", "POST /api/v1/session", "DELETE /api/v1/session",
    "GET /s/{token}",
}  # fmt: skip
READS_BY_POST = {
    "POST /api/v1/activations/preview",
    *(f"POST /api/2.0/mlflow/{noun}/search" for noun in ("experiments", "runs", "logged-models")),
}
ADMINS = {
    "GET /api/v1/audit",
    "POST /api/v1/keys",
    "GET /api/v1/keys",
    "GET /api/v1/keys/{id}",
    "DELETE /api/v1/keys/{id}",
}


@dataclass(frozen=True)
class Walked:
    """A route with one of its methods, and the least role that it takes; None for none."""

    method: str
    path: str
    role: Role | None
    full: Role | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def address(self) -> str:
        """A path that the route serves: of a record that does not exist, so that nothing is changed."""
        places = {"{id}": str(states.SOME_ID), "{share}": str(states.SOME_ID), "{name}": "nothing",
                  "{index}": "0", "{path}": "app/main.js", "{token}": "t" * 43}  # fmt: skip
        path = self.path
        for place, value in places.items():
            path = path.replace(place, value)
        if self.path.startswith("/api/v1/keys/"):
            path = "/api/v1/keys/nothing0"
        return f"{path}?seconds=0.01" if self.path.endswith("/events") else path


def walked(app: FastAPI) -> Iterator[Walked]:
    """Yield every route with each of its methods. AttributeError: one has no access decision."""
    for context in iter_route_contexts(app.routes):
        path = str(context.path_format)
        for method in sorted((context.methods or {"GET"}) - {"HEAD"}):
            if isinstance(context.original_route, GuardedRoute):
                yield Walked(method, path, context.original_route.role, context.endpoint.role)  # type: ignore[union-attr]
            elif path.startswith("/api"):
                raise AttributeError(f"{path} is no GuardedRoute")
            else:
                role = FRAMEWORK.get(path)
                yield Walked(method, path, role, role)


ROUTES = list(walked(create_app(Settings())))
each_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)


@pytest.mark.defends("route")
def test_every_route_has_an_access_decision() -> None:
    assert len(ROUTES) > 50
    assert {
        route.name
        for route in ROUTES
        if route.role is None and route.path.startswith(("/api", "/healthz", "/readyz", "/s/"))
    } == PUBLIC_API
    changes = {route for route in ROUTES if route.path.startswith("/api") and route.method != "GET"} - {
        route for route in ROUTES if route.name in PUBLIC_API | READS_BY_POST
    }
    assert {route.full for route in changes} == {Role.SUBMITTER, Role.ADMIN}
    assert {route.name for route in ROUTES if route.full is Role.ADMIN} == ADMINS


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, sqlite_template: object) -> Iterator[tuple[TestClient, Database]]:
    home = tmp_path_factory.mktemp("walk")
    shutil.copy(str(sqlite_template), home / "actlab.db")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'actlab.db'}", reap_seconds=600,
                        rate_per_minute=0)  # fmt: skip
    database = Database(settings.database)
    with serving(settings) as client:
        yield client, database
    database.close()


@pytest.fixture(scope="module")
def senders(opened: tuple[TestClient, Database]) -> dict[str, str]:
    return senders_of(*opened)


def senders_of(client: TestClient, database: Database) -> dict[str, str]:
    """Return the text of a key of each kind."""
    texts = {str(role): make_key(database, role).text for role in Role}
    texts |= {"revoked": make_revoked(database).text, "expired": make_expired(database).text}
    notice(client)
    texts |= {"share": make_share(client, bearer(texts["admin"]))}
    texts |= {"unknown": f"actlab_{'a' * 8}_{'b' * 43}", "malformed": "secret", "empty": ""}
    return texts


def make_share(client: TestClient, admin: Headers) -> str:
    """Return the token of a link to a study."""
    study = client.post("/api/v1/studies", json={"base": {"activation": "relu"}, "seeds": [0]}, headers=admin).json()
    made = client.post(f"/api/v1/studies/{study['id']}/shares", json={}, headers=admin).json()
    assert client.get(made["url"]).status_code == 200
    return str(made["url"]).removeprefix("/s/")


def send(client: TestClient, route: Walked, headers: Headers) -> int:
    client.cookies.clear()
    body: Headers | None = None if route.method == "GET" else {}
    answer = client.request(route.method, route.address, headers=headers, json=body, follow_redirects=False)
    if answer.status_code == 401:
        refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer.status_code


@each_route
@pytest.mark.defends("route")
def test_route_refuses_senders_without_a_valid_key(
    opened: tuple[TestClient, Database], senders: dict[str, str], route: Walked
) -> None:
    invalid = [text for kind, text in senders.items() if kind not in list(Role)]
    tries: list[Headers] = [{}, *(way(text) for text in invalid for way in WAYS.values())]
    for headers in tries:
        status = send(opened[0], route, headers)
        assert (status == 401) == (route.role is not None) or route.name == "POST /api/v1/session", headers


@each_route
@pytest.mark.defends("route")
def test_route_takes_its_role_and_refuses_lesser_ones(
    opened: tuple[TestClient, Database], senders: dict[str, str], route: Walked
) -> None:
    for role in Role:
        for way in WAYS.values():
            status = send(opened[0], route, way(senders[role]))
            allowed = route.full is None or role.may(route.full)
            assert (status == 403) != allowed, (role, status)
            assert status != 401 or route.name == "POST /api/v1/session"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/studies", {"factors": {"activation": ["relu"]}, "seeds": [0]}),
        ("POST", "/api/v1/experiments/cancel", {"filters": {}}),
        ("POST", "/api/v1/experiments/delete", {"filters": {}}),
        ("POST", "/api/v1/experiments/retry", {"filters": {}}),
    ],
)
def test_dry_run_needs_a_viewer_and_a_change_a_submitter(
    opened: tuple[TestClient, Database], senders: dict[str, str], method: str, path: str, body: object
) -> None:
    client, headers = opened[0], bearer(senders["viewer"])
    assert client.request(method, f"{path}?dry_run=true", json=body, headers=headers).status_code == 200
    for query in ("", "?dry_run=false", "?dry_run=0"):
        problem = refused(client.request(method, path + query, json=body, headers=headers), 403, "forbidden")
        assert "submitter" in problem["detail"]
    for query in ("?dry_run=false&dry_run=true", "?dry_run=true&dry_run=false", "?dry_run=maybe", "?Dry_run=true"):
        assert client.request(method, path + query, json=body, headers=headers).status_code in (403, 422)
    assert len(client.get("/api/v1/studies", headers=headers).json()["items"]) == 1  # the one that is shared


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api/v1/nothing", "/api/v1/experiments/1/", "/assets", "/s", "/healthz/", "/%2e/"],
)
@pytest.mark.defends("route")
def test_paths_that_do_not_exist_need_a_key_too(
    opened: tuple[TestClient, Database], senders: dict[str, str], path: str
) -> None:
    client = opened[0]
    client.cookies.clear()
    for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE"):
        assert client.request(method, path, follow_redirects=False).status_code == 401


def test_path_without_parameters_takes_its_own_methods_alone(
    opened: tuple[TestClient, Database], senders: dict[str, str]
) -> None:
    taken: dict[str, set[str]] = {}
    for route in ROUTES:
        # A name may be any word: /activations/preview is one too.
        if route.path.startswith("/api/v1/") and "{" not in route.path and "preview" not in route.path:
            taken.setdefault(route.path, set()).add(route.method)
    for path, methods in taken.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = opened[0].request(method, path, headers=bearer(senders["admin"]))
            refused(answer, 405, "method_not_allowed")
            assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == methods


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"{", "application/json"), (b"x" * 2_000_000, "application/json"), (b"a=1", "text/plain"),
     (b"[" * 100_000, "application/json")],
    ids=["malformed", "large", "media type", "nested"],
)  # fmt: skip
@pytest.mark.defends("route")
def test_key_and_role_are_asked_for_before_the_body(
    opened: tuple[TestClient, Database], senders: dict[str, str], content: bytes, kind: str
) -> None:
    client = opened[0]
    client.cookies.clear()
    headers = {"Content-Type": kind}
    refused(client.post("/api/v1/experiments", content=content, headers=headers), 401)
    viewer = headers | bearer(senders["viewer"])
    assert client.post("/api/v1/experiments", content=content, headers=viewer).status_code in (403, 413)


@pytest.mark.defends("leak")
def test_key_in_the_address_is_no_key(opened: tuple[TestClient, Database], senders: dict[str, str]) -> None:
    client, key = opened[0], senders["admin"]
    client.cookies.clear()
    for path in (f"/api/v1/me?key={key}", f"/api/v1/me?api_key={key}&access_token={key}", f"/api/v1/{key}"):
        refused(client.get(path), 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_scheme_is_read_in_any_case(opened: tuple[TestClient, Database], senders: dict[str, str], scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {senders['viewer']}"}
    assert opened[0].get("/api/v1/me", headers=headers).status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Basic", "Basic ä", "Basic YQ==", "Digest x", "x", "Basic " + "A" * 7])
def test_authorization_that_cannot_be_read_is_refused(
    opened: tuple[TestClient, Database], senders: dict[str, str], value: str
) -> None:
    client = opened[0]
    headers = [(b"authorization", value.encode("latin-1")), (b"cookie", f"actlab_session={senders['admin']}".encode())]
    refused(client.get("/api/v1/me", headers=headers), 401)


@pytest.mark.parametrize("role", Role)
@pytest.mark.defends("cross_site")
def test_cross_site_rules_hold_with_keys(
    opened: tuple[TestClient, Database], senders: dict[str, str], role: Role
) -> None:
    client = opened[0]
    for way in WAYS.values():
        foreign = way(senders[role]) | {"Origin": "https://attacker.example"}
        refused(client.post("/api/v1/session", json={"key": senders[role]}, headers=foreign), 403, "cross_site")
        refused(client.post("/api/v1/experiments", json={}, headers=foreign), 403, "cross_site")
        refused(client.get("/api/v1/me", headers=way(senders[role]) | {"Host": "attacker.example"}), 400)
    client.cookies.clear()


@pytest.mark.defends("forged")
def test_forwarded_headers_change_nothing_with_keys(
    opened: tuple[TestClient, Database], senders: dict[str, str]
) -> None:
    client = opened[0]
    for header in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"):
        forged = {header: "for=127.0.0.1;host=localhost;proto=https"}
        client.cookies.clear()
        refused(client.get("/api/v1/me", headers=forged), 401)
        assert client.get("/api/v1/me", headers=forged | bearer(senders["viewer"])).status_code == 200


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
FORGED = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https", "Forwarded": "for=127.0.0.1"}


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.defends("route")
def test_every_sender_with_every_method_on_every_path(client: TestClient, database: Database) -> None:
    """The whole product, on both databases, also with the headers of a proxy that nobody trusts."""
    sent: list[tuple[str, Headers]] = [("none", {}), ("none", FORGED)]
    for kind, text in senders_of(client, database).items():
        sent += [(kind, way(text) | more) for way in WAYS.values() for more in ({}, FORGED)]
    routes = {(route.address, route.method): route for route in ROUTES}
    public = {route.address for route in ROUTES if route.role is None}
    for address, method, (kind, headers) in product(dict.fromkeys(route.address for route in ROUTES), METHODS, sent):
        client.cookies.clear()
        options: dict[str, Any] = {} if method in ("GET", "HEAD") else {"json": {}}
        status = client.request(method, address, headers=headers, follow_redirects=False, **options).status_code
        told = f"{method} {address} as {kind} with {list(headers)}: {status}"
        assert status < 500, told
        if kind not in list(Role):
            assert status == 401 or address in public, told
            continue
        found = routes.get((address, "GET" if method == "HEAD" else method))
        if found is None:  # no route of this path, but perhaps of one with `{id}`
            assert status >= 400, told
        else:
            assert (status == 403) == (found.full is not None and not Role(kind).may(found.full)), told
