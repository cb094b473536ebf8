"""Studies that tune learning rates before their ranking, from the form to the figures."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, study_named
from tests.browser.watch import Watch
from tests.stack.services import Service


def test_study_form_submits_a_study_that_tunes(page: Page, service: Service) -> None:
    page.goto("/studies/new?activation=relu")
    page.get_by_label("Data set").select_option("digits")
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_text("More of the network and the training").click()
    page.get_by_label("Training images").fill("60")
    page.get_by_label("Name", exact=True).fill("tuned here")
    page.get_by_label("Which").fill("0")
    page.get_by_text("Tune it for each combination").click()
    page.get_by_label("Rates to try").fill("0.001, 0.01")
    page.get_by_label("Seeds to try them with").fill("7, 8")
    expect(page.get_by_text("1, and 4 before them that try learning rates")).to_be_visible()
    page.get_by_role("button", name="Train 5 experiments").click()

    heading = page.get_by_role("heading", name="tuned here")
    expect(heading).to_contain_text("tuning")
    expect(page.get_by_text("The ranking is queued when all rates have been tried.")).to_be_visible()
    expect(heading).to_contain_text("finished", timeout=90_000)
    expect(page.get_by_role("table", name=re.compile("best mean first")).get_by_role("row")).to_have_count(2)
    expect(page.get_by_text("At the edge: for relu")).to_be_visible()


def test_study_form_refuses_tuning_seeds_of_the_ranking(page: Page, watch: Watch) -> None:
    watch.expect("status of 422")
    page.goto("/studies/new")
    page.get_by_text("Tune it for each combination").click()
    page.get_by_label("Seeds to try them with").fill("2, 1000")
    field = page.locator(".field", has=page.get_by_label("Seeds to try them with"))
    expect(field.get_by_role("alert")).to_contain_text("needs seeds that tuning has not seen")
    page.get_by_label("Seeds to try them with").fill("1000")
    expect(page.get_by_role("button", name="Train 18 experiments")).to_be_enabled()


def test_study_page_shows_chosen_rates_edges_and_omissions(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "tuned")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    chart = page.get_by_role("img", name="Validation accuracy by learning rate")
    chosen = "relu: 0.003 chosen; swish: 0.01 chosen; softsign: no rate worked"
    expect(chart).to_have_attribute("aria-label", re.compile(chosen))
    expect(page.get_by_text("Not ranked: softsign.")).to_be_visible()
    expect(page.get_by_text("At the edge: for swish the best rate is the greatest")).to_be_visible()
    rates = page.get_by_role("region", name="Rates tried")
    expect(rates.get_by_role("row", name=re.compile("softsign none"))).to_contain_text("n = 0, 1 diverged")
    page.get_by_role("link", name="The trials, a study of their own").click()
    expect(page.get_by_text("It tries learning rates for another study")).to_be_visible()
    expect(page.get_by_role("button", name="Add seeds")).to_have_count(0)
    page.get_by_role("link", name="another study").click()
    expect(page.get_by_role("heading", name="tuned", exact=False).first).to_be_visible()
