"""Every page at every size: nothing sticks out, and axe-core finds nothing serious."""

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
"""What is opened where a page has it."""


def addresses(service: Service) -> Iterator[tuple[str, str]]:
    """Each kind of page, and what it shows once it is there."""
    yield "/", "Studies"
    yield "/studies/new", "More of the network and the training"
    for study in service.client.studies():
        if not study["tunes"]:  # a page like the others
            yield f"/studies/{study['id']}", "Ranking"
    yield "/experiments", "Experiments"
    yield f"/experiments/{service.client.experiments(status='succeeded')[0]['id']}", "Most confused"
    yield f"/experiments/{service.client.experiments(status='queued')[0]['id']}", "Attempts"
    yield "/activations", "Try your own"
    yield "/activations/swish", "Properties"
    yield "/workers", "No worker has reported yet"


def opened(page: Page, address: str, heading: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)
    for folded in FOLDED:
        for part in page.get_by_text(folded).all():
            part.click()
    expect(page.get_by_text("Loading")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_no_page_is_wider_than_its_window(new_page: NewPage, filled: Service, width: int) -> None:
    page = new_page(width=width, dark=width == 1024, service=filled)
    for address, heading in addresses(filled):
        opened(page, address, heading)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_serious_keeps_anybody_out(new_page: NewPage, filled: Service, dark: bool) -> None:
    page = new_page(dark=dark, service=filled)
    found = []
    for address, heading in addresses(filled):
        opened(page, address, heading)
        page.evaluate(AXE.read_text() + "; undefined")
        result: dict[str, Any] = page.evaluate("axe.run()")
        found += [
            (address, each["id"], node["html"][:200], node["failureSummary"][:300])
            for each in result["violations"]
            if each["impact"] in SERIOUS
            for node in each["nodes"][:2]
        ]
    assert found == []
