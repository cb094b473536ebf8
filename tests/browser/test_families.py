"""The same runs get the same verdicts on every surface: demo, command, client, report, page and list of studies."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from rich.console import Console
from rich.table import Table

from actlab import demo
from service.domain.spec import ExperimentSpec
from service.storage.engine.database import Database
from tests.browser.conftest import NewPage
from tests.browser.filling import LONG_LEASES, fill
from tests.conftest import ROOT
from tests.stack.services import Service
from tests.waiting import await_true

ACCURACIES: dict[str, dict[str, float]] = json.loads((ROOT / "benchmarks" / "real_runs.json").read_text())[
    "test_accuracy"
]
"""Test accuracies of 60 real runs, by activation and seed."""

VERDICT = "section[aria-labelledby=comparison-title] .verdict"


def real(spec: ExperimentSpec) -> float:
    return ACCURACIES[spec.activation.label][str(spec.seed)]


@pytest.fixture(scope="module")
def real_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API over two studies of the same real runs: one with the preset's reference, one without any."""
    service = Service(tmp_path_factory.mktemp("families"), **LONG_LEASES)
    service.run("db", "upgrade")
    database = Database(service.database_url)
    for name, own in (("against relu", {}), ("every pair", {"reference": None})):
        fill(database, {"preset": "quick", "name": name, **own}, accuracy=real)
    database.close()
    service.launch("serve")
    await_true(service.client.healthy, seconds=90)
    yield service
    service.close()


def printed(table: Table) -> str:
    console = Console(width=400)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def one_line(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def opened(page: Page, address: str, heading: str) -> Page:
    page.goto(address)
    expect(page.get_by_role("heading", name=heading).first).to_be_visible()
    return page


def row_of(page: Page, study: str) -> str | None:
    row = page.get_by_role("row", name=study)
    expect(row).to_contain_text("highest mean")
    return row.text_content()


@pytest.mark.parametrize("name", ["against relu", "every pair"])
def test_surfaces_say_the_same_of_the_same_runs(
    new_page: NewPage, real_runs: Service, tmp_path: Path, name: str
) -> None:
    client = real_runs.client
    (study,) = client.studies(text=name)
    comparison = client.study_comparison(study["id"])
    assert (comparison["family"]["versus"] is None) == (name == "every pair")
    finding, *others = comparison["summary"]
    report = client.report(tmp_path / "report.html", study["id"]).read_text()
    page = new_page(service=real_runs)
    surfaces = {
        "demo": printed(demo.outcome(client, study["id"])),
        "command": real_runs.run("study", "compare", study["id"]).stdout,
        "report": html.unescape(re.sub(r"<[^>]+>", " ", report)),
        "page": opened(page, f"/studies/{study['id']}", "Ranking").locator(VERDICT).text_content(),
        "list": row_of(opened(page, "/studies", "Studies"), name),
    }
    said = {surface: one_line(text) for surface, text in surfaces.items()}
    # The command wraps its text to 80 columns; a table's caption has no other text between its words.
    assert {surface for surface, text in said.items() if finding in text} == said.keys()
    whole = {surface for surface, text in said.items() if all(sentence in text for sentence in others)}
    assert whole == said.keys() - {"list"}


def test_study_page_shows_the_other_family_after_one_click(new_page: NewPage, real_runs: Service) -> None:
    (study,) = real_runs.client.studies(text="against relu")
    other = real_runs.client.study_comparison(study["id"], versus="all")
    page = opened(new_page(service=real_runs), f"/studies/{study['id']}", "Ranking")
    expect(page.locator(VERDICT)).to_contain_text("the study's reference")
    expect(page.get_by_role("heading", name="Against relu", exact=True)).to_be_visible()
    page.get_by_role("button", name="all pairs").click()
    expect(page.locator(VERDICT)).to_contain_text(other["summary"][0])
    expect(page.locator(VERDICT)).to_contain_text("another family of tests than the study's own")
    expect(page.get_by_role("heading", name="Every pair")).to_be_visible()
    page.reload()  # the family is in the address
    expect(page.get_by_role("heading", name="Every pair")).to_be_visible()
    flagged = real_runs.run("study", "compare", study["id"], "--versus", "all").stdout
    assert "another family of tests than the study's own" in one_line(flagged)
