"""The one shape of every error, and a short way to expect one."""

from typing import Any

from httpx2 import Response

MEDIA_TYPE = "application/problem+json"


def check_shape(answer: Response) -> dict[str, Any]:
    """The problem that an answer holds; an AssertionError where any part of the shape is missing."""
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "code", "errors"}
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
    """The problem; `at` is the only place where something is wrong: a JSON pointer, or the name of a parameter."""
    assert answer.status_code == status, answer.text
    problem = check_shape(answer)
    if code is not None:
        assert problem["code"] == code
    if at is not None:
        assert [item.get("pointer", item.get("parameter")) for item in problem["errors"]] == [at]
    return problem
