"""The pages of experiments: following, cancelling and repeating one, and reading its figures."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.labels import curves_at_epoch
from tests.stack.services import LONG, Service


def test_experiment_page_follows_cancels_and_retries_a_run(page: Page, service: Service) -> None:
    first = service.client.submit_experiment(LONG | {"name": "watched"})
    page.goto("/experiments?text=watched")
    page.get_by_role("link", name="watched").click()
    for epoch in (1, 4):
        expect(page.get_by_role("img", name=curves_at_epoch("Accuracy, %", epoch))).to_be_visible(timeout=60_000)
    expect(page.locator("pre.log")).not_to_be_empty()
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the experiment").click()
    expect(page.get_by_role("heading", name="watched")).to_contain_text("cancelled", timeout=60_000)
    expect(page.get_by_role("list").filter(has_text="epochs done when it ended")).to_be_visible()
    page.get_by_role("button", name="Train it again").click()
    expect(page.get_by_role("link", name="an earlier one")).to_have_attribute("href", f"/experiments/{first['id']}")
    service.client.cancel(page.url.rsplit("/", 1)[1])
    expect(page.get_by_role("button", name="Train it again")).to_be_visible(timeout=60_000)


def test_experiment_page_names_the_classes_most_confused(new_page: NewPage, filled: Service) -> None:
    experiment = filled.client.experiments(status="succeeded", activation="relu")[0]
    page = new_page(service=filled)
    page.goto(f"/experiments/{experiment['id']}")
    matrix = page.get_by_role("table", name=re.compile("what the network says"))
    expect(matrix.get_by_role("row")).to_have_count(11)
    expect(page.get_by_text("n = 1 000 test images")).to_be_visible()
    expect(page.get_by_text(re.compile("0 taken for"))).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile(r"^Zeros by layer and epoch: conv1 0\.\d+, conv2 0"))
    ).to_be_visible()
    expect(page.get_by_text("Not defined for this activation: saturated")).to_be_visible()
    page.get_by_text("Train the same with a request").click()
    expect(page.locator(".request pre")).to_contain_text('client.submit_experiment({\n        "activation": ')
    expect(page.locator(".request pre")).to_contain_text('"seed": ')


def test_experiment_page_sets_two_epochs_side_by_side(new_page: NewPage, filled: Service) -> None:
    experiment = filled.client.experiments(status="succeeded", activation="relu")[0]
    rows = filled.client.diagnostics(experiment["id"])["items"]
    page = new_page(service=filled)
    page.goto(f"/experiments/{experiment['id']}")
    cells = page.get_by_role("region", name="Two epochs of the layers").get_by_role("row").nth(1).get_by_role("cell")
    expect(cells.first).to_have_text("0")
    choices = page.locator("label", has_text=re.compile("^(Epoch|against epoch)")).locator("select")
    choices.first.select_option("2")
    choices.last.select_option("3")
    [second] = [row for row in rows if (row["layer"], row["epoch"]) == ("conv1", 2)]
    expect(cells).to_contain_text(["2", f"{second['zero_share']:.3g}"])
    expect(page).to_have_url(re.compile("epoch=2&against=3"))
    gradients = page.get_by_role("img", name=re.compile(r"^Gradient norm over depth, epoch \d+: conv1 .*, output "))
    expect(gradients).to_be_visible()
    link = page.get_by_role("link", name="Best validation loss")
    expect(link).to_have_attribute("href", f"/api/v1/experiments/{experiment['id']}/weights?which=best")


def test_experiment_page_follows_the_log_until_the_reader_scrolls(new_page: NewPage, filled: Service) -> None:
    experiment = filled.client.experiments(status="running")[0]
    lines = [f"line {number}" for number in range(100)]
    page = new_page(service=filled)
    page.route("**/log", lambda route: route.fulfill(body="\n".join(lines)))
    page.goto(f"/experiments/{experiment['id']}")
    log, follow = page.locator("pre.log"), page.get_by_label("follow its end")
    expect(log).to_contain_text("line 99")
    lines.append("line 100")
    expect(log).to_contain_text("line 100")
    to_end = "(log) => log.scrollHeight - log.scrollTop - log.clientHeight"
    assert log.evaluate(to_end) < 2
    log.evaluate("(log) => (log.scrollTop = 0)")
    expect(follow).not_to_be_checked()
    lines.append("line 101")
    expect(log).to_contain_text("line 101")
    assert log.evaluate("(log) => log.scrollTop") == 0
    follow.check()
    assert log.evaluate(to_end) < 2
