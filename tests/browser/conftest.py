"""A headless Chromium and the running services that it opens.

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
from tests.browser.filling import FILLED, LONG_LEASES, fill
from tests.browser.watch import Watch
from tests.conftest import do_without
from tests.stack.services import Json, Service
from tests.waiting import await_true

OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
TIMEOUT_MS = 20_000
SETUP_SECONDS = 300
"""Limit of a test with its fixtures: the first test starts the browser and the service, slowly on a busy machine."""

expect.set_options(timeout=TIMEOUT_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this package slow, since a browser, a service and a worker have to start."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(SETUP_SECONDS))


class NewPage(Protocol):
    def __call__(
        self,
        *,
        width: int = ...,
        height: int = ...,
        dark: bool = ...,
        touch: bool = ...,
        service: Service | None = ...,
    ) -> Page: ...


def study_named(service: Service, name: str) -> Json:
    """Return the study of this name."""
    (study,) = (study for study in service.client.studies() if study["name"] == name)
    return study


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser that resolves no host but this machine."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        do_without("Chromium is not installed (chromium)")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not work for root, as in a container; tests open the project's own pages only.
        browser = playwright.chromium.launch(executable_path=program, chromium_sandbox=False, args=[OFFLINE, *QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API and a worker that tests share: a test leaves them running and looks only at its own experiments."""
    running = Service(tmp_path_factory.mktemp("browser"), ACTLAB_DEVICE="cpu").start()
    await_true(running.client.workers, seconds=SETUP_SECONDS)
    yield running
    running.close()


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API without a worker over the studies of `FILLED`, which tests read and do not change."""
    running = Service(tmp_path_factory.mktemp("filled"), **LONG_LEASES)
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
    """An empty service that the test may stop."""
    running = Service(tmp_path_factory.mktemp("own"), ACTLAB_DEVICE="cpu").start()
    yield running
    running.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The errors and foreign requests of the pages of a test, which fails if any is left at its end."""
    watching = Watch()
    yield watching
    assert watching.errors == []
    assert watching.foreign == []


@pytest.fixture
def new_page(chromium: Browser, request: pytest.FixtureRequest, watch: Watch) -> Iterator[NewPage]:
    """Open pages, each in a context of its own. Addresses are relative to the service."""
    contexts = []

    def open_page(
        *,
        width: int = 1280,
        height: int = 800,
        dark: bool = False,
        touch: bool = False,
        service: Service | None = None,
    ) -> Page:
        served = service or request.getfixturevalue("service")
        context = chromium.new_context(
            base_url=f"http://127.0.0.1:{served.port}",
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        watch.attach(context, served.port)
        return context.new_page()

    yield open_page
    watch.close()
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A light page of the shared service, 1280 by 800 pixels."""
    return new_page()
