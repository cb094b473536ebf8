"""Routes of curves."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import PrincipalDep, ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.grouping import Grid, GroupingQuery, SetQuery
from service.domain.choices import PublishedName
from service.domain.comparisons.curves import CurveMetricName, Curves
from service.storage.analysis import curves
from service.usecases import experiment_sets
from service.usecases.experiment_sets import ExperimentSet

router = APIRouter(tags=["comparisons"], route_class=GuardedRoute)


class CurveQuery(GroupingQuery):
    """The figure of curves, their grouping and the published curves beside them."""

    metric: CurveMetricName = Field(
        "validation_accuracy",
        description="The figure. Losses are cross-entropies; total losses include the L2 term, as the article's do.",
    )
    seeds: bool = Field(False, description="Add the figures of each seed.")
    level: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        None, description="Add the time at which each group reached this value, as a Kaplan-Meier median."
    )
    reference: PublishedName | None = Field(
        None, description="Add the curves that the article published, for accuracies and total losses."
    )


class StudyCurveQuery(CurveQuery):
    """The parameters of a study's curves."""

    grid: Grid = None


class CurveSetQuery(SetQuery, CurveQuery):
    """The experiments, figure and grouping of curves."""


@router.get("/curves", responses=NOT_FOUND | NOT_MODIFIED, response_model=Curves)
@needs(Role.VIEWER)
def get_curves(
    request: Request,
    query: Annotated[CurveSetQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
    principal: PrincipalDep,
) -> Response:
    """Read the mean curves of groups over their seeds at every epoch, with Student-t intervals."""
    experiments = experiment_sets.of_filter(session, query.filter_for(principal), query.group_by)
    revision = experiment_sets.revision(session, experiments.filters)
    return conditional.at_revision(request, services, revision, lambda: _curves(session, experiments, query))


@router.get("/studies/{id}/curves", responses=NOT_FOUND | NOT_MODIFIED, response_model=Curves)
@needs(Role.VIEWER)
def get_study_curves(
    id: UUID, request: Request, query: Annotated[StudyCurveQuery, Query()], session: ReadSession, services: ServicesDep
) -> Response:
    """Read the mean curves of a study, by its own factors unless `group_by` names others. Running experiments count."""
    experiments = experiment_sets.of_study(session, id, query.grid, query.group_by)
    revision = experiment_sets.revision(session, experiments.filters)
    return conditional.at_revision(request, services, revision, lambda: _curves(session, experiments, query))


def _curves(session: Session, experiments: ExperimentSet, query: CurveQuery) -> Curves:
    return curves.gather(
        session,
        experiments.filters,
        query.metric,
        experiments.group_by,
        allow_mixed=query.allow_mixed,
        seeds=query.seeds,
        level=query.level,
        published=query.reference,
    )
