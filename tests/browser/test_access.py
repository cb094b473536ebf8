"""Signing in and out on the pages, below /actlab/ behind nginx with TLS."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import make_key
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.watch import Watch
from tests.stack.proxying import ROOT_PATH, proxied

pytestmark = states.on_sqlite


@pytest.fixture
def page(chromium: Browser, settings: Settings, database: Database, tmp_path: Path, watch: Watch) -> Iterator[Page]:
    with proxied(settings, tmp_path, removed=True) as nginx:
        url = f"https://127.0.0.1:{nginx.port}"
        context = chromium.new_context(base_url=url, ignore_https_errors=True)
        context.set_default_timeout(TIMEOUT_MS)
        watch.attach(context, nginx.port)
        yield context.new_page()
        watch.close()
        context.close()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def test_pages_ask_for_a_key_and_sign_out(page: Page, database: Database, watch: Watch) -> None:
    key = make_key(database, Role.SUBMITTER, "anna").text
    id = states.queue(database, name="of a colleague")
    watch.expect("status of 401", "ERR_ABORTED")
    page.wait_for_timeout(1000)  # until the service has noticed the key
    page.goto(f"{ROOT_PATH}/experiments")
    expect(page.get_by_role("dialog")).to_contain_text("Sign in")
    sign_in(page, f"actlab_{'a' * 8}_{'b' * 43}")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text("There is no such API key.")
    sign_in(page, key)
    expect(page.get_by_text("anna")).to_be_visible()
    page.get_by_role("link", name="of a colleague").click()
    expect(page).to_have_url(re.compile(rf"{ROOT_PATH}/experiments/{id}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("of a colleague")
    page.get_by_text("Train the same with a request").click()
    page.get_by_role("button", name="curl").click()
    expect(page.locator(".request pre")).to_contain_text("Authorization: Bearer $ACTLAB_API_KEY")
    assert key not in page.evaluate("document.cookie + JSON.stringify({...localStorage, ...sessionStorage})")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("dialog")).to_contain_text("Sign in")
    expect(page.get_by_text("of a colleague")).to_have_count(0)


def test_docs_send_to_the_sign_in_and_come_back(page: Page, database: Database, watch: Watch) -> None:
    key = make_key(database).text
    watch.expect("status of 401", "ERR_ABORTED", "Failed to load")
    page.wait_for_timeout(1000)
    page.goto(f"{ROOT_PATH}/docs")
    sign_in(page, key)
    expect(page).to_have_url(re.compile(rf"{ROOT_PATH}/docs$"))
    page.get_by_role("button", name="Authorize").click()
    expect(page.get_by_text("bearer (http, Bearer)")).to_be_visible()
