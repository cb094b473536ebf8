"""Answers of comparisons: JSON, or a table as a file."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from fastapi import Request, Response
from pydantic import BaseModel, Field

from service.api.http import conditional
from service.api.http.services import Services
from service.domain.choices import TableFormat, TableRows
from service.domain.comparison_table import table_of
from service.domain.comparisons.answer import Comparison
from service.report import tables

FormatName = Literal["json", TableFormat]

MEDIA_TYPES: Mapping[TableFormat, str] = {
    "csv": "text/csv",
    "markdown": "text/markdown",
    "latex": "application/x-tex",
}
SUFFIXES: Mapping[TableFormat, str] = {"csv": "csv", "markdown": "md", "latex": "tex"}
_EXAMPLES: Mapping[TableFormat, str] = {
    "csv": "group,activation,n,mean\r\nrelu,relu,5,0.9594\r\n",
    "markdown": "| group | n | mean (%) |\n| --- | ---: | ---: |\n| relu | 5 | 95.94 |\n",
    "latex": "\\begin{tabular}{lrr}\n    relu & 5 & $95.94$ \\\\\n\\end{tabular}\n",
}
TABLES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The comparison as JSON, or the table as an attachment.",
        "content": {
            MEDIA_TYPES[name]: {"schema": {"type": "string", "examples": [text]}} for name, text in _EXAMPLES.items()
        },
    }
}


class TableQuery(BaseModel):
    """The format of a comparison."""

    format: FormatName = Field(
        "json",
        description="JSON, or one table: CSV for programs, with all digits; Markdown or LaTeX for a paper, with a"
        " caption that names the family of tests.",
    )
    rows: TableRows = Field(
        "groups", description="The rows of a CSV, Markdown or LaTeX table: groups or pairs. JSON has both."
    )


def answer(
    request: Request,
    services: Services,
    revision: int,
    compare: Callable[[], Comparison],
    query: TableQuery,
    name: str,
) -> Response:
    """Answer with the comparison in the format of the query, or with 304. `name` begins the name of a file."""
    format = query.format
    if format == "json":
        return conditional.at_revision(request, services, revision, compare)
    return conditional.text_at_revision(
        request,
        services,
        revision,
        lambda: tables.WRITERS[format](table_of(compare(), query.rows)),
        MEDIA_TYPES[format],
        file=f"{name}-{query.rows}.{SUFFIXES[format]}",
    )
