"""Pictures of studies with several factors, and of accuracy against time."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import NewPage, study_named
from tests.stack.services import Service


def test_heat_map_frames_the_cells_that_no_test_separates(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "grid")
    groups = filled.client.study_comparison(study["id"], versus="all")["groups"]
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    heat = page.get_by_role("region", name="Means over two factors")
    expect(heat.get_by_role("button")).to_have_count(6)
    for group in groups:
        for factors in group["names"]:
            if factors["batch_size"] != 64:
                continue
            name = f"{factors['activation']}, dropout {factors['dropout']:g}, batch size 64: {100 * group['mean']:.2f}"
            cell = heat.get_by_role("cell").filter(has=page.get_by_role("button", name=re.compile(re.escape(name))))
            expect(cell).to_have_class("top" if group["rank"][0] == 1 else "")
    assert 0 < sum(group["rank"][0] == 1 for group in groups) < len(groups)

    heat.get_by_role("button", name=re.compile("^tanh, dropout 0,")).click()
    expect(
        page.get_by_text(re.compile(r"tanh, dropout 0, batch size 64: .* 95 % .* n = 5 seeds; rank"))
    ).to_be_visible()
    page.get_by_label("Across").select_option("batch_size")
    expect(page).to_have_url(re.compile("across=batch_size"))
    expect(heat.get_by_role("columnheader", name="256")).to_be_visible()


def test_parallel_coordinates_have_a_line_for_each_cell(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "grid")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    drawing = page.get_by_role(
        "img", name=re.compile("of 12 cells over activation, dropout, batch size; not separable")
    )
    expect(drawing.locator("path")).to_have_count(12)
    drawing.scroll_into_view_if_needed()
    drawing.hover(position={"x": 40, "y": 160})
    expect(drawing.locator("path.chosen")).to_have_count(1)
    page.locator("label", has_text="Cell").locator("select").select_option("tanh, dropout 0.25, batch size 256")
    expect(page.get_by_text(re.compile("^tanh, dropout 0.25, batch size 256: "))).to_be_visible()
    expect(drawing.locator("path.chosen")).to_have_count(1)


def test_study_page_draws_no_parallel_lines_of_one_factor(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.goto(f"/studies/{study_named(filled, 'five')['id']}")
    expect(page.get_by_role("heading", name="Accuracy against time")).to_be_visible()
    expect(page.get_by_role("heading", name="Several factors")).to_have_count(0)


def test_accuracy_against_time_names_the_groups_on_the_front(new_page: NewPage, filled: Service) -> None:
    page = new_page(service=filled)
    page.goto(f"/studies/{study_named(filled, 'five')['id']}")
    front = page.get_by_role("group", name="Groups that no other beats in both").get_by_role("button")
    expect(front).to_have_text(["relu", "swish"])  # the fastest, and the most accurate
    front.last.click()
    expect(
        page.get_by_text(re.compile(r"^swish: 9\d\.\d+.% \(95 % .*\) after 19 s \(95 % .*\), n = 5$"))
    ).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("not beaten in both: relu; swish$"))).to_be_visible()


def test_point_at_a_chart_by_finger_shows_what_a_mouse_sees(new_page: NewPage, filled: Service) -> None:
    page = new_page(width=360, service=filled, touch=True)
    page.goto(f"/studies/{study_named(filled, 'five')['id']}")
    chart = page.locator("figure", has_text="Validation accuracy").locator(".chart")
    expect(page.get_by_role("heading", name="Which should I use?")).to_be_visible()
    expect(page.get_by_text("Comparing …")).to_have_count(0)
    expect(chart.locator("canvas")).to_be_visible()
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)
    middle = box["y"] + box["height"] / 2

    def touch(kind: str, share: float | None = None) -> None:
        places = [] if share is None else [{"x": box["x"] + share * box["width"], "y": middle}]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    tooltip = chart.locator(".chart-tip")
    touch("touchStart", 0.4)
    touch("touchMove", 0.5)
    touch("touchMove", 0.97)
    expect(tooltip).to_contain_text("Epoch 8")
    touch("touchMove", 0.25)
    expect(tooltip).to_contain_text("Epoch 2")
    touch("touchEnd")
    expect(tooltip).to_be_visible()
    page.get_by_role("heading", name="Learning curves").tap()
    expect(tooltip).to_be_hidden()


SMALL_TARGETS = """() => [...document.querySelectorAll("button, select, summary, input, nav a, a.button")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".visually-hidden"))
  .map((one) => (one.matches("input[type=checkbox], input[type=radio]") ? one.closest("label") ?? one : one))
  .filter((one) => one.getBoundingClientRect().height < 39.5)
  .map((one) => one.outerHTML.slice(0, 120))"""


def test_targets_of_fingers_are_40_pixels_high(new_page: NewPage, filled: Service) -> None:
    page = new_page(width=360, service=filled, touch=True)
    run, other = (filled.client.experiments(status="succeeded", activation=name)[0]["id"] for name in ("relu", "tanh"))
    addresses = {
        f"/compare?id={run}&id={other}": "Where they differ",
        f"/experiments/{run}": "Two epochs side by side",
        f"/studies/{study_named(filled, 'grid')['id']}": "All factors",
    }
    small: dict[str, list[str]] = {}
    for address, heading in addresses.items():
        page.goto(address)
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        small[address] = page.evaluate(SMALL_TARGETS)
    assert not any(small.values()), small
