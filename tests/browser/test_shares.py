"""The dialog that shares a study: making, copying, listing and revoking links by keyboard and by touch."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import make_key
from tests.api.serving import listening
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.filling import fill
from tests.browser.test_access import sign_in
from tests.browser.test_looks import serious_faults
from tests.browser.watch import Watch

pytestmark = states.on_sqlite

NOTICED_MS = 1000
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "color_scheme": "dark"}
DESK: dict[str, Any] = {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"}


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(settings) as url:
        yield url


OpenStudy = Callable[..., Page]


@pytest.fixture
def open_study(chromium: Browser, url: str, database: Database, watch: Watch) -> Iterator[OpenStudy]:
    """Open the page of a new study in a browser context with the given options."""
    contexts: list[BrowserContext] = []
    study = fill(database, {"name": "shared", "factors": {"activation": ["relu"]}, "seeds": [0]}).study

    def opened(**options: Any) -> Page:
        context = chromium.new_context(base_url=url, permissions=["clipboard-read", "clipboard-write"], **options)
        context.set_default_timeout(TIMEOUT_MS)
        watch.attach(context, int(url.rpartition(":")[2]))
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/studies/{study}")
        return page

    yield opened
    watch.close()
    for context in contexts:
        context.close()


def views(dialog: Locator) -> Locator:
    return dialog.get_by_role("row").nth(1).get_by_role("cell").nth(2)


def test_share_makes_copies_counts_and_revokes_a_link_by_keyboard(open_study: OpenStudy) -> None:
    page = open_study(**DESK)
    page.get_by_role("button", name="Share", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Share this study")
    dialog.get_by_label("Lifetime").focus()
    page.keyboard.press("ArrowUp")
    expect(dialog.get_by_label("Lifetime")).to_have_value("1w")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog.get_by_label("The link", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == dialog.get_by_label("The link", exact=True).input_value()
    assert list(serious_faults(page)) == []
    reader = page.context.new_page()
    reader.goto(link)
    expect(reader.get_by_role("heading", level=1)).to_contain_text("shared")
    expect(views(dialog)).to_have_text("1")
    dialog.get_by_role("button", name="Revoke the link").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Revoke this link?").get_by_role("button", name="Revoke").focus()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("row").nth(1)).to_contain_text("revoked")
    expect(dialog.get_by_role("heading", name="Links of this study")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    answer = page.request.get(link)
    assert answer.status == 404


def test_share_works_by_touch_in_a_narrow_dark_window(open_study: OpenStudy) -> None:
    page = open_study(**PHONE)
    page.get_by_role("button", name="Share", exact=True).tap()
    dialog = page.get_by_role("dialog", name="Share this study")
    dialog.get_by_label("Lifetime").select_option("no end")
    dialog.get_by_role("button", name="Make a link").tap()
    expect(dialog.get_by_role("row").nth(1)).to_contain_text("no end")
    dialog.get_by_role("button", name="Copy link").tap()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert "/s/" in page.evaluate("navigator.clipboard.readText()")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert list(serious_faults(page)) == []
    dialog.get_by_role("button", name="Revoke the link").tap()
    page.get_by_role("dialog", name="Revoke this link?").get_by_role("button", name="Revoke").tap()
    expect(dialog.get_by_role("row").nth(1)).to_contain_text("revoked")


@pytest.mark.parametrize(("role", "buttons"), [(Role.VIEWER, 0), (Role.SUBMITTER, 1)])
def test_share_is_offered_to_roles_that_may(
    open_study: OpenStudy, database: Database, watch: Watch, role: Role, buttons: int
) -> None:
    key = make_key(database, role, "anna").text
    watch.expect("status of 401", "ERR_ABORTED")
    page = open_study(**DESK)
    page.wait_for_timeout(NOTICED_MS)
    page.reload()
    sign_in(page, key)
    expect(page.get_by_text("anna")).to_be_visible()
    expect(page.get_by_role("button", name="Export").or_(page.get_by_text("Export"))).to_be_visible()
    expect(page.get_by_role("button", name="Share", exact=True)).to_have_count(buttons)
