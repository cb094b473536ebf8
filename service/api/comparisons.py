"""Routes of comparisons."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.api import conditional, grouping
from service.api.dependencies import ReadSession, ServicesDep
from service.api.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.grouping import Grid, GroupingQuery, SetQuery
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.compare import compare
from service.domain.comparisons.metrics import PRIMARY, MetricName
from service.domain.text import Text
from service.storage import comparisons
from service.storage.experiments import Filter

router = APIRouter(tags=["comparisons"])


class QuestionQuery(GroupingQuery):
    """Grouped by what, compared in which figure."""

    metric: MetricName = PRIMARY
    versus: Text | None = Field(
        None,
        description='Hold every group against this one: the value of the only factor, or JSON such as {"epochs": 3}.',
        examples=["relu"],
    )
    seeds: bool = Field(False, description="Add the value of each seed.")


class StudyQuestionQuery(QuestionQuery):
    """The same, of a study."""

    grid: Grid = None


class ComparisonQuery(SetQuery, QuestionQuery):
    """Which experiments, grouped by what, compared in which figure."""


@router.get("/comparisons", responses=NOT_FOUND | NOT_MODIFIED, response_model=Comparison)
def get_comparison(
    request: Request, query: Annotated[ComparisonQuery, Query()], session: ReadSession, services: ServicesDep
) -> Response:
    """Groups side by side over their seeds: means with Student-t intervals, tests corrected for their number, ranks."""
    paths = grouping.group_by(session, query.group_by, query.study)
    revision = grouping.revision(session, query.filter)
    return conditional.at_revision(request, services, revision, lambda: _compare(session, query.filter, query, paths))


@router.get("/studies/{id}/comparison", responses=NOT_FOUND | NOT_MODIFIED, response_model=Comparison)
def get_study_comparison(
    id: UUID,
    request: Request,
    query: Annotated[StudyQuestionQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
) -> Response:
    """The same of one study, by its own factors unless told otherwise."""
    paths, narrowed = grouping.of_study(session, id, query.grid, query.group_by)
    revision = grouping.revision(session, narrowed)
    return conditional.at_revision(request, services, revision, lambda: _compare(session, narrowed, query, paths))


def _compare(session: Session, narrowed: Filter, query: QuestionQuery, paths: list[str]) -> Comparison:
    versus = None if query.versus is None else grouping.group_named(query.versus, paths)
    gathered = comparisons.gather(session, narrowed, query.metric, paths, allow_mixed=query.allow_mixed)
    images = comparisons.image_intervals(session, narrowed, query.metric, gathered)
    return compare(gathered.cells, query.metric, versus, images, seeds=query.seeds)
