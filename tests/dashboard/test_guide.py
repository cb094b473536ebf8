"""The guide: its pages and their files come from this server, and their policy lets nothing else run."""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.dashboard import docs, guide
from service.settings import Settings
from tests.api.markup import Page
from tests.api.serving import serving
from tests.guides import build_guide

FOREIGN_LINKS = ("a",)
"""Elements that load nothing before somebody follows them."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_guide(tmp_path_factory.mktemp("guide"))


def client_of(site: Path, root: str = "") -> TestClient:
    app = FastAPI(docs_url=None, redoc_url=None)
    docs.add_docs(app, root)
    guide.add_guide(app, root, site)
    return TestClient(app, base_url="http://guide.example")


@pytest.fixture(scope="module")
def client(site: Path) -> TestClient:
    return client_of(site)


def pages(site: Path) -> list[str]:
    return sorted(f"/guide/{file.relative_to(site).as_posix()}" for file in site.rglob("*.html"))


def test_guide_has_a_page_for_each_document(site: Path) -> None:
    """README.md of a folder is its index."""
    sources = {file.relative_to(site.parents[2] / "docs") for file in (site.parents[2] / "docs").rglob("*.md")}
    expected = {source.with_name("index.md" if source.name == "README.md" else source.name) for source in sources}
    assert len(expected) > 40
    assert {f"/guide/{name.with_suffix('.html').as_posix()}" for name in expected} <= set(pages(site))


def test_guide_pages_refer_only_to_files_of_this_server(client: TestClient, site: Path) -> None:
    addresses = {
        (page, urljoin(f"http://guide.example{page}", address))
        for page in pages(site)
        for tag, address in Page(client.get(page).text).references
        if address and not (tag in FOREIGN_LINKS and urlsplit(address).scheme in ("http", "https"))
    }
    files = {address.partition("#")[0] for _, address in addresses if not address.startswith("data:")}
    assert len(files) > 40
    assert {file for file in files if not file.startswith("http://guide.example/guide/")} == set()
    assert {file: status for file in files if (status := client.get(file).status_code) != 200} == {}


def test_guide_style_sheets_load_only_files_of_this_server(site: Path) -> None:
    sheets = [file.read_text() for file in site.rglob("*.css")]
    loaded = {url for sheet in sheets for url in re.findall(r"url\(\s*[\"']?([^)\"']+)", sheet)}
    imported = {rule for sheet in sheets for rule in re.findall(r"@import[^;]+", sheet)}
    assert len(sheets) >= 2
    assert imported == set()
    assert {url for url in loaded if not url.startswith(("data:", "#"))} == set()


def test_guide_pages_have_a_policy_that_permits_what_they_contain(client: TestClient, site: Path) -> None:
    for page in pages(site):
        answer = client.get(page)
        policy = answer.headers["content-security-policy"]
        assert not re.search(r"unsafe|http|\*", policy), page
        assert policy.startswith("default-src 'none'"), page
        inline = [part for part in Page(answer.text).inline if re.fullmatch(r"\w+ (style|on\w+)", part)]
        assert inline == [], page


def test_policy_names_scripts_and_styles_by_their_hash() -> None:
    policy = guide.policy('<script src="a.js"></script><script>alert(1)</script><style>p{}</style>')
    assert "script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='" in policy
    assert policy.count("sha256-") == 3  # and the style of the search


@pytest.mark.parametrize("root", ["", "/actlab"])
def test_guide_begins_at_its_folder(site: Path, root: str) -> None:
    client = client_of(site, root)
    answer = client.get("/guide", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == f"{root}/guide/"
    assert re.search(r"<title>Quick start", client.get("/guide/").text)


def test_guide_files_are_revalidated(client: TestClient) -> None:
    first = client.get("/guide/studies.html")
    again = client.get("/guide/studies.html", headers={"If-None-Match": first.headers["etag"]})
    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["nothing.html", "%2e%2e/guide.py", "decisions", "..%2fpages.py", "404.html"])
def test_guide_answers_404_for_other_files(client: TestClient, path: str) -> None:
    assert client.get(f"/guide/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/guide/", "/guide/studies.html"])
def test_guide_that_is_not_built_says_how_to_build_it(tmp_path: Path, path: str) -> None:
    answer = client_of(tmp_path / "none", "/actlab").get(path)
    assert answer.status_code == 404
    assert "make docs" in answer.text
    assert '<a href="/actlab/docs">' in answer.text
    assert not re.search(r"unsafe|http|\*", answer.headers["content-security-policy"])


def test_guide_that_is_built_later_is_served(site: Path, tmp_path: Path) -> None:
    client = client_of(tmp_path / "site")
    assert client.get("/guide/").status_code == 404
    (tmp_path / "site").symlink_to(site)
    assert client.get("/guide/").status_code == 200


def test_guide_is_part_of_the_service(settings: Settings) -> None:
    with serving(settings) as client:
        assert client.get("/guide", follow_redirects=False).headers["location"] == "/guide/"
