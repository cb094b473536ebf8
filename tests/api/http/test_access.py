"""Who may talk to the API at all: judged on every route before anything else."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.domain.errors import ConfigurationError
from service.settings import Settings
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, ROOT, raw, serving

RELU = {"activation": "relu"}
PAGES = [
    "/docs",
    "/redoc",
    "/openapi.json",
    "/assets/docs/docs.css",
    "/assets/app/main.js",
    "/assets/nothing",
    "/nothing",
    "/",
    "/studies/1",
    "/workers",
]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"]
UNSAFE = METHODS[3:]


@pytest.fixture(scope="module")
def routes(steady: TestClient) -> list[str]:
    """Every address that there is, and some that there are not."""
    documented = steady.get("/openapi.json").json()["paths"]
    assert len(documented) >= 15
    short = {"/api/v1/events": "/api/v1/events?seconds=0.01"}  # it would stream for ever
    return [short.get(path, path).replace("{id}", str(states.SOME_ID)) for path in documented] + PAGES


def request(client: TestClient, path: str = EXPERIMENTS, method: str = "POST", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.request(method, path, headers=raw(named), json=RELU if method == "POST" else None)


# --- every route ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_no_route_answers_under_a_foreign_name(steady: TestClient, routes: list[str], method: str) -> None:
    for path in routes:
        answer = request(steady, path, method, Host="attacker.example")
        assert answer.status_code == 400, path
        if method != "HEAD":
            refused(answer, 400, "host_not_allowed")


@pytest.mark.parametrize("method", UNSAFE)
def test_no_route_takes_a_change_from_another_site(steady: TestClient, routes: list[str], method: str) -> None:
    for path in routes:
        refused(request(steady, path, method, Sec_Fetch_Site="cross-site"), 403, "cross_site")
        refused(request(steady, path, method, Origin="https://attacker.example"), 403, "cross_site")


@pytest.mark.parametrize("method", METHODS)
def test_no_route_answers_a_proxy_while_access_is_open(steady: TestClient, routes: list[str], method: str) -> None:
    for path in routes:
        assert request(steady, path, method, X_Forwarded_For="10.0.0.1").status_code == 401, path


def test_every_answer_carries_the_security_headers(steady: TestClient, routes: list[str]) -> None:
    for path in routes:
        for answer in (steady.get(path), request(steady, path, "GET", Host="attacker.example")):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in answer.headers


# --- Host ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:1", "[::1]", "[::1]:65535", "localhost:"]
)
def test_this_machine_has_these_names(steady: TestClient, host: str) -> None:
    assert request(steady, "/healthz", "GET", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["", " ", "attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example", "xlocalhost", "::1",
     "[::1", "[::2]", "[", "[]", "localhost.", "127.0.0.2", "0.0.0.0", "2130706433", "127.1", "a@localhost",
     "localhost@a", "localhost/a", "localhost?a", "localhost#a", "localhost:80:80", "localhost:http",
     "localhost:999999", "localhost,a", "localhost a", "[v1.x]", "local\xadhost", "\xb9\xb2\xb7.0.0.1", "*",
     "testserver"],
)  # fmt: skip
def test_no_other_spelling_is_a_name_of_it(steady: TestClient, host: str) -> None:
    refused(request(steady, "/healthz", "GET", Host=host), 400, "host_not_allowed")


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [("lab.example, GPU-1", "lab.example:80", 200), ("lab.example, GPU-1", "gpu-1", 200),
     ("lab.example", "x.lab.example", 400), ("", "lab.example", 400), ("*", "anything.example", 200),
     ("*", "any thing", 400)],
)  # fmt: skip
@states.on_sqlite
def test_the_operator_adds_names(settings: Settings, allowed: str, host: str, status: int) -> None:
    with serving(settings.model_copy(update={"allowed_hosts": allowed})) as client:
        assert request(client, "/healthz", "GET", Host=host).status_code == status


# --- other sites ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": site} for site in ("cross-site", "same-site", "", "none,cross-site", "x")]
    + [{"Origin": origin} for origin in
       ("null", "https://attacker.example", "http://127.0.0.1:8001", "http://localhost:8000", "http://127.0.0.1",
        "http://127.0.0.1:8000.attacker.example", "http://127.0.0.1:8000@attacker.example", "", "x", "http://[", "//")],
    ids=str,
)  # fmt: skip
def test_a_change_from_another_site_is_refused(steady: TestClient, headers: dict[str, str]) -> None:
    refused(request(steady, **headers), 403, "cross_site")
    assert steady.get(EXPERIMENTS).json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec_Fetch_Site": "same-origin", "Origin": ROOT}, {"Sec_Fetch_Site": "none"}, {"Origin": "HTTP://127.0.0.1:8000"}],
    ids=str,
)  # fmt: skip
@states.on_sqlite
def test_a_change_from_its_own_pages_and_from_programs_is_taken(client: TestClient, headers: dict[str, str]) -> None:
    assert request(client, **headers).status_code == 202


def test_reading_from_another_site_is_left_to_the_browser(steady: TestClient) -> None:
    assert request(steady, EXPERIMENTS, "GET", Sec_Fetch_Site="cross-site").status_code == 200


# --- exposure ------------------------------------------------------------------------------------------------------

PROXIED = ["Forwarded", "X_Forwarded_For", "X_Forwarded_Host", "X_Forwarded_Proto", "x_forwarded_anything"]


@pytest.fixture
def insecure(settings: Settings) -> Iterator[TestClient]:
    with serving(settings.model_copy(update={"insecure": True, "host": "0.0.0.0"})) as opened:
        yield opened


@pytest.mark.parametrize("header", PROXIED)
def test_a_proxied_request_is_refused_while_access_is_open(steady: TestClient, header: str) -> None:
    problem = refused(request(steady, "/healthz", "GET", **{header: "x"}), 401, "unauthorized")
    assert "--insecure" in problem["detail"]


@states.on_sqlite
def test_the_operator_may_put_a_proxy_in_front(insecure: TestClient) -> None:
    for header in PROXIED:
        assert request(insecure, "/healthz", "GET", **{header: "x"}).status_code == 200
    refused(request(insecure, "/healthz", "GET", Host="attacker.example"), 400)
    refused(request(insecure, Sec_Fetch_Site="cross-site"), 403)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "lab.example", "", "127.0.0.2"])
def test_an_address_that_others_reach_is_refused_without_insecure(host: str) -> None:
    with pytest.raises(ConfigurationError, match="--insecure"):
        create_app(Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_loopback_needs_no_leave(host: str) -> None:
    create_app(Settings(host=host))
