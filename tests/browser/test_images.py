"""Single test images: which one network gets wrong, and which one group gets right and another does not."""

from playwright.sync_api import expect

from tests.browser.conftest import NewPage, study_named
from tests.stack.services import Service


def test_experiment_page_lists_misclassified_images(new_page: NewPage, filled: Service) -> None:
    experiment = filled.client.experiments(status="succeeded", activation="sigmoid")[0]
    page = new_page(service=filled)
    wrong = page.request.get(f"/api/v1/experiments/{experiment['id']}/misclassified").json()
    page.goto(f"/experiments/{experiment['id']}")
    page.get_by_role("heading", name="Images it gets wrong").click()
    expect(page.get_by_text(f"{wrong['n']} of 1 000 test images")).to_be_visible()
    images = page.get_by_role("list", name="Images it gets wrong")
    expect(images.get_by_role("listitem")).to_have_count(24)
    expect(images.get_by_role("img").first).to_have_attribute("alt", f"Test image {wrong['indices'][0]}")
    expect(images.get_by_role("img").first).to_have_js_property("naturalWidth", 28)
    page.get_by_role("button", name="Show 24 more").click()
    expect(images.get_by_role("listitem")).to_have_count(48)


def test_study_page_lists_images_that_one_group_gets_right(new_page: NewPage, filled: Service) -> None:
    study = study_named(filled, "five")
    page = new_page(service=filled)
    page.goto(f"/studies/{study['id']}")
    page.get_by_role("heading", name="Single images").click()
    page.get_by_label("One group").select_option("tanh")
    page.get_by_label("Other group").select_option("sigmoid")
    for right, wrong in (("tanh", "sigmoid"), ("sigmoid", "tanh")):
        answer = page.request.get(f"/api/v1/studies/{study['id']}/images?a={right}&b={wrong}").json()
        part = page.locator("section", has=page.get_by_role("heading", name=f"{right} right, {wrong} wrong")).last
        expect(part).to_contain_text(f"{answer['total']} images of 1 000; n = 5 and 5 seeds")
        first = part.get_by_role("rowheader").first
        expect(first).to_have_text(str(answer["images"][0]["index"]))
        expect(first.get_by_role("img")).to_have_js_property("naturalWidth", 28)
    page.get_by_label("Other group").select_option("tanh")
    expect(page.get_by_text("Choose two different groups.")).to_be_visible()
