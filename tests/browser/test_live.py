"""An installation that is new, goes away and comes back, as its pages tell it."""

from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.browser.watch import Watch
from tests.stack.services import SHORT, Service


def test_pages_say_that_there_is_nothing_yet_and_when_they_are_not_current(
    new_page: NewPage, own_service: Service, watch: Watch
) -> None:
    page = new_page(width=360, service=own_service)
    page.goto("/")
    page.get_by_role("link", name="Compare ReLU with swish").click()
    expect(page.get_by_role("button", name="Train 6 experiments")).to_be_enabled()

    experiment = own_service.client.submit_experiment(SHORT)
    own_service.finished(experiment["id"])
    page.goto(f"/experiments/{experiment['id']}")
    expect(page.get_by_role("heading", name="Test result")).to_be_visible()
    watch.expect("net::ERR_")
    own_service.stop()
    notice = page.get_by_text("Not current.")
    expect(notice).to_be_visible(timeout=60_000)
    expect(page.get_by_text("What you see is from")).to_be_visible()
    expect(page.get_by_role("heading", name="Test result")).to_be_visible()

    page.get_by_role("button", name="Try now").click()
    expect(notice).to_be_visible()

    own_service.start()
    expect(notice).to_have_count(0, timeout=60_000)
    page.reload()
    expect(page.get_by_role("heading", name="Test result")).to_be_visible()
