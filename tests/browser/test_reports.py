"""Reports as a browser shows them."""

from tests.browser.conftest import NewPage
from tests.stack.services import Service

WIDER = "[...document.querySelectorAll('.scroll')].filter(box => box.scrollWidth > box.clientWidth).length"


def test_report_tables_fit_a_window_of_1100_pixels(new_page: NewPage, filled: Service) -> None:
    page = new_page(width=1100, service=filled)
    wider = {}
    for study in filled.client.studies():
        page.goto(f"/api/v1/studies/{study['id']}/report?versus=all&reference=kizrak-2019")
        assert page.locator("table").count() > 0
        wider[study["name"]] = page.evaluate(WIDER)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert set(wider.values()) == {0}, wider
