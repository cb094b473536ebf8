"""The shell of the pages, and the modules it loads: local, under a strict policy."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.api.app import create_app
from service.dashboard import docs, pages
from service.dashboard.assets import DASHBOARD, assets
from service.domain.datasets import DATASETS
from service.domain.presets import PRESETS
from service.domain.status import Status
from service.settings import Settings
from tests.api.markup import Page

APP = DASHBOARD / "app"
MODULES = sorted(APP.rglob("*.js"))
OWN = sorted(file for file in APP.rglob("*") if file.is_file())
IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']""")


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.add_docs(app)
    pages.add_pages(app)
    return TestClient(app)


def shell() -> Page:
    return Page((APP / "index.html").read_text())


def import_map() -> dict[str, str]:
    [inline] = shell().inline
    imports: dict[str, str] = json.loads(inline)["imports"]
    return imports


@pytest.mark.parametrize("path", ["/", "/studies/1", "/experiments/1", "/activations", "/activations/relu", "/workers"])
def test_every_page_address_answers_the_shell(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    before, after = (APP / "index.html").read_text().split(pages.SPEC_PLACE)
    assert answer.text.startswith(before)
    assert answer.text.endswith(after)


def test_policy_allows_no_inline_script_but_the_import_map(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]

    assert policy.startswith("default-src 'none';")
    assert len(re.findall("sha256-", policy)) == 1
    assert not re.search(r"unsafe|http|\*", policy)
    assert len(shell().inline) == 1


def test_shell_loads_only_files_of_this_server(client: TestClient) -> None:
    addresses = [address for address in shell().addresses if address != "/docs"] + list(import_map().values())

    assert len(addresses) >= 10
    assert all(address.startswith("/assets/") for address in addresses)
    assert {address: client.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def imports(module: Path) -> Iterator[str]:
    """Yield the path below /assets/ of each module that a module imports."""
    for name in IMPORT.findall(module.read_text()):
        named = import_map().get(name, name)
        yield (
            named.removeprefix("/assets/")
            if named.startswith("/")
            else str((module.parent / named).resolve().relative_to(DASHBOARD))
        )


@pytest.mark.parametrize("module", MODULES, ids=lambda file: file.relative_to(APP).as_posix())
def test_module_imports_only_served_files(module: Path) -> None:
    assert set(imports(module)) <= assets().keys()


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.relative_to(APP).as_posix())
def test_app_file_names_no_other_host(file: Path) -> None:
    assert set(re.findall(r"https?://[^\s\"'`)]+", file.read_text())) <= {"http://www.w3.org/2000/svg"}


def test_modules_write_no_markup() -> None:
    """Text from the API goes through Preact, which escapes it."""
    for module in MODULES:
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(", module.read_text()), module


def test_shell_holds_what_the_api_says_of_a_spec() -> None:
    app = FastAPI()
    app.openapi = create_app(Settings()).openapi  # type: ignore[method-assign]  # FastAPI's documented way
    pages.add_pages(app)
    text = TestClient(app).get("/studies/new").text
    [spec] = re.findall(r'<script type="application/json" id="spec">(.*?)</script>', text)
    data = json.loads(spec)

    assert data["usual"]["optimizer"]["learning_rate"] == 0.001
    assert data["choices"]["dataset"] == [definition.name for definition in DATASETS.values()]
    assert set(data["choices"]["preset"]) == PRESETS.keys()
    assert data["choices"]["status"] == [status.value for status in Status]
    assert {"optimizer.name", "schedule", "model.init", "model.pool", "precision"} <= data["choices"].keys()


def test_spec_of_a_document_without_components_is_empty() -> None:
    assert pages.spec_of({"paths": {}}) == {"usual": {}, "choices": {}}


def test_texts_of_forms_are_of_names_that_the_api_has() -> None:
    """The names come from the API; a text of the pages for a name that is gone would be dead."""
    form = (APP / "pages" / "newstudy" / "studyform.js").read_text()
    texts = form[form.index("const DATASET_TEXTS") :]
    assert set(re.findall(r"^  (\w+): \"", texts[: texts.index("};")], re.MULTILINE)) <= DATASETS.keys()
    picker = (APP / "pages" / "newstudy" / "presetpicker.js").read_text()
    texts = picker[picker.index("const TEXTS") :]
    assert set(re.findall(r'^  "?([\w-]+)"?: "', texts[: texts.index("};")], re.MULTILINE)) <= PRESETS.keys()
