"""The shape of every error. Every client of these tests checks it on every answer too."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.api.http import problem
from service.domain.errors import ActLabError, FieldProblem, Invalid
from service.settings import Settings
from tests.api import states
from tests.api.problems import check_shape, refused
from tests.api.serving import EXPERIMENTS, serving


def family(kind: type[ActLabError] = ActLabError) -> Iterator[type[ActLabError]]:
    """Yield the errors that clients receive; those of a worker stay in its log."""
    if kind.__module__ == ActLabError.__module__:
        yield kind
    for child in kind.__subclasses__():
        yield from family(child)


def rendered(error: ActLabError) -> Response:
    answer = problem.render(error)
    return Response(answer.status_code, headers=answer.raw_headers, content=bytes(answer.body))


@pytest.mark.parametrize("kind", list(family()))
def test_every_error_is_a_problem(kind: type[ActLabError]) -> None:
    body = check_shape(rendered(kind("Something is wrong.")))
    assert (body["status"], body["title"], body["code"]) == (kind.status, kind.title, kind.code)
    assert kind.status in problem._DESCRIPTIONS or kind.status in (405, 500)


def test_every_error_has_its_own_code() -> None:
    codes = [kind.code for kind in family()]
    assert len(set(codes)) == len(codes)


def test_error_headers_are_sent() -> None:
    assert rendered(ActLabError("x", Retry_After="2")).headers["retry-after"] == "2"


def test_problem_escapes_lone_surrogates() -> None:
    problem = check_shape(rendered(Invalid("\ud800", errors=[FieldProblem("/\udfff", "\ud83d", "x", "\udc00")])))
    assert problem["detail"] == "\\ud800"
    assert problem["errors"] == [{"pointer": "/\\udfff", "detail": "\\ud83d, got '\\udc00'", "code": "x"}]


def test_problem_names_at_most_a_hundred_fields() -> None:
    many = [FieldProblem(f"/{number}", "Wrong", "x") for number in range(1000)]
    assert len(check_shape(rendered(Invalid("x", errors=many)))["errors"]) == 100


@states.on_sqlite
def test_defect_is_a_500_without_internals(settings: Settings) -> None:
    with serving(settings.model_copy(update={"fault": "submit_experiment.before_commit:error"})) as client:
        problem = refused(client.post(EXPERIMENTS, json={"activation": "relu"}), 500, "internal_error")
        assert "submit_experiment" not in str(problem)
        assert "Traceback" not in str(problem)


def test_problem_returns_client_text_as_data(steady: TestClient) -> None:
    answer = steady.post(EXPERIMENTS, json={"activation": "<script>alert(1)</script>"})
    refused(answer, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
