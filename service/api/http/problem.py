"""RFC 9457 problems: the one shape of every error."""

from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from service.domain.errors import ActLabError, FieldProblem
from service.domain.text import printable

MEDIA_TYPE = "application/problem+json"
MOST_PROBLEMS = 100  # a megabyte of wrong fields is not answered with ten megabytes of what is wrong with them


class ProblemItem(BaseModel):
    """One thing wrong with one field."""

    pointer: str | None = Field(None, description="JSON pointer into the body.", examples=["/epochs"])
    parameter: str | None = Field(None, description="Name of a path, query or header parameter.")
    column: int | None = Field(None, description="Where in a formula, from 1.")
    detail: str = Field(examples=["Should be greater than or equal to 1, got 0"])
    code: str = Field(examples=["greater_than_equal"])


class Problem(BaseModel):
    """What every error is answered with."""

    type: str = Field("about:blank", description="Always about:blank: `code` tells errors apart.")
    title: str = Field(examples=["The request is not valid"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["epochs: Should be greater than or equal to 1, got 0"])
    code: str = Field(description="Stable; for programs.", examples=["validation_error"])
    errors: list[ProblemItem] = Field([], description="Each wrong field, where there are any.")


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
    """OpenAPI entries for error answers, in problem+json alone."""
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": _DESCRIPTIONS[status], "content": {MEDIA_TYPE: reference}} for status in statuses}


_DESCRIPTIONS = {
    400: "The body is not JSON, or the host name is not served",
    401: "Not authenticated",
    403: "Not allowed, such as a change asked for by another web site",
    404: "There is no such thing",
    409: "The status does not allow this",
    410: "It was deleted since",
    412: "It was edited meanwhile",
    413: "The body is too large",
    415: "The body is not declared as JSON",
    422: "A field or parameter is not valid",
    503: "Too many requests, or the database does not answer",
}
EVERYWHERE = responses(400, 401, 403, 422, 503)
"""What any route may answer."""
WITH_BODY = responses(413, 415)
