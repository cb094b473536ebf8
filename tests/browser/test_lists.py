"""The lists of experiments and studies: choosing, changing, archiving, and what they say when nothing comes."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from service.storage.engine.database import Database
from tests.browser.conftest import NewPage, study_named
from tests.browser.filling import FILLED, LONG_LEASES, fill, multiply
from tests.browser.test_looks import serious_faults
from tests.browser.watch import Watch
from tests.stack.services import Service
from tests.waiting import await_true

MANY = 10_000
INTERACTIVE_MS = 10_000
"""Limit on a machine that runs other tests; docs/performance.md has the time on an idle one."""

NOTE_SHIFTS = """() => {
  window.shift = 0;
  const note = (entry) => { if (!entry.hadRecentInput) window.shift += entry.value; };
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "layout-shift", buffered: true });
}"""
MOST_SHIFT = 0.01
"""Of the Cumulative Layout Shift, which web.dev calls good up to 0.1."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An API without a worker over 10,000 experiments, which tests of this module change."""
    running = Service(tmp_path_factory.mktemp("many"), **LONG_LEASES)
    running.run("db", "upgrade")
    database = Database(running.database_url)
    (five, parts), *_ = FILLED
    fill(database, five, **parts)
    multiply(database, MANY)
    database.close()
    running.launch("serve")
    await_true(running.client.healthy, seconds=90)
    yield running
    running.close()


def row_of(page: Page, number: int) -> Locator:
    """Return a row of the list; the first has the number 1."""
    return page.get_by_role("row").nth(number)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def confirm(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("dialog").get_by_role("button", name=name).click()


def test_experiments_page_finds_compares_and_tags_the_best(new_page: NewPage, many: Service) -> None:
    page = new_page(service=many)
    page.goto("/experiments")
    page.get_by_label("Activation, such as relu").fill("swish")
    page.get_by_role("button", name="Add activation filter").click()
    page.get_by_role("search").get_by_label("Created", exact=True).select_option("in the last 7 days")
    page.get_by_role("button", name="Test accuracy").click()
    expect(page.get_by_role("columnheader", name="Test accuracy")).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile(r"activation=swish&created_min=.*sort=-test_accuracy"))
    row_of(page, 1).get_by_role("checkbox").click()
    row_of(page, 3).get_by_role("checkbox").click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected", exact=True)).to_be_visible()
    since = re.search("created_min=([^&]+)", page.url)
    assert since
    best = many.client.experiments_page(
        activation="swish", created_min=unquote(since[1]), sort="-test_accuracy", limit=3
    )["items"]
    page.get_by_label("Activation, such as relu").fill("relu")
    page.get_by_label("Activation, such as relu").press("Enter")
    page.get_by_role("button", name="Take the filter away: activation swish").click()
    expect(page).to_have_url(re.compile(r"\?created_min=[^&]*&sort=-test_accuracy&activation=relu$"))
    expect(row_of(page, 1)).to_contain_text("relu")
    row_of(page, 1).get_by_role("checkbox").click()
    expect(page.get_by_text("4 selected, 3 not on this page")).to_be_visible()
    address = page.get_by_role("link", name="Compare").get_attribute("href") or ""
    assert re.findall("id=([^&]+)", address)[:3] == [one["id"] for one in best]
    press(page, "Tag")
    page.get_by_label("Tags to add").fill("best, of the week")
    confirm(page, "Change 4 experiments")
    expect(page.get_by_text("Changed the tags of 4 experiments.")).to_be_visible()
    assert many.client.count_experiments(tag="best") == {"count": 4}
    second = row_of(page, 2).get_by_role("link").first.get_attribute("href") or ""
    other = new_page(service=many)
    other.goto(page.url)
    expect(row_of(other, 2).get_by_role("link").first).to_have_attribute("href", second)
    other.get_by_role("link", name="best", exact=True).click()
    expect(other.get_by_role("row")).to_have_count(5)


