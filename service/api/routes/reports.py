"""The route of reports."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.grouping import Grid, GroupingQuery, Margin, Versus
from service.domain.choices import PublishedName
from service.domain.comparisons.metrics import PRIMARY, MetricName
from service.usecases import experiment_sets, reports
from service.usecases.experiment_sets import ExperimentSet

router = APIRouter(tags=["studies"], route_class=GuardedRoute)

Format = Literal["html", "markdown", "latex", "csv"]
MEDIA_TYPES: dict[Format, str] = {
    "html": "text/html",
    "markdown": "text/markdown",
    "latex": "application/x-tex",
    "csv": "text/csv",
}
EXAMPLES = {
    "text/html": "<!doctype html>...",
    "text/markdown": "# ReLU or swish?\n\nStudy 0190a5e4-...",
    "application/x-tex": "\\documentclass{article}...",
    "text/csv": "group,activation,n,mean\r\nrelu,relu,5,0.9594\r\n",
}
PAGES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One self-contained page without scripts: its figures are embedded.",
        "content": {kind: {"schema": {"type": "string", "examples": [text]}} for kind, text in EXAMPLES.items()},
    }
}


class ReportQuery(GroupingQuery):
    """The format of a report, its metric and its grouping."""

    format: Format = Field(
        "html",
        description="An HTML page, Markdown, a LaTeX document without figures, or the table of the result as CSV.",
    )
    metric: MetricName = Field(PRIMARY, description="The figure that groups are compared in.")
    versus: Versus = None
    margin: Margin = None
    grid: Grid = None
    reference: PublishedName | None = Field(None, description="Set the article's published figures beside one's own.")


@router.get("/studies/{id}/report", responses=NOT_FOUND | NOT_MODIFIED | PAGES, response_class=Response)
@needs(Role.VIEWER)
def get_study_report(
    id: UUID,
    request: Request,
    query: Annotated[ReportQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
) -> Response:
    """Read the report of a study or of one of its grids as one page: question, answer, tables, figures, methods,
    versions, and the command that repeats it."""
    experiments = experiment_sets.of_study(session, id, query.grid, query.group_by)
    revision = experiment_sets.revision(session, experiments.filters)
    return conditional.text_at_revision(
        request, services, revision, lambda: page_of(session, id, experiments, query), MEDIA_TYPES[query.format]
    )


def page_of(session: Session, id: UUID, experiments: ExperimentSet, query: ReportQuery) -> str:
    """Return the report of a study in the format of the query."""
    # Imported late: the drawing library takes 30 MiB and a second, which only a service that draws reports should pay.
    from service.report import pages

    grouping = reports.Grouping(
        group_by=experiments.group_by,
        metric=query.metric,
        allow_mixed=query.allow_mixed,
        grid=query.grid,
        versus=query.versus,
        reference=experiments.reference,
        published=query.reference,
        margin=query.margin,
    )
    report = reports.build(session, id, experiments.filters, grouping)
    writers = {"html": pages.html, "markdown": pages.markdown, "latex": pages.latex, "csv": pages.csv}
    return writers[query.format](report)
