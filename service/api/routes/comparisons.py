"""Routes of comparisons."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from service.api.http import conditional
from service.api.http.dependencies import Limit, ReadSession, ServicesDep
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.api.schemas import grouping
from service.api.schemas.grouping import Grid, GroupingQuery, SetQuery
from service.api.schemas.misclassified import DifferingImage, DifferingImages
from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.compare import compare
from service.domain.comparisons.metrics import PRIMARY, MetricName
from service.domain.text import Text
from service.storage.analysis import comparisons, misclassified
from service.storage.records.experiments import Filter
from service.usecases import experiment_sets

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


class ImageQuery(GroupingQuery):
    """Two groups, grouped by what."""

    a: Text = Field(
        description="The group that gets an image right, written as `versus` of a comparison.", examples=["swish"]
    )
    b: Text = Field(description="The group that gets it wrong, written the same way.", examples=["relu"])
    limit: Limit = 50


class ImageSetQuery(SetQuery, ImageQuery):
    """Two groups of which experiments."""


class StudyImageQuery(ImageQuery):
    """Two groups of a study."""

    grid: Grid = None


@router.get("/comparisons", responses=NOT_FOUND | NOT_MODIFIED, response_model=Comparison)
def get_comparison(
    request: Request, query: Annotated[ComparisonQuery, Query()], session: ReadSession, services: ServicesDep
) -> Response:
    """Groups side by side over their seeds: means with Student-t intervals, tests corrected for their number, ranks."""
    paths = experiment_sets.group_by(session, query.group_by, query.study)
    revision = experiment_sets.revision(session, query.filter)
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
    paths, narrowed = experiment_sets.of_study(session, id, query.grid, query.group_by)
    revision = experiment_sets.revision(session, narrowed)
    return conditional.at_revision(request, services, revision, lambda: _compare(session, narrowed, query, paths))


@router.get("/comparisons/images", responses=NOT_FOUND, response_model=DifferingImages)
def get_differing_images(query: Annotated[ImageSetQuery, Query()], session: ReadSession) -> DifferingImages:
    """Which test images does swish get right that ReLU does not: those that most seeds of one group get right and most
    of another wrong."""
    return _images(session, query.filter, query, experiment_sets.group_by(session, query.group_by, query.study))


@router.get("/studies/{id}/images", responses=NOT_FOUND, response_model=DifferingImages)
def get_study_differing_images(
    id: UUID, query: Annotated[StudyImageQuery, Query()], session: ReadSession
) -> DifferingImages:
    """The same of one study, by its own factors unless told otherwise."""
    paths, narrowed = experiment_sets.of_study(session, id, query.grid, query.group_by)
    return _images(session, narrowed, query, paths)


def _images(session: Session, narrowed: Filter, query: ImageQuery, paths: list[str]) -> DifferingImages:
    a, b = grouping.group_named(query.a, paths, "a"), grouping.group_named(query.b, paths, "b")
    found = misclassified.difference(session, narrowed, paths, a, b, allow_mixed=query.allow_mixed)
    return DifferingImages(
        a=dict(a),
        b=dict(b),
        n_a=found.n_a,
        n_b=found.n_b,
        test_images=found.test_images,
        total=len(found.images),
        images=[DifferingImage.model_validate(image) for image in found.images[: query.limit]],
    )


def _compare(session: Session, narrowed: Filter, query: QuestionQuery, paths: list[str]) -> Comparison:
    versus = None if query.versus is None else grouping.group_named(query.versus, paths)
    gathered = comparisons.gather(session, narrowed, query.metric, paths, allow_mixed=query.allow_mixed)
    images = comparisons.image_intervals(session, narrowed, query.metric, gathered)
    return compare(gathered.cells, query.metric, versus, images, seeds=query.seeds)
