"""The documentation pages work with the network cut and under a policy that lets nothing inline run."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.dashboard import docs
from service.dashboard.assets import DASHBOARD
from tests.api.markup import Page

SCRIPTS = ("docs.css", "redoc.js", "swagger.js")
PAGES = ["/docs", "/redoc"]


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.add_docs(app)
    return TestClient(app)


@pytest.mark.parametrize("path", PAGES)
def test_docs_page_loads_only_files_of_this_server(client: TestClient, path: str) -> None:
    answer = client.get(path)
    addresses = Page(answer.text).addresses

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(addresses) >= 4
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)


@pytest.mark.parametrize("path", PAGES)
def test_docs_page_runs_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]

    assert Page(answer.text).inline == []
    assert "default-src 'self'" in policy
    assert not re.search(r"unsafe|http|\*", policy)


def test_docs_scripts_name_no_other_host_but_the_logo_that_they_remove(client: TestClient) -> None:
    scripts = "".join(client.get(f"/assets/docs/{name}").text for name in SCRIPTS)

    assert re.findall(r"https?://[^\"]+", scripts) == ["https://cdn.redoc.ly/redoc/logo-mini.svg"]


def test_redoc_has_the_logo_that_is_removed() -> None:
    assert (
        "https://cdn.redoc.ly/redoc/logo-mini.svg"
        in (DASHBOARD / "vendor" / "redoc" / "redoc.standalone.js").read_text()
    )


def test_swagger_reads_this_schema_without_a_validator(client: TestClient) -> None:
    script = client.get("/assets/docs/swagger.js").text

    assert "validatorUrl: null" in script
    assert "url: `${document.documentElement.dataset.root}/openapi.json`" in script


def test_docs_pages_are_not_in_the_schema(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}
