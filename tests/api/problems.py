"""Assertions about the shape of errors."""

from typing import Any

from httpx2 import Response

MEDIA_TYPE = "application/problem+json"


def check_shape(answer: Response) -> dict[str, Any]:
    """Return the problem of an answer. Raises AssertionError if a part of the shape is missing."""
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    problem: dict[str, Any] = answer.json()
    # MLflow's client reads two members more.
    assert problem.keys() - {"error_code", "message"} == {"type", "title", "status", "detail", "code", "errors"}
    assert problem["type"] == "about:blank"
    assert problem["status"] == answer.status_code
    assert all(isinstance(problem[word], str) and problem[word] for word in ("title", "detail", "code"))
    for item in problem["errors"]:
        assert item.keys() - {"column"} in ({"pointer", "detail", "code"}, {"parameter", "detail", "code"})
        assert item.get("column", 1) >= 1
        assert item.get("pointer", "") == "" or item["pointer"].startswith("/")
        assert item["detail"]
        assert item["code"]
    return problem


def refused(answer: Response, status: int, code: str | None = None, at: str | None = None) -> dict[str, Any]:
    """Return the problem of an answer with this status and code. `at` is its only pointer or parameter."""
    assert answer.status_code == status, answer.text
    problem = check_shape(answer)
    if code is not None:
        assert problem["code"] == code
    if at is not None:
        assert [item.get("pointer", item.get("parameter")) for item in problem["errors"]] == [at]
    return problem
