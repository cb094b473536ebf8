"""The route of reports."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.api.http import conditional
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.grouping import Grid, GroupingQuery
from service.domain.comparisons.metrics import PRIMARY, MetricName
from service.domain.comparisons.published import PublishedName
from service.storage.records.experiments import Filter
from service.usecases import experiment_sets, reports

router = APIRouter(tags=["studies"])

Format = Literal["html", "markdown"]
MEDIA_TYPES: dict[Format, str] = {"html": "text/html", "markdown": "text/markdown"}
EXAMPLES = {"text/html": "<!doctype html>...", "text/markdown": "# ReLU or swish?\n\nStudy 0190a5e4-..."}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One page that loads and runs nothing: figures are within it.",
        "content": {kind: {"schema": {"type": "string", "examples": [text]}} for kind, text in EXAMPLES.items()},
    }
}


class ReportQuery(GroupingQuery):
    """How to group, what decides, and as what to write it."""

    format: Format = Field("html", description="A page for browsers, or text.")
    metric: MetricName = Field(PRIMARY, description="What the groups are compared in.")
    grid: Grid = None
    reference: PublishedName | None = Field(None, description="Set the article's published figures beside one's own.")


@router.get("/studies/{id}/report", responses=NOT_FOUND | NOT_MODIFIED | PAGES, response_class=Response)
def get_study_report(
    id: UUID,
    request: Request,
    query: Annotated[ReportQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
) -> Response:
    """The whole study, or one of its grids, as one page to read, keep or send: question, answer, tables, figures,
    methods, versions, and the command that repeats it."""
    paths, narrowed = experiment_sets.of_study(session, id, query.grid, query.group_by)
    revision = experiment_sets.revision(session, narrowed)
    return conditional.text_at_revision(
        request, services, revision, lambda: _page(session, id, narrowed, query, paths), MEDIA_TYPES[query.format]
    )


def _page(session: Session, id: UUID, narrowed: Filter, query: ReportQuery, paths: list[str]) -> str:
    # Drawing takes 30 MiB and a second to load, which a service that is asked for no report need not spend.
    from service.report import pages

    wanted = reports.Grouping(paths, query.metric, query.allow_mixed, query.grid, query.reference)
    found = reports.build(session, id, narrowed, wanted)
    return pages.html(found) if query.format == "html" else pages.markdown(found)
