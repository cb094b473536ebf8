"""The page that compares chosen runs."""

import re
from collections.abc import Iterable, Sequence

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NewPage, study_named
from tests.browser.shifts import largest_shift, record_shifts
from tests.browser.watch import Watch
from tests.stack.services import Json, Service

SLOW_MS = 3000
MOST_SHIFT = 0.02
"""The share of the window that may move when the figures arrive."""


def runs_of(service: Service, activation: str, count: int) -> list[Json]:
    study = study_named(service, "five")
    return list(service.client.experiments(study=study["id"], activation=activation)[:count])


def address(runs: Iterable[Json], rest: str = "") -> str:
    return f"/compare?{'&'.join('id=' + run['id'] for run in runs)}{rest}"


def open_compared(page: Page, runs: Sequence[Json], rest: str = "") -> None:
    page.goto(address(runs, rest))
    expect(page.get_by_role("list", name="Runs", exact=True).get_by_role("listitem")).to_have_count(len(runs))


def test_compare_page_marks_the_best_only_where_a_test_says_so(new_page: NewPage, filled: Service) -> None:
    relu, tanh = (runs_of(filled, name, 3) for name in ("relu", "tanh"))
    page = new_page(service=filled)
    open_compared(page, relu + tanh)
    figures = page.get_by_role("region", name="Figures of the runs")
    tested = figures.get_by_role("row", name="Test accuracy, last epoch")
    expect(tested.get_by_text("best")).to_have_count(3)
    expect(figures.get_by_text("▲ best")).to_have_count(3)
    expect(page.get_by_text("relu is better than every other group")).to_be_visible()
    expect(tested.get_by_role("cell").first).to_contain_text(f"{100 * relu[0]['test_accuracy']:.2f}")

    page.get_by_label("Test by").select_option("images_per_second")  # in which all are equal
    expect(page).to_have_url(re.compile("figure=images_per_second"))
    expect(page.get_by_text("▲ best")).to_have_count(0)

    open_compared(page, [relu[0], tanh[0]])
    expect(page.get_by_text("Single runs: no setting has two seeds here")).to_be_visible()
    expect(page.get_by_text("▲ best")).to_have_count(0)


def test_compare_page_keeps_what_it_shows_in_its_address(new_page: NewPage, filled: Service) -> None:
    runs = [*runs_of(filled, "relu", 1), *runs_of(filled, "swish", 2)]
    page = new_page(service=filled)
    open_compared(page, runs)
    specs = page.get_by_role("region", name="Specs of the runs").get_by_role("row")
    expect(specs).to_have_count(3)  # the head, activation and seed
    page.get_by_role("button", name=re.compile("^all ")).click()
    page.locator("section[aria-labelledby=curves-title] select").select_option("train_loss")
    page.get_by_role("button", name="by seconds").click()
    page.get_by_role("button", name="log", exact=True).click()
    page.get_by_role("button", name="F1").click()
    page.get_by_role("button", name=re.compile("^Leave out swish")).last.click()
    chart = page.get_by_role("img", name=re.compile(r"^Training loss by seconds of training: relu.*; swish.*n = 1$"))
    for _ in range(2):
        expect(chart).to_be_visible()
        expect(specs.filter(has_text="batch size")).to_be_visible()
        expect(page.get_by_role("button", name="F1")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("list", name="Runs", exact=True).get_by_role("listitem")).to_have_count(2)
        page.reload()


def test_compare_page_shows_images_that_one_run_gets_right(new_page: NewPage, filled: Service) -> None:
    runs = [runs_of(filled, name, 1)[0] for name in ("relu", "sigmoid")]
    page = new_page(service=filled)
    open_compared(page, runs)
    wrong = [set(page.request.get(f"/api/v1/experiments/{run['id']}/misclassified").json()["indices"]) for run in runs]
    images = page.get_by_role("list", name=re.compile("^relu.* right, sigmoid.* wrong$"))
    expect(images.get_by_role("img").first).to_have_attribute("alt", f"Test image {min(wrong[1] - wrong[0])}")
    expect(page.get_by_text(f"{len(wrong[1] - wrong[0])} images of 1 000")).to_be_visible()
    images.scroll_into_view_if_needed()
    expect(images.get_by_role("img").first).to_have_js_property("naturalWidth", 28)
    expect(images.get_by_role("listitem")).to_have_count(24)
    page.get_by_role("button", name=re.compile("^Show ")).first.click()
    expect(images.get_by_role("listitem")).to_have_count(48)
    matrix = page.get_by_role("region", name="Difference of the confusion matrices")
    expect(matrix.get_by_role("cell", name=re.compile(r"^\+")).first).to_be_visible()


