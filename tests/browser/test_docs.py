"""The API's own pages, in a browser that reaches no other host."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.watch import Watch
from tests.stack.services import SHORT, Service


def operation(page: Page, name: str) -> Locator:
    """One operation of /docs, unfolded."""
    found = page.locator(f"[id$='-{name}'].opblock")
    found.locator(".opblock-summary").click()
    return found


def executed(block: Locator) -> tuple[str, Any]:
    """Press Execute; status and body of what came back."""
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_have_text(re.compile(r"^\d{3}"))
    return answer.locator(".response-col_status").inner_text()[:3], answer.locator(".microlight").first.inner_text()


def test_try_it_out_submits_an_experiment(page: Page, service: Service) -> None:
    page.goto("/docs")
    block = operation(page, "submit_experiment")
    block.locator("textarea").fill(json.dumps(SHORT | {"name": "from the docs"}))
    status, text = executed(block)
    assert status == "202"
    experiment = json.loads(text)
    assert service.client.experiment(experiment["id"])["name"] == "from the docs"
    assert service.finished(experiment["id"])["status"] == "succeeded"


def test_the_watch_sees_what_it_is_for(page: Page, watch: Watch) -> None:
    """Without this, a watch that sees nothing would look like pages without a fault."""
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
def test_a_page_of_the_docs_shows_every_operation(page: Page, path: str) -> None:
    document = page.request.get("/openapi.json").json()
    page.goto(path)
    for methods in document["paths"].values():
        for described in methods.values():
            expect(page.locator(PLACES[path].format(described["operationId"]))).to_be_visible()
