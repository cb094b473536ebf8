"""Every page fits its window at every size, and axe-core reports nothing serious."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.stack.services import Service

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


FOLDED = ("Single images", "Images it gets wrong", "Tune it for each combination")
"""Headings of folded parts, which are opened where a page has them."""


def addresses(service: Service) -> Iterator[tuple[str, str]]:
    """Yield the address of each kind of page, and a heading that it shows when it is loaded."""
    yield "/", "Studies"
    yield "/studies/new", "More of the network and the training"
    for study in service.client.studies():
        if not study["tunes"]:  # the trials of a study have the same page
            yield f"/studies/{study['id']}", "Ranking"
    yield "/experiments", "Experiments"
    yield f"/experiments/{service.client.experiments(status='succeeded')[0]['id']}", "Most confused"
    yield f"/experiments/{service.client.experiments(status='queued')[0]['id']}", "Attempts"
    runs = [service.client.experiments(status="succeeded", activation=name)[0] for name in ("relu", "tanh")]
    yield f"/compare?id={runs[0]['id']}&id={runs[1]['id']}&specs=all", "Where they differ"
    yield "/activations", "Try your own"
    yield "/activations/swish", "Properties"
    yield "/workers", "No worker has reported yet"


def open_page(page: Page, address: str, heading: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)
    expect(page.get_by_text("Comparing …")).to_have_count(0)
    for folded in FOLDED:
        for part in page.get_by_text(folded).all():
            part.click()
    expect(page.get_by_text("Loading")).to_have_count(0)


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1024, True), (1920, False)])
def test_pages_fit_their_window_and_pass_axe(new_page: NewPage, filled: Service, width: int, dark: bool) -> None:
    page = new_page(width=width, dark=dark, service=filled)
    faults: list[Any] = []
    for address, heading in addresses(filled):
        open_page(page, address, heading)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((address, "is wider than its window"))
        faults += [(address, *fault) for fault in serious_faults(page)]
    assert faults == []


def serious_faults(page: Page) -> Iterator[tuple[str, ...]]:
    """Yield the rule, the element and the reason of each serious violation that axe-core reports."""
    page.evaluate(AXE.read_text() + "; undefined")
    for violation in page.evaluate("axe.run()")["violations"]:
        if violation["impact"] in SERIOUS:
            for node in violation["nodes"][:2]:
                yield violation["id"], node["html"][:200], node["failureSummary"][:300]