def test_compare_page_lists_numbers_where_the_images_are_missing(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.route("**/datasets/mnist_5k", lambda route: route.fulfill(json={"on_server": False, "missing": "No files."}))
    open_compared(page, [runs_of(filled, name, 1)[0] for name in ("relu", "sigmoid")])
    expect(page.get_by_text("No files. So these are the numbers of the images alone.").first).to_be_visible()
    expect(page.get_by_role("region", name="Places of images").first).to_be_visible()
    expect(page.locator("main img")).to_have_count(0)


def test_compare_page_says_what_an_address_lacks(new_page: NewPage, filled: Service, watch: Watch) -> None:
    watch.expect("status of 404")
    [run] = runs_of(filled, "relu", 1)
    page = new_page(width=360, service=filled)
    page.goto("/compare")
    expect(page.get_by_text("No runs are chosen yet")).to_be_visible()
    page.goto(address([run], "&id=17"))
    expect(page.get_by_text("One run alone compares with nothing")).to_be_visible()
    expect(page.get_by_text("The address has what is no id of an experiment.")).to_be_visible()
    page.goto(address([run, *runs_of(filled, "tanh", 1)], "&id=01a1fb40-31aa-744c-8b3b-000000000000"))
    expect(page.get_by_text("Not found")).to_be_visible()
    page.get_by_role("button", name="Compare the others").click()
    expect(page.get_by_text("Not found")).to_have_count(0)
    expect(page.get_by_role("heading", name="Figures")).to_be_visible()
    many = filled.client.experiments(status="succeeded")[:11]
    page.goto(address(many))
    expect(page.get_by_text("The address names 11 runs.")).to_be_visible()
    expect(page.get_by_role("list", name="Runs", exact=True).get_by_role("listitem")).to_have_count(10)


def test_compare_page_waits_for_a_slow_api_without_moving(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    record_shifts(page)
    held: list[Route] = []
    page.route("**/api/v1/experiments/**", lambda route: held.append(route))
    page.goto(address(runs_of(filled, "relu", 2) + runs_of(filled, "tanh", 2)))
    expect(page.get_by_text("Loading the runs …")).to_be_visible()
    page.wait_for_timeout(SLOW_MS)
    for _ in range(2):  # the runs, then what belongs to them
        page.wait_for_timeout(200)
        while held:
            held.pop().continue_()
    page.unroute_all()
    expect(page.get_by_role("heading", name="Where they differ")).to_be_visible()
    assert largest_shift(page) < MOST_SHIFT


def test_compare_page_says_that_the_api_fails_or_wants_a_key(new_page: NewPage, filled: Service, watch: Watch) -> None:
    watch.expect("status of 503", "status of 401")
    page = new_page(service=filled)
    problem = {"title": "Temporarily unavailable", "detail": "The database does not answer.", "code": "unavailable"}
    runs = runs_of(filled, "relu", 2)
    page.route("**/api/v1/experiments/**", lambda route: route.fulfill(status=503, json=problem))
    page.goto(address(runs))
    expect(page.get_by_text("Not loaded yet: the runs. The database does not answer.")).to_be_visible()
    page.unroute_all()
    expect(page.get_by_role("heading", name="Figures")).to_be_visible()

    refused = {"title": "Not authenticated", "detail": "The key has expired.", "code": "unauthorized"}
    page.route("**/api/v1/experiments/**", lambda route: route.fulfill(status=401, json=refused))
    page.reload()
    expect(page.get_by_text("You are not signed in").first).to_be_visible()
    expect(page.get_by_role("dialog", name="Sign in")).to_be_visible()