def test_experiments_page_tags_all_that_match_with_one_request(new_page: NewPage, many: Service) -> None:
    page = new_page(service=many)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    page.goto("/experiments")
    row_of(page, 50).wait_for()
    assert page.evaluate("performance.now()") < INTERACTIVE_MS
    expect(page.get_by_text("50 of 10 000 experiments on this page".replace(" 000", "\u202f000"))).to_be_visible()
    page.get_by_label("Activation, such as relu").fill("tanh")
    page.get_by_label("Activation, such as relu").press("Enter")
    tanh = many.client.count_experiments(activation="tanh")["count"]
    page.get_by_role("button", name=re.compile("Select all 2.000")).click()
    expect(page.get_by_role("link", name="Compare")).to_have_count(0)
    press(page, "Tag")
    page.get_by_label("Tags to add").fill("all of tanh")
    confirm(page, re.compile("Change 2.000 experiments"))
    expect(page.get_by_text(re.compile("Changed the tags of 2.000 experiments."))).to_be_visible(timeout=60_000)
    assert [url.rpartition("/")[2] for url in asked if "dry_run" not in url] == ["tag"]
    assert many.client.count_experiments(tag="all of tanh") == {"count": tanh}


def test_experiments_page_archives_undoes_and_deletes(new_page: NewPage, many: Service) -> None:
    page = new_page(service=many)
    page.goto("/experiments?activation=sigmoid")
    name = row_of(page, 1).get_by_role("link").first
    first = name.get_attribute("href")
    row_of(page, 1).get_by_role("checkbox").click()
    press(page, "Archive")
    confirm(page, "Archive 1 experiment")
    expect(page.get_by_text("Archived 1 experiment.")).to_be_visible()
    expect(name).not_to_have_attribute("href", first or "")
    press(page, "Undo")
    expect(name).to_have_attribute("href", first or "")
    row_of(page, 1).get_by_role("checkbox").click()
    press(page, "Cancel")
    expect(page.get_by_role("dialog")).to_contain_text("0 of 1 that are selected; the others have ended")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel 0")).to_be_disabled()
    confirm(page, "Back")
    press(page, "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("They go for good")
    confirm(page, "Delete 1 experiment")
    expect(page.get_by_text("Deleted 1 experiment.")).to_be_visible()
    assert many.client.count_experiments()["count"] == MANY - 1


def test_experiments_page_takes_a_query_and_names_its_error(new_page: NewPage, filled: Service, watch: Watch) -> None:
    watch.expect("status of 422")
    page = new_page(service=filled)
    page.goto("/experiments")
    page.get_by_label("Query", exact=True).last.fill("seed > 2 AND acivation = 'relu'")
    page.get_by_label("Query", exact=True).last.press("Enter")
    expect(page.locator(".query-box").get_by_role("alert")).to_contain_text("'acivation' is no field of an experiment")
    page.get_by_label("Query", exact=True).last.fill("seed > 2 AND activation = 'relu'")
    press(page, "Apply")
    query = {"query": "seed > 2 AND activation = 'relu'", "archived": "false"}
    matching = filled.client.count_experiments(**query)["count"]
    expect(page.get_by_role("button", name=f"Select all {matching}")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(1 + matching)


def test_experiments_page_keeps_columns_and_order_in_the_address(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.goto("/experiments?status=succeeded")
    page.locator("summary").filter(has_text="Columns").click()
    page.get_by_label("Learning rate", exact=True).check()
    page.get_by_label("Seed", exact=True).uncheck()
    expect(page.get_by_role("columnheader", name="Learning rate")).to_be_visible()
    page.locator("summary").filter(has_text="More filters").click()
    page.get_by_label("test accuracy, per cent").fill("94,5")
    page.get_by_label("test accuracy, per cent").press("Enter")
    page.get_by_label("Order by").select_option("test loss")
    expect(page.get_by_role("list", name="Filters")).to_contain_text("test accuracy at least 94.50")
    expect(page).to_have_url(
        re.compile(r"columns=.*spec\.optimizer\.learning_rate.*test_accuracy_min=0\.945&sort=test")
    )
    page.reload()
    expect(page.get_by_role("columnheader", name="Learning rate")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Seed")).to_have_count(0)
    expect(page.get_by_label("Order by")).to_have_value("test_loss")
    least = filled.client.experiments_page(status="succeeded", test_accuracy_min=0.945, sort="test_loss", limit=1)
    expect(row_of(page, 1).get_by_role("link").first).to_have_attribute(
        "href", f"/experiments/{least['items'][0]['id']}"
    )
    press(page, "Take all away")
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("button", name="Next page").click()
    expect(page).to_have_url(re.compile("cursor="))
    page.go_back()
    expect(page.get_by_role("button", name="First page")).to_have_count(0)


NOTES = """# Why

**It rises** and [a link](https://example.org), [a trap](javascript:alert(1)).

<img src="https://example.org/x.png" onerror="alert(1)"> ![picture](https://example.org/y.png)
"""


@pytest.mark.parametrize("kind", ["experiments", "studies"])
def test_page_edits_name_tags_and_notes_in_place(new_page: NewPage, many: Service, kind: str, watch: Watch) -> None:
    watch.expect("status of 409", "status of 412")  # a copy has no result; an edit of somebody else
    page = new_page(service=many)
    one = many.client.experiments_page(limit=1, activation="leaky_relu")["items"][0]
    if kind == "studies":
        one = study_named(many, "five")
    page.goto(f"/{kind}/{one['id']}")
    page.get_by_role("button", name=re.compile("Edit name")).click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill(f"noted {kind}")
    page.get_by_label("Tags", exact=True).fill("noted, noted,  by hand ")
    page.get_by_label("Notes", exact=True).fill(NOTES)
    edit = many.client.edit_study if kind == "studies" else many.client.edit_experiment
    edit(one["id"], {"tags": ["of another"]})
    press(page, "Save")
    expect(page.get_by_role("form").get_by_role("alert")).to_contain_text("Somebody has edited it since")
    press(page, "Save")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"noted {kind}")
    notes = page.locator(".markdown")
    expect(notes.locator("h3")).to_have_text("Why")
    expect(notes.get_by_role("link")).to_have_count(2)  # the trap has no address
    expect(notes.locator("img, script, [style], [onerror]")).to_have_count(0)
    expect(notes).to_contain_text('<img src="https://example.org/x.png"')
    assert list(serious_faults(page)) == []
    page.get_by_role("link", name="by hand", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/{kind}\?tag=by%20hand$"))
    expect(page.get_by_role("link", name=f"noted {kind}")).to_be_visible()


def test_study_page_archives_undoes_and_restores(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "one")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    press(page, "Archive")
    expect(page.get_by_text("Archived just now")).to_be_visible()
    press(page, "Undo")
    expect(page.get_by_text("Archived just now")).to_have_count(0)
    press(page, "Archive")
    page.get_by_role("link", name="Studies", exact=True).first.click()
    expect(page.get_by_role("link", name="half way")).to_be_visible()
    expect(page.get_by_role("link", name="one", exact=True)).to_have_count(0)
    page.get_by_label("Archived ones").select_option("Archived ones only")
    page.get_by_role("link", name="one", exact=True).click()
    press(page, "Restore")
    expect(page.get_by_text("Lists show the study again.")).to_be_visible()
    press(page, "Delete")
    expect(page.get_by_role("dialog")).to_contain_text("It goes for good")
    confirm(page, "Back")
    assert study_named(filled, "one")["archived_at"] is None


Answer = Callable[[Route], None]


def answering(page: Page, kind: str, answer: Answer) -> None:
    """Answer the requests for a list in place of the API."""
    page.route(re.compile(rf"/api/v1/{kind}(/count)?\?"), answer)
    page.add_init_script(f"({NOTE_SHIFTS})()")


def shift(page: Page) -> float:
    return float(page.evaluate("window.shift"))


def problem(status: int, code: str, detail: str) -> Answer:
    body: dict[str, Any] = {"type": "about:blank", "title": code, "status": status, "code": code, "errors": []}
    return lambda route: route.fulfill(
        status=status, content_type="application/problem+json", json={**body, "detail": detail}
    )


each_list = pytest.mark.parametrize("kind", ["experiments", "studies"])


@each_list
def test_list_says_that_it_loads_and_does_not_move(new_page: NewPage, filled: Service, kind: str) -> None:
    page = new_page(service=filled)
    held: list[Route] = []
    answering(page, kind, lambda route: held.append(route))
    page.goto(f"/{kind}")
    expect(page.get_by_text(f"Loading the {kind}")).to_be_visible()
    for route in held:
        route.continue_()
    page.unroute_all()
    expect(row_of(page, 1)).to_be_visible()
    page.wait_for_timeout(300)
    assert shift(page) < MOST_SHIFT


@each_list
def test_list_says_that_the_api_fails_and_recovers(new_page: NewPage, filled: Service, kind: str, watch: Watch) -> None:
    watch.expect("status of 503")
    page = new_page(service=filled)
    answering(page, kind, problem(503, "busy", "The database is busy."))
    page.goto(f"/{kind}")
    expect(page.get_by_text("Not loaded yet")).to_be_visible()
    expect(page.get_by_text("Not current.")).to_be_visible()
    expect(page.locator(".loading")).to_have_css("opacity", "1")  # it fades in
    assert shift(page) < MOST_SHIFT
    assert list(serious_faults(page)) == []
    page.unroute_all()
    expect(row_of(page, 1)).to_be_visible()


@each_list
def test_list_asks_for_a_key_when_the_session_has_ended(
    new_page: NewPage, filled: Service, kind: str, watch: Watch
) -> None:
    watch.expect("status of 401")
    page = new_page(service=filled)
    answering(page, kind, problem(401, "unauthorized", "Sign in with an API key."))
    page.goto(f"/{kind}")
    expect(page.get_by_role("dialog")).to_contain_text("Sign in")
    expect(page.locator("main").get_by_role("alert")).to_contain_text("You are not signed in")
    assert shift(page) < MOST_SHIFT


@each_list
def test_list_without_anything_says_what_to_do(new_page: NewPage, filled: Service, kind: str) -> None:
    page = new_page(service=filled)
    empty: dict[str, Any] = {"items": [], "next_cursor": None, "count": 0}
    answering(page, kind, lambda route: route.fulfill(json=empty))
    page.goto(f"/{kind}")
    expect(page.get_by_role("link", name=re.compile("new study|Compare ReLU", re.I)).last).to_be_visible()
    page.goto(f"/{kind}?tag=nothing")
    expect(page.get_by_text(re.compile("No (experiment|study) fits"))).to_be_visible()
    press(page, "Take the filters away")
    expect(page).to_have_url(re.compile(rf"/{kind}$"))
    assert shift(page) < MOST_SHIFT


SMALL = """() => [...document.querySelectorAll("main :is(a, button, input, select, summary, label.target)")]
  .filter((one) => one.checkVisibility() && !one.closest("label") && !one.closest("p"))
  .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width > 0 && (height < 39.5 || width < 24))
  .map(([text, { width, height }]) => `${text} ${width}x${height}`)"""


@each_list
def test_list_has_targets_for_fingers(new_page: NewPage, filled: Service, kind: str) -> None:
    page = new_page(width=360, touch=True, service=filled)
    page.goto(f"/{kind}?tag=nothing")
    expect(page.get_by_text(re.compile("No (experiment|study) fits"))).to_be_visible()
    assert page.evaluate(SMALL) == []
    press(page, "Take the filters away")
    expect(page.get_by_role("row" if kind == "studies" else "checkbox").first).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate(SMALL) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
