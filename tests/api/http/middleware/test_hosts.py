"""AllowedHosts: the Host header names this server."""

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from tests.api import states
from tests.api.http.middleware.requests import METHODS, send
from tests.api.problems import refused
from tests.api.serving import serving


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.defends("rebinding")
def test_allowed_hosts_refuses_a_foreign_host_on_every_route(steady: TestClient, paths: list[str], method: str) -> None:
    for path in paths:
        answer = send(steady, path, method, Host="attacker.example")
        assert answer.status_code == 400, path
        if method != "HEAD":
            refused(answer, 400, "host_not_allowed")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost", "LocalHost:1", "[::1]", "[::1]:65535", "localhost:"]
)
def test_allowed_hosts_accepts_the_names_of_this_machine(steady: TestClient, host: str) -> None:
    assert send(steady, "/healthz", "GET", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["", " ", "attacker.example", "127.0.0.1.attacker.example", "localhost.attacker.example", "xlocalhost", "::1",
     "[::1", "[::2]", "[", "[]", "localhost.", "127.0.0.2", "0.0.0.0", "2130706433", "127.1", "a@localhost",
     "localhost@a", "localhost/a", "localhost?a", "localhost#a", "localhost:80:80", "localhost:http",
     "localhost:999999", "localhost,a", "localhost a", "[v1.x]", "local\xadhost", "\xb9\xb2\xb7.0.0.1", "*",
     "testserver"],
)  # fmt: skip
@pytest.mark.defends("rebinding")
def test_allowed_hosts_refuses_other_spellings(steady: TestClient, host: str) -> None:
    refused(send(steady, "/healthz", "GET", Host=host), 400, "host_not_allowed")


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [("lab.example, GPU-1", "lab.example:80", 200), ("lab.example, GPU-1", "gpu-1", 200),
     ("lab.example", "x.lab.example", 400), ("", "lab.example", 400), ("*", "anything.example", 200),
     ("*", "any thing", 400)],
)  # fmt: skip
@states.on_sqlite
def test_allowed_hosts_accepts_the_names_of_the_setting(
    settings: Settings, allowed: str, host: str, status: int
) -> None:
    with serving(settings.model_copy(update={"allowed_hosts": allowed})) as client:
        assert send(client, "/healthz", "GET", Host=host).status_code == status
