"""SameSiteChanges: changes come from this server's own pages or from programs."""

import pytest
from fastapi.testclient import TestClient

from tests.api import states
from tests.api.http.middleware.requests import UNSAFE, send
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, ROOT


@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.defends("cross_site")
def test_same_site_changes_refuses_other_sites_on_every_route(
    steady: TestClient, paths: list[str], method: str
) -> None:
    for path in paths:
        refused(send(steady, path, method, Sec_Fetch_Site="cross-site"), 403, "cross_site")
        refused(send(steady, path, method, Origin="https://attacker.example"), 403, "cross_site")


@pytest.mark.parametrize(
    "headers",
    [{"Sec_Fetch_Site": site} for site in ("cross-site", "same-site", "", "none,cross-site", "x")]
    + [{"Origin": origin} for origin in
       ("null", "https://attacker.example", "http://127.0.0.1:8001", "http://localhost:8000", "http://127.0.0.1",
        "http://127.0.0.1:8000.attacker.example", "http://127.0.0.1:8000@attacker.example", "", "x", "http://[", "//")],
    ids=str,
)  # fmt: skip
@pytest.mark.defends("cross_site")
def test_same_site_changes_refuses_other_origins(steady: TestClient, headers: dict[str, str]) -> None:
    refused(send(steady, **headers), 403, "cross_site")
    assert steady.get(EXPERIMENTS).json()["items"] == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec_Fetch_Site": "same-origin", "Origin": ROOT}, {"Sec_Fetch_Site": "none"}, {"Origin": "HTTP://127.0.0.1:8000"}],
    ids=str,
)  # fmt: skip
@states.on_sqlite
def test_same_site_changes_accepts_own_pages_and_programs(client: TestClient, headers: dict[str, str]) -> None:
    assert send(client, **headers).status_code == 202


def test_same_site_changes_leaves_reads_to_the_browser(steady: TestClient) -> None:
    assert send(steady, EXPERIMENTS, "GET", Sec_Fetch_Site="cross-site").status_code == 200
