"""The table of the epochs and seconds in which runs reach a level."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import NewPage, study_named
from tests.stack.services import Service


def test_speed_table_shows_medians_and_says_what_was_not_reached(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "five")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    row = page.locator(".reached").get_by_role("row")
    expect(row.filter(has_text="swish")).to_have_text(re.compile(r"3 of 5 runs\s*8\s*16 s$"))
    expect(row.filter(has_text="tanh")).to_have_text(re.compile(r"0 of 5 runs\s*(not reached by half\s*){2}$"))
    page.get_by_label("up to").fill("80")
    expect(row.filter(has_text="tanh")).to_have_text(re.compile(r"5 of 5 runs\s*3\s*6 s$"))
    page.get_by_label("up to").fill("most")
    expect(page.get_by_text("Give a number, such as 95.")).to_be_visible()
    page.get_by_role("button", name="validation loss").click()
    expect(page.get_by_label("down to")).to_have_value("0.2")
    expect(row.filter(has_text="sigmoid")).to_contain_text("0 of 5 runs")
