"""The API's documentation pages, in a browser that reaches no other host."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watch import Watch
from tests.stack.services import SHORT, Service


def operation(page: Page, name: str) -> Locator:
    """Unfold an operation of /docs and return it."""
    block = page.locator(f"[id$='-{name}'].opblock")
    block.locator(".opblock-summary").click()
    return block


def executed(block: Locator) -> tuple[str, Any]:
    """Press Execute, and return the status and the body of the answer."""
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_have_text(re.compile(r"^\d{3}"))
    return answer.locator(".response-col_status").inner_text()[:3], answer.locator(".microlight").first.inner_text()


def test_docs_page_submits_an_experiment(page: Page, service: Service) -> None:
    page.goto("/docs")
    block = operation(page, "submit_experiment")
    block.locator("textarea").fill(json.dumps(SHORT | {"name": "from the docs"}))
    status, text = executed(block)
    assert status == "202"
    experiment = json.loads(text)
    assert service.client.experiment(experiment["id"])["name"] == "from the docs"
    assert service.finished(experiment["id"])["status"] == "succeeded"


def test_watch_records_errors_and_foreign_requests(page: Page, watch: Watch) -> None:
    """A watch that records nothing would pass every page."""
    page.goto("/docs")
    page.evaluate("console.error('a complaint'); setTimeout(() => { throw new Error('thrown') })")
    page.evaluate("fetch('http://elsewhere.example/').catch(() => 0)")
    page.goto("/healthz")
    page.evaluate("fetch('http://elsewhere.example/').catch(() => 0)")
    assert any("a complaint" in error for error in watch.errors)
    assert any("thrown" in error for error in watch.errors)
    assert any("Content Security Policy" in error for error in watch.errors)
    assert watch.foreign == ["http://elsewhere.example/"]
    watch.errors.clear()
    watch.foreign.clear()


PLACES = {"/docs": "[id$='-{}'].opblock", "/redoc": "[id='operation/{}']"}


@pytest.mark.parametrize("path", PLACES)
def test_docs_page_shows_every_operation(page: Page, path: str) -> None:
    document = page.request.get("/openapi.json").json()
    page.goto(path)
    for methods in document["paths"].values():
        for described in methods.values():
            expect(page.locator(PLACES[path].format(described["operationId"]))).to_be_visible()
