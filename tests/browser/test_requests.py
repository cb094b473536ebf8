"""The same as a form, as a program, a command and a request: what the pages show is copied and run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.conftest import ROOT
from tests.stack.services import Service
from tests.waiting import await_true

RUN = {"Python": [sys.executable, "-c"], "Command": ["sh", "-c"], "curl": ["sh", "-c"]}
"""The programs that take a text of each language as their last argument."""

NAME = """It's "small" & 100 % $HOME `x` ü"""
"""A name with all that shells and Python treat in their own way."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API without a worker, so that what is submitted stays queued."""
    running = Service(tmp_path_factory.mktemp("requests"))
    running.run("db", "upgrade")
    running.launch("serve")
    await_true(running.client.healthy, seconds=90)
    yield running
    running.close()


def copied(page: Page, summary: str, language: str) -> str:
    """Open the request of a page, copy its text in a language, and return what the clipboard holds."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text(summary).click()
    page.get_by_role("group", name="Language").get_by_role("button", name=language).click()
    page.locator(".request").get_by_role("button", name="Copy").click()
    expect(page.locator(".request").get_by_role("button", name="Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def run(language: str, text: str, folder: Path) -> str:
    """Run a text as a user would, in an empty folder and without settings, and return the id that it prints."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ACTLAB_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), own["PATH"]])
    done = subprocess.run(
        [*RUN[language], text],
        cwd=folder,
        env=own | {"PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (id,) = re.findall(r'^(?:.*?"id": ?")?([0-9a-f-]{36})', done.stdout)
    return str(id)


@pytest.mark.parametrize("language", RUN)
def test_study_form_shows_requests_that_work(new_page: NewPage, api: Service, tmp_path: Path, language: str) -> None:
    page = new_page(service=api)
    page.goto("/studies/new?activation=relu&activation=tanh")
    page.get_by_label("Data set").select_option("digits")
    page.get_by_label("Dropout", exact=True).fill("0.25, 0.5")
    page.get_by_label("Name", exact=True).fill(NAME)
    expect(page.get_by_role("button", name="Train 20 experiments")).to_be_enabled()
    study = api.client.study(run(language, copied(page, "The same as a request", language), tmp_path))
    api.client.cancel_study(study["id"])
    assert (study["name"], study["experiments"]) == (NAME, 20)
    assert study["factors"] == {"activation": ["relu", "tanh"], "dropout": [0.25, 0.5]}


@pytest.mark.parametrize("language", RUN)
def test_experiment_page_shows_requests_that_work(
    new_page: NewPage, api: Service, tmp_path: Path, language: str
) -> None:
    page = new_page(service=api)
    first = api.client.submit_experiment({"activation": "swish", "dataset": "digits", "name": NAME, "epochs": 900})
    api.client.cancel(first["id"])
    page.goto(f"/experiments/{first['id']}")
    text = copied(page, "Train the same with a request", language)
    again = api.client.experiment(run(language, text, tmp_path))
    api.client.cancel(again["id"])
    assert again["id"] != first["id"]
    assert again["spec"] == first["spec"]
    assert again["name"] == NAME


def test_request_fits_a_narrow_window(new_page: NewPage, api: Service) -> None:
    page = new_page(width=360, service=api)
    page.goto("/studies/new?activation=relu&activation=tanh")
    page.get_by_text("The same as a request").click()
    expect(page.locator(".request pre")).to_contain_text("from actlab import Client")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
