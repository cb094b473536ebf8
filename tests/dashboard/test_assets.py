"""The files under /assets/: those that are listed, as they were published, and nothing else of the disk."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.dashboard import docs
from service.dashboard.assets import DASHBOARD, inside
from tests.conftest import ROOT

FOLDERS = (DASHBOARD / "vendor", ROOT / "tests" / "browser" / "vendor")
"""The vendored libraries of the pages, and those of tests alone."""
VENDORED = [(folder, package) for folder in FOLDERS for package in json.loads((folder / "vendor.json").read_text())]
PACKAGES = [pytest.param(folder, package, id=package["name"]) for folder, package in VENDORED]
LISTED = [
    pytest.param(folder / package["name"] / inside(path), checksum, id=f"{package['name']}/{path}")
    for folder, package in VENDORED
    for path, checksum in package["files"].items()
]


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.add_docs(app)
    return TestClient(app)


def test_assets_are_revalidated(client: TestClient) -> None:
    first = client.get("/assets/docs/swagger.js")
    again = client.get("/assets/docs/swagger.js", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    ["vendor.json", "docs/swagger.html", "app/index.html", "app", "docs/../../docs.py", "%2e%2e/docs.py", "", "redoc"],
)
def test_assets_hold_only_listed_files(client: TestClient, path: str) -> None:
    assert client.get(f"/assets/{path}").status_code == 404


@pytest.mark.parametrize(("file", "checksum"), LISTED)
def test_vendored_file_has_the_listed_checksum(file: Path, checksum: str) -> None:
    assert hashlib.sha256(file.read_bytes()).hexdigest() == checksum


def test_vendor_folder_holds_only_listed_files() -> None:
    listed = {param.values[0] for param in LISTED} | {folder / "vendor.json" for folder in FOLDERS}

    assert {file for folder in FOLDERS for file in folder.rglob("*") if file.is_file()} == listed


@pytest.mark.parametrize(("folder", "package"), PACKAGES)
def test_vendored_package_has_its_licence(folder: Path, package: dict[str, str]) -> None:
    assert package["licence"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])
    assert (folder / package["name"] / "LICENSE").stat().st_size > 0
