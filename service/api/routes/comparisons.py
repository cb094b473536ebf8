"""Routes of comparisons."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http.dependencies import Limit, PrincipalDep, ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas.grouping import Grid, GroupingQuery, Margin, SetQuery, Versus
from service.api.schemas.misclassified import DifferingImage, DifferingImages
from service.api.views.comparisons import TABLES, TableQuery, answer
from service.domain import factors
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.cells import one_named
from service.domain.comparisons.compare import compare
from service.domain.comparisons.machines import MACHINE
from service.domain.comparisons.metrics import PRIMARY, MetricName
from service.domain.text import Text
from service.storage.analysis import comparisons, misclassified
from service.usecases import experiment_sets
from service.usecases.experiment_sets import ExperimentSet

router = APIRouter(tags=["comparisons"], route_class=GuardedRoute)


class QuestionQuery(TableQuery, GroupingQuery):
    """The grouping, the metric and the format of a comparison."""

    metric: MetricName = PRIMARY
    versus: Versus = None
    margin: Margin = None
    seeds: bool = Field(False, description="Add the value of each seed.")


class StudyQuestionQuery(QuestionQuery):
    """The parameters of a study's comparison."""

    grid: Grid = None


class ComparisonQuery(SetQuery, QuestionQuery):
    """The experiments, grouping and metric of a comparison."""


class ImageQuery(GroupingQuery):
    """Two groups of test results."""

    a: Text = Field(
        description="The group that gets an image right, written as `versus` of a comparison.", examples=["swish"]
    )
    b: Text = Field(description="The group that gets it wrong, written the same way.", examples=["relu"])
    limit: Limit = 50


class ImageSetQuery(SetQuery, ImageQuery):
    """The experiments and the two groups."""


class StudyImageQuery(ImageQuery):
    """The two groups of a study."""

    grid: Grid = None


@router.get("/comparisons", responses=NOT_FOUND | NOT_MODIFIED | TABLES, response_model=Comparison)
@needs(Role.VIEWER)
def get_comparison(
    request: Request,
    query: Annotated[ComparisonQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
    principal: PrincipalDep,
) -> Response:
    """Compare groups over their seeds: means with Student-t intervals, tests corrected for their number, and ranks."""
    experiments = experiment_sets.of_filter(session, query.filter_for(principal), query.group_by)
    revision = experiment_sets.revision(session, experiments.filters)
    return answer(
        request, services, revision, lambda: _compare(session, experiments, query), query, f"comparison-{query.metric}"
    )


@router.get("/studies/{id}/comparison", responses=NOT_FOUND | NOT_MODIFIED | TABLES, response_model=Comparison)
@needs(Role.VIEWER)
def get_study_comparison(
    id: UUID,
    request: Request,
    query: Annotated[StudyQuestionQuery, Query()],
    session: ReadSession,
    services: ServicesDep,
) -> Response:
    """Compare the groups of a study, by its own factors unless `group_by` names others."""
    experiments = experiment_sets.of_study(session, id, query.grid, query.group_by)
    revision = experiment_sets.revision(session, experiments.filters)
    return answer(
        request, services, revision, lambda: _compare(session, experiments, query), query, f"study-{id}-{query.metric}"
    )


@router.get("/comparisons/images", responses=NOT_FOUND, response_model=DifferingImages)
@needs(Role.VIEWER)
def get_differing_images(
    query: Annotated[ImageSetQuery, Query()], session: ReadSession, principal: PrincipalDep
) -> DifferingImages:
    """List the test images that most seeds of one group get right and most of another wrong, such as those that swish
    gets right and ReLU does not."""
    return _images(session, experiment_sets.of_filter(session, query.filter_for(principal), query.group_by), query)


@router.get("/studies/{id}/images", responses=NOT_FOUND, response_model=DifferingImages)
@needs(Role.VIEWER)
def get_study_differing_images(
    id: UUID, query: Annotated[StudyImageQuery, Query()], session: ReadSession
) -> DifferingImages:
    """List the images on which two groups of a study differ, by its own factors unless `group_by` names others."""
    return _images(session, experiment_sets.of_study(session, id, query.grid, query.group_by), query)


def _images(session: Session, experiments: ExperimentSet, query: ImageQuery) -> DifferingImages:
    paths = experiments.group_by
    a, b = factors.group_named(query.a, paths, "a"), factors.group_named(query.b, paths, "b")
    difference = misclassified.difference(session, experiments.filters, paths, a, b, allow_mixed=query.allow_mixed)
    return DifferingImages(
        a=dict(a),
        b=dict(b),
        n_a=difference.n_a,
        n_b=difference.n_b,
        test_images=difference.test_images,
        total=len(difference.images),
        images=[DifferingImage.model_validate(image) for image in difference.images[: query.limit]],
    )


def _compare(session: Session, experiments: ExperimentSet, query: QuestionQuery) -> Comparison:
    filters, paths = experiments.filters, experiments.group_by
    gathered = comparisons.gather(session, filters, query.metric, paths, allow_mixed=query.allow_mixed)
    reference = one_named(experiments.reference, gathered.cells)
    versus = factors.versus_named(query.versus, paths, reference, also=[MACHINE])
    images = comparisons.image_intervals(session, filters, query.metric, gathered)
    return compare(
        gathered.cells,
        query.metric,
        versus,
        images,
        seeds=query.seeds,
        reference=reference,
        margin=query.margin,
    )
