"""Pictures that cost nothing while nobody sees them."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NewPage
from tests.stack.services import Service

DRAWN = "performance.getEntriesByName('actlab.chart').length"
SETTLE_MS = 500


def drawn(page: Page) -> int:
    page.wait_for_timeout(SETTLE_MS)
    return int(page.evaluate(DRAWN))


def test_each_picture_is_drawn_once_for_what_it_shows(new_page: NewPage, filled: Service) -> None:
    [study] = [each for each in filled.client.studies() if each["name"] == "five"]
    page = new_page(height=2000, service=filled)
    asked: list[Route] = []
    page.route("**/curves?metric=*", lambda route: asked.append(route))
    page.goto(f"/studies/{study['id']}")
    pictures = page.locator("figure canvas")
    while pictures.count() < 4:  # one answer after the other, in another order than they are shown
        page.wait_for_timeout(SETTLE_MS)
        if asked:
            asked.pop().continue_()
    page.unroute_all()
    assert drawn(page) == 4


def test_what_is_new_is_drawn_when_it_comes_into_view(new_page: NewPage, filled: Service) -> None:
    [study] = [each for each in filled.client.studies() if each["name"] == "five"]
    page = new_page(height=200, service=filled)
    page.goto(f"/studies/{study['id']}")
    expect(page.locator("figure canvas")).to_have_count(4)
    axis = page.get_by_role("button", name="log loss")
    page.mouse.wheel(0, -10_000)
    before = drawn(page)
    axis.dispatch_event("click")  # which scrolls nowhere
    expect(axis).to_have_attribute("aria-pressed", "true")
    assert drawn(page) == before
    page.locator("figure").last.scroll_into_view_if_needed()
    assert drawn(page) > before
