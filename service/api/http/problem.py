"""The shape of every error: problem details (RFC 9457)."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from service.domain.errors import ActLabError, FieldProblem
from service.domain.text import printable

MEDIA_TYPE = "application/problem+json"
MOST_PROBLEMS = 100  # the answer to a megabyte of wrong fields would be ten megabytes


class ProblemItem(BaseModel):
    """An error in one field or parameter."""

    pointer: str | None = Field(None, description="The field, as a JSON pointer into the body.", examples=["/epochs"])
    parameter: str | None = Field(None, description="The name of the path, query or header parameter.")
    column: int | None = Field(None, description="The position in a formula, counted from 1.")
    detail: str = Field(examples=["Should be greater than or equal to 1, got 0"])
    code: str = Field(examples=["greater_than_equal"])


class Problem(BaseModel):
    """The body of every error answer (RFC 9457)."""

    type: str = Field("about:blank", description="Always about:blank; `code` names the kind of error.")
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["epochs: Should be greater than or equal to 1, got 0"])
    code: str = Field(
        description="The kind of error. It never changes, so that programs can rely on it.",
        examples=["validation_error"],
    )
    errors: list[ProblemItem] = Field([], description="The wrong fields and parameters, if the error is about any.")


def render(error: ActLabError) -> JSONResponse:
    problem = Problem(
        title=error.title,
        status=error.status,
        detail=printable(error.detail),
        code=error.code,
        errors=[_item(problem) for problem in error.errors[:MOST_PROBLEMS]],
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status_code=error.status, headers=error.headers, media_type=MEDIA_TYPE
    )


def _item(problem: FieldProblem) -> ProblemItem:
    in_body = problem.pointer == "" or problem.pointer.startswith("/")
    return ProblemItem(
        pointer=printable(problem.pointer) if in_body else None,
        parameter=None if in_body else printable(problem.pointer),
        column=problem.column,
        detail=printable(str(problem)),
        code=problem.code,
    )


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of error answers, whose only media type is problem+json."""
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: reference}} for status in statuses}


_DESCRIPTIONS = {
    400: "The body is not JSON, or the host name is not served",
    401: "Not authenticated",
    403: "Not allowed, such as a change that another web site sends",
    404: "Not found",
    409: "The status does not allow this",
    410: "The record was deleted",
    412: "The record was edited since you read it",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "A field or parameter is not valid",
    429: "The key has sent more than it may, or has too many experiments in the queue",
    503: "Too many requests, or the database does not answer",
}
EVERYWHERE = responses(400, 401, 403, 422, 429, 503)
"""The error answers of every route."""
WITH_BODY = responses(413, 415)
