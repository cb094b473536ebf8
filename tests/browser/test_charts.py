"""Charts are drawn only where they are visible and have changed, and show the figures under the pointer."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.browser.conftest import NewPage, study_named
from tests.browser.filling import LONG_LEASES, Filled, Json, fill, make_figures
from tests.stack.services import Service
from tests.waiting import await_true

DRAWN = "performance.getEntriesByName('actlab.chart').length"
SETTLE_MS = 500
COUNT_COMPARISONS = """
  const parse = JSON.parse;
  window.comparisons = 0;
  JSON.parse = (text, ...rest) => {
    if (text.includes('"pairs":')) window.comparisons += 1;
    return parse(text, ...rest);
  };
"""
MARK_CANVASES = "for (const canvas of document.querySelectorAll('figure canvas')) canvas.dataset.known = ''"

# For each stretch: the ends of an axis around it and the positions of its lines, linear and logarithmic.
AXES = """async (stretches) => {
  const { evenly, logRange, logSplits } = await import("/assets/app/charts/axes.js");
  const even = evenly(4);
  const linear = ([low, high]) => [even.range(null, low, high), even.splits(null, 0, ...even.range(null, low, high))];
  const powers = ([low, high]) => [logRange(null, low, high), logSplits(null, 0, ...logRange(null, low, high))];
  return stretches.map((stretch) => [linear(stretch), ...(stretch[0] > 0 ? [powers(stretch)] : [])]);
}"""
STRETCHES = [
    (0.645, 0.928), (0.07, 1.4), (0, 0), (0.001, 0.001), (-3, 12), (0.9, 0.9 + 2e-16), (1e-30, 2e-30), (0, 3e38),
    (1e-12, 3e38), (0.2, 0.5), (97, 103), (-1e-7, 1e-7), (-1.7e308, 1.7e308),
]  # fmt: skip
MOST_LINES = 51
"""The number on a logarithmic axis over fifty powers of ten."""

LEARNING: Json = {
    "base": {"dataset": "mnist_5k", "epochs": 8, "diagnostics": False},
    "factors": {"activation": ["relu"]},
    "seeds": [0],
}


@pytest.fixture
def learning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Database, Filled]]:
    """An API over one experiment that is half trained; the test records further epochs."""
    running = Service(tmp_path_factory.mktemp("learning"), **LONG_LEASES)
    running.run("db", "upgrade")
    database = Database(running.database_url)
    filled = fill(database, LEARNING, finished=0, running=1)
    running.launch("serve")
    await_true(running.client.healthy, seconds=90)
    yield running, database, filled
    database.close()
    running.close()


def point_at(chart: Locator, x: float, y: float) -> Locator:
    """Move the pointer to these shares of a chart's width and height, and return its tooltip."""
    expect(chart.locator("canvas")).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    chart.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    return chart.locator(".chart-tip")


def count_drawn(page: Page) -> int:
    page.wait_for_timeout(SETTLE_MS)
    return int(page.evaluate(DRAWN))


def test_chart_is_drawn_once_for_the_same_figures(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "five")
    page = new_page(height=2000, service=filled)
    requests: list[Route] = []
    page.route("**/curves?metric=*", lambda route: requests.append(route))
    page.goto(f"/studies/{study['id']}")
    charts = page.locator("figure canvas")
    while charts.count() < 4:  # answers arrive one by one, in another order than the charts stand
        page.wait_for_timeout(SETTLE_MS)
        if requests:
            requests.pop().continue_()
    page.unroute_all()
    assert count_drawn(page) == 4


def test_chart_out_of_view_is_drawn_when_it_comes_into_view(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "five")
    page = new_page(height=200, service=filled)
    page.goto(f"/studies/{study['id']}")
    expect(page.locator("figure canvas")).to_have_count(4)
    axis = page.get_by_role("button", name="log loss")
    page.mouse.wheel(0, -10_000)
    before = count_drawn(page)
    axis.dispatch_event("click")  # a dispatched event does not scroll
    expect(axis).to_have_attribute("aria-pressed", "true")
    assert count_drawn(page) == before
    page.locator("figure").last.scroll_into_view_if_needed()
    assert count_drawn(page) > before


