"""A headless Chromium and a running service for it to look at.

Playwright drives the Chromium of the system. Its loop runs in the main thread while the `chromium` fixture is alive,
so the fixture ends with this package: tests elsewhere run loops of their own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from service.storage.engine.database import Database
from tests.browser.filling import FILLED, KEPT, fill
from tests.browser.watch import Watch
from tests.conftest import do_without
from tests.stack.services import Service
from tests.waiting import await_true

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
PATIENCE_MS = 20_000
SETUP_SECONDS = 300
"""For a test with all that it sets up: the first one starts the browser and the service, on a busy machine slowly."""

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this package is slow: a browser, a service and a worker have to start."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(SETUP_SECONDS))


class NewPage(Protocol):
    def __call__(
        self, *, width: int = ..., height: int = ..., dark: bool = ..., service: Service | None = ...
    ) -> Page: ...


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser that finds this machine and no other."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        do_without("Chromium is not installed (chromium)")
    with sync_playwright() as playwright:
        # Root, as in a container, cannot have Chromium's sandbox; the only pages opened are our own.
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=[OFFLINE, *QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """API and worker, shared by the tests of this package: leave it running, and look only at what is yours."""
    running = Service(tmp_path_factory.mktemp("browser"), ACTLAB_DEVICE="cpu").start()
    yield running
    running.close()


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API without a worker, over studies that are finished, half way and alone: to be looked at, not changed."""
    running = Service(tmp_path_factory.mktemp("filled"), **KEPT)
    running.run("db", "upgrade")
    database = Database(running.database_url)
    for body, parts in FILLED:
        fill(database, body, **parts)
    database.close()
    running.launch("serve")
    await_true(running.client.healthy, seconds=90)
    yield running
    running.close()


@pytest.fixture
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One that a test may stop, and that holds nothing yet."""
    running = Service(tmp_path_factory.mktemp("own"), ACTLAB_DEVICE="cpu").start()
    yield running
    running.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What pages complained of and whom they asked; a test that leaves something there fails."""
    watching = Watch()
    yield watching
    assert watching.errors == []
    assert watching.foreign == []


@pytest.fixture
def new_page(chromium: Browser, request: pytest.FixtureRequest, watch: Watch) -> Iterator[NewPage]:
    """Opens pages, each in a context of its own. An address that begins with / is one of the service."""
    contexts = []

    def open_page(*, width: int = 1280, height: int = 800, dark: bool = False, service: Service | None = None) -> Page:
        served = service or request.getfixturevalue("service")
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{served.port}",
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context, served.port)
        return context.new_page()

    yield open_page
    watch.close()
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A page of the shared service, 1280 by 800, light."""
    return new_page()
