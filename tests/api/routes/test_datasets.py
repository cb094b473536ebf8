"""Test images over HTTP. tests/datasets/test_image_source.py has the images themselves."""

import pytest
from fastapi.testclient import TestClient

from tests.api.problems import refused

DIGITS = "/api/v1/datasets/digits/images"


def test_get_test_image_is_kept_by_browsers(steady: TestClient) -> None:
    answer = steady.get(f"{DIGITS}/0.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    known = steady.get(f"{DIGITS}/0.png", headers={"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", answer.headers["etag"])
    assert steady.get(f"{DIGITS}/1.png").headers["etag"] != answer.headers["etag"]


def test_get_test_image_counts_chosen_classes(steady: TestClient) -> None:
    chosen = steady.get(f"{DIGITS}/0.png", params={"classes": ["7", "3"]})
    assert chosen.content != steady.get(f"{DIGITS}/0.png").content
    refused(steady.get(f"{DIGITS}/400.png", params={"classes": "3"}), 404, "image_not_found")
    refused(steady.get(f"{DIGITS}/0.png", params={"classes": "10"}), 422, at="classes")


def test_get_test_image_says_what_is_missing(steady: TestClient) -> None:
    assert "500 test images" in refused(steady.get(f"{DIGITS}/500.png"), 404, "image_not_found")["detail"]
    refused(steady.get("/api/v1/datasets/imagenet/images/0.png"), 404, "dataset_not_found")
    missing = refused(steady.get("/api/v1/datasets/fashion_mnist/images/0.png"), 404, "dataset_not_on_server")
    assert "actlab data fetch fashion_mnist" in missing["detail"]


def test_get_dataset_says_whether_its_images_can_be_shown(steady: TestClient) -> None:
    digits = steady.get("/api/v1/datasets/digits")
    assert digits.json() == {
        "name": "digits", "shape": [1, 28, 28], "classes": 10, "training_images": 1297, "test_images": 500,
        "on_server": True, "missing": None,
    }  # fmt: skip
    known = steady.get("/api/v1/datasets/digits", headers={"If-None-Match": digits.headers["etag"]})
    assert known.status_code == 304
    fashion = steady.get("/api/v1/datasets/fashion_mnist").json()
    assert (fashion["on_server"], "actlab data fetch fashion_mnist" in fashion["missing"]) == (False, True)
    refused(steady.get("/api/v1/datasets/imagenet"), 404, "dataset_not_found")


@pytest.mark.parametrize("index", ["-1", "a", "1.5", "99999999999"])
def test_get_test_image_refuses_what_is_no_number(steady: TestClient, index: str) -> None:
    refused(steady.get(f"{DIGITS}/{index}.png"), 422, at="index")
