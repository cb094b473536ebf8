"""Pages of a service that is empty, stops and starts again, and live updates."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.watch import Watch
from tests.stack.services import LONG, SHORT, Service
from tests.waiting import await_true

TABS = 6
"""The number of connections that a browser opens to a host over HTTP/1.1."""

ANSWERED = "fetch('/healthz', { signal: AbortSignal.timeout(5000) }).then((answer) => answer.status)"


def test_pages_say_when_empty_and_when_not_current(new_page: NewPage, own_service: Service, watch: Watch) -> None:
    page = new_page(width=360, service=own_service)
    page.goto("/")
    page.get_by_role("link", name="Compare ReLU with swish").click()
    expect(page.get_by_role("button", name="Train 10 experiments")).to_be_enabled()

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


def test_workers_page_shows_memory_of_a_running_worker(page: Page) -> None:
    page.goto("/workers")
    expect(page.get_by_text(re.compile(r"^[\d.]+ MiB of [\d.]+ GiB memory$"))).to_be_visible()


def test_live_updates_share_one_stream_over_six_tabs(page: Page, service: Service) -> None:
    streams: list[str] = []
    page.context.on("request", lambda request: streams.extend([request.url] if "/api/v1/events" in request.url else []))
    experiment = service.client.submit_experiment(LONG | {"name": "in six tabs"})
    await_true(lambda: service.client.experiment(experiment["id"])["epochs_done"], seconds=90)
    tabs = [page, *(page.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto("/experiments?text=in+six+tabs")
        expect(tab.get_by_role("link", name="in six tabs")).to_be_visible()
    for tab in tabs:
        assert tab.evaluate(ANSWERED) == 200
        epochs = tab.get_by_role("cell", name=f"/ {LONG['epochs']}")
        expect(epochs).not_to_have_text(epochs.inner_text())
    assert len(streams) == 1
    service.client.cancel(experiment["id"])
    service.finished(experiment["id"])
