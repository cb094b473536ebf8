"""The documentation pages work with the network cut and under a policy that lets nothing inline run."""

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.api import docs

VENDOR = docs.DASHBOARD / "vendor"
PACKAGES = json.loads((VENDOR / "vendor.json").read_text())
LISTED = [
    pytest.param(VENDOR / package["name"] / Path(path).name, checksum, id=f"{package['name']}/{path}")
    for package in PACKAGES
    for path, checksum in package["files"].items()
]
PAGES = ["/docs", "/redoc"]


class Page(HTMLParser):
    """What a page loads, what it runs inline and what it points to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        for name, value in attrs:
            if name in ("src", "href"):
                self.addresses.append(value or "")
            if name == "style" or name.startswith("on"):
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style") and data.strip():
            self.inline.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.add_docs(app)
    return TestClient(app)


def test_the_root_leads_to_the_docs(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/docs"


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_only_what_this_server_has(client: TestClient, path: str) -> None:
    answer = client.get(path)
    addresses = Page(answer.text).addresses

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert len(addresses) >= 4
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses)


@pytest.mark.parametrize("path", PAGES)
def test_page_runs_nothing_inline(client: TestClient, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]

    assert Page(answer.text).inline == []
    assert "default-src 'self'" in policy
    assert not re.search(r"unsafe|http|\*", policy)


def test_own_scripts_name_no_other_host_but_the_logo_they_leave_out(client: TestClient) -> None:
    scripts = "".join(client.get(f"/assets/docs/{name}").text for name in docs.OWN)

    assert re.findall(r"https?://[^\"]+", scripts) == ["https://cdn.redoc.ly/redoc/logo-mini.svg"]


def test_the_logo_is_still_where_redoc_keeps_it() -> None:
    assert "https://cdn.redoc.ly/redoc/logo-mini.svg" in (VENDOR / "redoc" / "redoc.standalone.js").read_text()


def test_swagger_asks_no_validator_and_reads_our_schema(client: TestClient) -> None:
    script = client.get("/assets/docs/swagger.js").text

    assert "validatorUrl: null" in script
    assert 'url: "/openapi.json"' in script


def test_pages_are_not_in_the_schema(client: TestClient) -> None:
    assert client.get("/openapi.json").json()["paths"] == {}


def test_an_asset_is_revalidated(client: TestClient) -> None:
    first = client.get("/assets/docs/swagger.js")
    again = client.get("/assets/docs/swagger.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["vendor.json", "docs/swagger.html", "docs/../../docs.py", "%2e%2e/docs.py", "", "redoc"]
)
def test_only_listed_files_are_served(client: TestClient, path: str) -> None:
    assert client.get(f"/assets/{path}").status_code == 404


@pytest.mark.parametrize(("file", "checksum"), LISTED)
def test_vendored_file_is_the_published_one(file: Path, checksum: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum


def test_no_vendored_file_is_unlisted() -> None:
    listed = {param.values[0] for param in LISTED}

    assert {file for file in VENDOR.rglob("*") if file.is_file()} == listed | {VENDOR / "vendor.json"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package["name"])
def test_package_comes_with_its_licence(package: dict[str, str]) -> None:
    assert package["licence"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    assert (VENDOR / package["name"] / "LICENSE").stat().st_size > 0
