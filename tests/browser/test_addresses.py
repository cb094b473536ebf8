"""The address of a study's page holds what the reader has chosen to see; the theme is kept for all pages."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, study_named
from tests.stack.services import Service

METRIC = "section[aria-labelledby=comparison-title] select"


def study_page(page: Page, service: Service, query: str = "") -> None:
    study = study_named(service, "five")
    page.goto(f"/studies/{study['id']}{query}")
    expect(page.get_by_role("heading", name="Ranking")).to_be_visible()
    expect(page.get_by_role("group", name="Groups drawn").get_by_role("button")).to_have_count(5)


def expect_choice(page: Page) -> None:
    """Expect what the test below has chosen, in all its controls."""
    expect(page.locator(METRIC)).to_have_value("test_loss")
    expect(page.get_by_role("button", name="log loss")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="by seconds")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("intervals")).not_to_be_checked()
    groups = page.get_by_role("group", name="Groups drawn")
    expect(groups.locator("[aria-pressed=false]")).to_have_count(2)
    for name in ("relu", "tanh"):
        expect(groups.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "false")


def test_study_page_keeps_what_it_shows_in_its_address(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    study_page(page, filled)
    page.locator(METRIC).select_option("test_loss")
    page.get_by_role("button", name="log loss").click()
    page.get_by_role("button", name="by seconds").click()
    page.get_by_label("intervals").uncheck()
    groups = page.get_by_role("group", name="Groups drawn")
    for name in ("relu", "tanh", "swish", "swish"):  # the second click shows it again
        groups.get_by_role("button", name=name, exact=True).click()
    expect_choice(page)
    chosen = {"metric=test_loss", "x=seconds", "loss=log", "intervals=off", "hidden=relu", "hidden=tanh"}
    assert set(page.url.partition("?")[2].split("&")) == chosen

    page.reload()
    expect_choice(page)
    other = new_page(service=filled)
    other.goto(page.url)
    expect_choice(other)


def test_study_page_leaves_what_is_usual_out_of_its_address(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    study_page(page, filled, "?metric=test_loss&loss=log")
    page.locator(METRIC).select_option("test_accuracy")
    page.get_by_role("button", name="linear loss").click()
    expect(page).to_have_url(re.compile(r"/studies/[0-9a-f-]+$"))


def test_study_page_ignores_what_its_address_gets_wrong(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    study_page(page, filled, "?metric=beauty&x=years&loss=cubic&versus=nobody&hidden=nothing&grid=none")
    expect(page.locator(METRIC)).to_have_value("test_accuracy")
    expect(page.get_by_role("button", name="by epoch")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("group", name="Groups drawn").locator("[aria-pressed=false]")).to_have_count(0)


def is_dark(page: Page) -> bool:
    """Return whether the page's background is dark."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(map(int, re.findall(r"\d+", colour)[:3])) < 3 * 128


def test_theme_has_three_states_of_which_one_follows_the_system(new_page: NewPage, filled: Service) -> None:
    page = new_page(dark=True, service=filled)
    page.goto("/")
    button = page.get_by_role("button", name=re.compile("^Theme: "))
    expect(button).to_have_accessible_name("Theme: as the system. Next: light")
    assert is_dark(page)
    button.click()
    expect(button).to_have_accessible_name("Theme: light. Next: dark")
    assert not is_dark(page)
    page.reload()
    assert not is_dark(page)
    button.click()
    expect(button).to_have_accessible_name("Theme: dark. Next: system")
    page.emulate_media(color_scheme="light")
    assert is_dark(page)
    button.click()
    expect(button).to_have_accessible_name("Theme: as the system. Next: light")
    assert not is_dark(page)
    page.emulate_media(color_scheme="dark")
    assert is_dark(page)
    page.reload()
    expect(button).to_have_accessible_name("Theme: as the system. Next: light")
