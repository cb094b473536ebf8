"""The formula editor checks a formula while it is typed."""

from playwright.sync_api import Page, expect

from tests.browser.watch import Watch


def test_formula_editor_previews_and_points_at_errors(page: Page, watch: Watch) -> None:
    watch.expect("status of 422")
    page.goto("/activations")
    page.get_by_role("button", name="Remove a").click()
    page.get_by_label("f(x) =").fill("x * sigmoid(2.5 * x)")
    expect(page.get_by_role("img", name="Graph of x * sigmoid(2.5 * x)")).to_be_visible()
    page.get_by_role("link", name="Compare it with ReLU").click()
    expect(page.get_by_role("list", name="Formulas")).to_contain_text("x * sigmoid(2.5 * x)")
    expect(page.get_by_role("button", name="Train 10 experiments")).to_be_enabled()
    page.go_back()
    page.get_by_label("f(x) =").fill("x * sigmuid(x)")
    expect(page.locator(".formula-error mark")).to_have_text("s")
    expect(page.locator(".formula-error")).to_contain_text("sigmuid")
