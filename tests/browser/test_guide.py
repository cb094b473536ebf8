"""The guide in a browser that reaches no other host, below a path."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.dashboard import guide
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import listening
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.test_looks import serious_faults
from tests.browser.watch import Watch
from tests.guides import build_guide

pytestmark = states.on_sqlite


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_guide(tmp_path_factory.mktemp("guide"))


@pytest.fixture
def url(settings: Settings, database: Database, site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(guide, "SITE", site)
    with listening(settings.model_copy(update={"root_path": "/actlab"})) as url:
        yield url if url.endswith("/actlab") else f"{url}/actlab"


@pytest.fixture(params=[(360, False), (1400, True)], ids=["phone", "desktop"])
def page(chromium: Browser, request: pytest.FixtureRequest, url: str, watch: Watch) -> Iterator[Page]:
    width, dark = request.param
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light")
    context.set_default_timeout(TIMEOUT_MS)
    watch.attach(context, int(re.findall(r":(\d+)", url)[0]))
    yield context.new_page()
    watch.close()
    context.close()


def test_guide_finds_a_word(page: Page, url: str) -> None:
    page.goto(f"{url}/guide")
    expect(page).to_have_url(f"{url}/guide/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("ActLab")
    page.keyboard.press("/")
    page.keyboard.type("heartbeat")
    expect(page.get_by_text(re.compile(r"^\d+ results?$"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/actlab/guide/\w+\.html"))


def test_guide_pages_fit_their_window(page: Page, url: str, site: Path) -> None:
    faults: list[tuple[str, str]] = []
    for name in sorted(file.relative_to(site).as_posix() for file in site.glob("*.html")):
        page.goto(f"{url}/guide/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((name, "is wider than its window"))
    assert faults == []


def test_guide_passes_axe(page: Page, url: str) -> None:
    """Chromium itself lets keys reach the wide tables that the theme scrolls."""
    faults: list[tuple[str, ...]] = []
    for name in ("index.html", "claims.html"):
        page.goto(f"{url}/guide/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        faults += [fault for fault in serious_faults(page) if fault[0] != "scrollable-region-focusable"]
    assert faults == []
