"""The pages of studies, from a first visit to a verdict."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, study_named
from tests.browser.labels import curves_at_epoch
from tests.browser.watch import Watch
from tests.stack.services import SHORT, Json, Service
from tests.waiting import await_true

NOTE_SHIFTS = """() => {
  window.shifts = [];
  const note = (entry) => window.shifts.push(entry.sources.map(({ node }) => node?.textContent.slice(0, 40)));
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "layout-shift" });
}"""

NETWORK = {name: value for name, value in SHORT.items() if name != "activation"}


def submit(service: Service, **fields: object) -> Json:
    """Submit a study of small networks over the API."""
    body = {"base": NETWORK, "factors": {"activation": ["relu", "swish"]}, "seeds": [0, 1, 2]} | fields
    return service.client.submit_study(body)


def test_new_study_page_takes_a_first_visitor_to_a_verdict(page: Page, service: Service) -> None:
    page.goto("/")
    page.get_by_role("link", name=re.compile("New study|Compare ReLU with swish")).first.click()
    expect(page.get_by_label("relu", exact=True)).to_be_checked()
    expect(page.get_by_label("swish", exact=True)).to_be_checked()
    page.get_by_label("Data set").select_option("digits")
    page.get_by_label("Epochs", exact=True).fill("1")
    page.get_by_text("More of the network and the training").click()
    page.get_by_label("Training images").fill("60")
    page.get_by_label("Name", exact=True).fill("first visit")
    button = page.get_by_role("button", name="Train 10 experiments")
    expect(button).to_be_enabled()
    button.click()

    expect(page.get_by_role("heading", name="first visit")).to_be_visible()
    expect(page.get_by_role("heading", name="first visit")).to_contain_text("finished", timeout=90_000)
    ranking = page.get_by_role("table", name=re.compile("best mean first"))
    expect(ranking.get_by_role("row")).to_have_count(3)
    expect(ranking).to_contain_text("swish")
    expect(page.get_by_text(re.compile("1 test of all pairs"))).to_be_visible()


def test_study_form_shows_an_error_at_its_field(page: Page, watch: Watch) -> None:
    watch.expect("status of 422")
    page.goto("/studies/new")
    expect(page.get_by_role("button", name="Train 10 experiments")).to_be_enabled()
    page.get_by_label("Dropout", exact=True).fill("0.25, 1.5")
    field = page.locator(".field", has=page.get_by_label("Dropout", exact=True))
    expect(field.get_by_role("alert")).to_contain_text("less than 1")
    expect(page.get_by_label("Dropout", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
    page.get_by_label("Dropout", exact=True).fill("0.25, 0.5")
    expect(page.get_by_role("button", name="Train 20 experiments")).to_be_enabled()
    expect(field.get_by_role("alert")).to_have_count(0)


def test_study_form_takes_a_reference(page: Page) -> None:
    page.goto("/studies/new?activation=relu&activation=tanh&activation=swish")
    page.get_by_text("The same as a request").click()
    expect(page.locator("aside")).to_contain_text("3 tests of all pairs")
    page.get_by_label("Compare", exact=True).select_option("each with tanh")
    expect(page.locator("aside")).to_contain_text("2 tests against the reference")
    expect(page.locator("pre")).to_contain_text('"reference": "tanh"')
    page.get_by_label("Dropout", exact=True).fill("0, 0.25")
    expect(page.get_by_label("Compare", exact=True).get_by_role("option")).to_have_count(1)
    expect(page.locator("pre")).not_to_contain_text("reference")


def test_study_form_takes_a_formula(page: Page) -> None:
    page.goto("/studies/new?activation=relu")
    page.get_by_role("button", name="Add a formula of your own").click()
    page.get_by_label("f(x) =").fill("x * sigmoid(1.7 * x)")
    page.get_by_role("button", name="Add this formula").click()
    expect(page.get_by_role("list", name="Formulas")).to_contain_text("x * sigmoid(1.7 * x)")
    expect(page.get_by_role("button", name="Train 10 experiments")).to_be_enabled()
    page.get_by_text("The same as a request").click()
    expect(page.locator("pre")).to_contain_text('{"formula": "x * sigmoid(1.7 * x)"}')


def test_studies_page_claims_no_more_than_the_tests_show(page: Page, service: Service) -> None:
    study = submit(service, name="listed", factors={"activation": ["relu", "leaky_relu"]})
    page.goto("/studies?text=listed")
    row = page.get_by_role("row", name=re.compile("listed"))
    expect(row).to_contain_text("finished", timeout=90_000)
    expect(row).to_contain_text(re.compile(r"undecided|n = 3"))
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(study["id"]))


def test_study_page_adds_seeds_and_cancels(page: Page, service: Service) -> None:
    base = NETWORK | {"epochs": 1000}
    submit(service, name="to cancel", base=base, factors={"activation": ["relu"]}, seeds=[0])
    page.goto("/studies?text=to+cancel")
    page.get_by_role("link", name="to cancel").click()
    page.get_by_role("button", name="Add seeds").click()
    page.get_by_label("Seeds to add").fill("1")
    page.get_by_role("button", name="Train 1 more experiment").click()
    expect(page.get_by_text("of 2 experiments")).to_be_visible()
    page.get_by_role("button", name="Cancel study").click()
    page.get_by_role("button", name="Cancel 2 experiments").click()
    expect(page.get_by_role("heading", name="to cancel")).to_contain_text("cancelled", timeout=60_000)


def test_study_page_says_why_none_of_its_experiments_runs(page: Page, service: Service) -> None:
    long = submit(service, name="long", base=NETWORK | {"epochs": 1000}, factors={"activation": ["relu"]}, seeds=[0])
    await_true(lambda: service.client.study(long["id"])["progress"]["running"])
    behind = submit(service, name="behind", seeds=[0])
    page.goto(f"/studies/{behind['id']}")
    expect(page.get_by_text("0 of 2 experiments; none is running now. It is next in line.")).to_be_visible()
    service.client.cancel_study(behind["id"])
    service.client.cancel_study(long["id"])


def test_study_page_retries_what_failed(page: Page, service: Service) -> None:
    diverging = {"optimizer": {"name": "sgd", "learning_rate": 100.0}}
    network = {**NETWORK, "model": {**SHORT["model"], "batch_norm": False}}
    factors = {"activation": ["linear"]}
    study = submit(service, name="to retry", base=network | diverging, factors=factors, seeds=[0, 1])
    sound = submit(service, name="sound", base=NETWORK, factors={"activation": ["relu"]}, seeds=[0])
    page.goto(f"/studies/{study['id']}")
    page.get_by_role("button", name="Retry 2 failed").click(timeout=60_000)
    expect(page.get_by_role("dialog")).to_contain_text("queued again as new ones")
    page.get_by_role("button", name="Train 2 experiments again").click()
    expect(page.get_by_text("of 4 experiments")).to_be_visible()
    page.get_by_role("button", name="Retry 2 failed").click(timeout=60_000)  # the retries diverged too
    page.get_by_role("button", name="Train 2 experiments again").click()
    expect(page.get_by_text("of 6 experiments")).to_be_visible()
    page.goto(f"/studies/{sound['id']}")
    expect(page.get_by_role("heading", name="sound")).to_contain_text("finished", timeout=60_000)
    expect(page.get_by_role("button", name=re.compile("Retry"))).to_have_count(0)


def test_study_page_extends_its_curves_without_layout_shifts(page: Page, service: Service) -> None:
    study = submit(
        service, name="growing", base=NETWORK | {"epochs": 1000}, factors={"activation": ["relu"]}, seeds=[0]
    )
    page.goto(f"/studies/{study['id']}")
    expect(page.get_by_role("img", name=curves_at_epoch("Validation accuracy", 1))).to_be_visible()
    expect(page.get_by_text("Loading")).to_have_count(0)
    page.evaluate(NOTE_SHIFTS)
    expect(page.get_by_role("img", name=curves_at_epoch("Validation accuracy", 5))).to_be_visible()
    assert page.evaluate("window.shifts") == []
    service.client.cancel_study(study["id"])
    expect(page.get_by_role("heading", name="growing")).to_contain_text("cancelled", timeout=60_000)


def test_study_page_says_why_no_time_is_estimated(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "half way")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    expect(page.get_by_text("9 of 25 experiments; no worker has reported lately")).to_be_visible()


def test_study_page_chooses_on_validation_and_describes_on_test(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"/studies/{study_named(filled, 'five')['id']}")
    answer = page.get_by_role("region", name="Which should I use?")
    expect(answer).to_contain_text("Chosen on validation accuracy at the last epoch")
    chosen = filled.client.study_comparison(
        study_named(filled, "five")["id"], metric="validation_accuracy", versus="all"
    )
    expect(answer).to_contain_text(chosen["summary"][0])
    table = answer.get_by_role("table")
    expect(table.get_by_role("row").nth(1)).to_contain_text(chosen["groups"][0]["factors"]["activation"])
    expect(table).to_contain_text("Test accuracy")
    assert any("metric=validation_accuracy&versus=all" in url for url in asked)
    assert any("metric=test_accuracy&versus=all" in url for url in asked)


def test_study_page_chooses_on_the_best_epoch_with_early_stopping(page: Page, service: Service) -> None:
    stopping = {**NETWORK, "early_stopping": {"patience": 2}}
    study = submit(service, name="stopping", base=stopping, factors={"activation": ["relu"]}, seeds=[0])
    with page.expect_request(re.compile("metric=best_validation_accuracy&versus=all")):
        page.goto(f"/studies/{study['id']}")
    answer = page.get_by_role("region", name="Which should I use?")
    expect(answer).to_contain_text("Chosen on validation accuracy at the best epoch", timeout=90_000)