def test_chart_and_tooltip_stay_in_place_when_figures_arrive(
    new_page: NewPage, learning: tuple[Service, Database, Filled]
) -> None:
    service, database, filled = learning
    page = new_page(service=service)
    page.add_init_script(COUNT_COMPARISONS)
    page.goto(f"/studies/{filled.study}")
    accuracy = page.locator("figure", has_text="Validation accuracy").locator(".chart")
    tooltip = point_at(accuracy, 0.97, 0.5)
    expect(tooltip).to_contain_text("Epoch 4")
    page.evaluate(MARK_CANVASES)

    [(fence, spec)] = filled.running
    with page.expect_response("**/comparison?**"), database.write("extend") as session:
        transitions.record_epoch(session, fence, make_figures(spec, 5))

    expect(tooltip).to_contain_text("Epoch 5")
    expect(page.locator("figure canvas[data-known]")).to_have_count(4)
    # The ranking and the two of the choice are the same as before, so nothing is built again.
    assert page.evaluate("window.comparisons") == 3


def test_tooltip_follows_the_figures_under_a_resting_pointer(
    new_page: NewPage, learning: tuple[Service, Database, Filled]
) -> None:
    service, database, filled = learning
    page = new_page(service=service)
    page.goto(f"/studies/{filled.study}")
    tooltip = point_at(page.locator("figure", has_text="Validation accuracy").locator(".chart"), 0.5, 0.5)
    expect(tooltip).to_contain_text("Epoch 2")  # of four
    [(fence, spec)] = filled.running
    for epoch in range(5, 9):
        with page.expect_response("**/curves?metric=validation_accuracy**"), database.write("extend") as session:
            transitions.record_epoch(session, fence, make_figures(spec, epoch))
    expect(tooltip).to_contain_text("Epoch 4")  # of eight


def test_tooltip_shows_the_figures_at_the_pointer(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "five")
    best = filled.client.study_curves(study["id"], metric="validation_accuracy")["groups"]
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    accuracy = page.locator("figure", has_text="Validation accuracy").locator(".chart")
    tooltip = point_at(accuracy, 0.97, 0.5)
    expect(tooltip).to_contain_text("Epoch 8")
    for group in best:
        expect(tooltip).to_contain_text(f"{group['factors']['activation']}, n = 5{100 * group['mean'][-1]:.2f}")
    page.mouse.move(1, 1)
    expect(tooltip).to_be_hidden()
    for group in best:
        page.locator(".legend").get_by_role("button", name=group["factors"]["activation"], exact=True).click()
    expect(point_at(accuracy, 0.5, 0.5)).to_be_hidden()


def test_heat_map_tooltip_names_layer_and_epoch(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "one")
    [experiment] = filled.client.experiments(study=study["id"])
    rows = filled.client.diagnostics(experiment["id"])["items"]
    [first] = [row for row in rows if row["layer"] == "conv1" and row["epoch"] == 0]
    page = new_page(service=filled)
    page.goto(f"/experiments/{experiment['id']}")
    gradient = page.locator("figure", has_text="Gradient").first.locator(".chart")
    tooltip = point_at(gradient, 0.25, 0.1)
    expect(tooltip).to_contain_text("conv1, epoch 0")
    expect(tooltip).to_contain_text(f"{first['gradient_rms']:.4g}")
    expect(point_at(gradient, 0.95, 0.5)).to_contain_text("epoch 5")


def test_function_plot_tooltip_shows_x_and_values(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.goto("/activations/relu")
    tooltip = point_at(page.locator(".chart"), 0.97, 0.5)
    expect(tooltip).to_contain_text(re.compile(r"x = (5\.\d+)f\(x\)\1f.\(x\)1"))


def test_axes_enclose_their_values_between_round_numbers(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.goto("/")
    measured: list[list[tuple[list[float], list[float]]]] = page.evaluate(AXES, STRETCHES)
    for (low, high), axes in zip(STRETCHES, measured, strict=True):
        for (first, last), lines in axes:
            assert first <= low <= high <= last, (low, high, first, last)
            assert first < last
            assert 2 <= len(lines) <= MOST_LINES, (low, high, lines)
            assert lines == sorted(lines)
            rounding = 1e-9 * max(abs(first), abs(last))
            assert first - rounding <= lines[0] < lines[-1] <= last + rounding
