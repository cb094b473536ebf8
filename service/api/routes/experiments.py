"""Routes of experiments."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from pydantic import Field

from service.api.http import conditional
from service.api.http.dependencies import (
    CreationDep,
    IfMatch,
    Limit,
    LockedExperiment,
    PrincipalDep,
    ReadSession,
    ServicesDep,
    Wait,
    WriteSession,
    check_edit_version,
    locked_experiment,
)
from service.api.http.idempotency import gone_if_replayed
from service.api.http.pagination import next_cursor, position_after
from service.api.http.problem import WITH_BODY, responses
from service.api.http.specs import SubmissionDep
from service.api.schemas.attempts import AttemptsView
from service.api.schemas.base import Page
from service.api.schemas.epochs import EpochsView
from service.api.schemas.experiments import ExperimentPatch, ExperimentView
from service.api.schemas.filters import FilterQuery
from service.api.schemas.misclassified import Misclassified
from service.api.schemas.results import ResultView
from service.api.views import experiments as views
from service.api.views import exports, weights
from service.api.views.exports import ExportQuery
from service.domain.errors import ExperimentNotFound
from service.domain.text import Text
from service.storage.analysis import misclassified
from service.storage.records import attempts, experiments
from service.usecases import experiments as usecases

router = APIRouter(prefix="/experiments", tags=["experiments"])

NOT_FOUND = responses(404)
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The client has it already (If-None-Match)."}}
CREATED_BEFORE = responses(410)
WEIGHTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, as an attachment.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "examples": ["..."]}}
        },
    }
}
SORTS = Literal["-id", "id", "-test_accuracy", "test_accuracy", "-test_loss", "test_loss", "-best_test_accuracy",
                "best_test_accuracy", "-best_test_loss", "best_test_loss", "-seconds", "seconds"]  # fmt: skip


class ListQuery(FilterQuery):
    """What to list, in which order, and which page of it."""

    sort: SORTS = "-id"
    limit: Limit = 50
    cursor: Text | None = Field(
        None, description="The `next_cursor` of the page before, with the same filters and sort."
    )


@router.post("", status_code=202, responses=WITH_BODY | CREATED_BEFORE)
def submit_experiment(
    submission: SubmissionDep,
    session: WriteSession,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> ExperimentView:
    """Queue one experiment. It is durable when this answers: 202 with its Location."""
    id = creation.once(session, response, "experiments", lambda id: usecases.submit(session, principal, submission, id))
    return _created(session, response, id)


@router.get("", responses=NOT_MODIFIED, response_model=Page[ExperimentView])
def list_experiments(request: Request, query: Annotated[ListQuery, Query()], session: ReadSession) -> Response:
    """Experiments, newest first unless sorted otherwise. Sorting by a figure lists only those that have it."""
    after = position_after(query.cursor, query.filter, query.sort)
    page = experiments.page(session, query.filter, sort=query.sort, limit=query.limit, after=after)
    cursor = next_cursor(page, query.filter, query.sort)
    items = views.experiment_views(session, page.items)
    return conditional.hashed(request, Page[ExperimentView](items=items, next_cursor=cursor))


@router.get("/export", response_class=StreamingResponse, responses=exports.FILE)
async def export_experiments(query: Annotated[ExportQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """A file of all experiments that have ended and that the filters leave, oldest first."""
    return await exports.answer(services, query.filter, query, "actlab")


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=ExperimentView)
async def get_experiment(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """One experiment. With `wait`, answers when it has changed (If-None-Match given) or ended (not given)."""
    return await conditional.answer(request, services, views.experiment_resource(id), wait)


@router.patch("/{id}", responses=NOT_FOUND | WITH_BODY | responses(412))
def edit_experiment(
    patch: ExperimentPatch,
    experiment: LockedExperiment,
    session: WriteSession,
    if_match: IfMatch = None,
) -> ExperimentView:
    """Change name, tags or notes: a JSON merge patch."""
    check_edit_version(if_match, experiment.edit_version)
    return views.experiment_view(session, experiments.edit(session, experiment, patch.changes()))


@router.post("/{id}/cancel", responses=NOT_FOUND | responses(409))
def cancel_experiment(experiment: LockedExperiment, session: WriteSession) -> ExperimentView:
    """Cancel it: at once while queued, within a step or so while running. From this answer on it cannot succeed."""
    return views.experiment_view(session, usecases.cancel(session, experiment))


@router.post("/{id}/retry", status_code=202, responses=NOT_FOUND | CREATED_BEFORE | responses(409))
def retry_experiment(
    id: UUID,
    session: WriteSession,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> ExperimentView:
    """Queue the same spec again as a new experiment that points to this one."""
    new = creation.once(session, response, "experiments", lambda new: _retry(session, principal, id, new))
    return _created(session, response, new)


@router.delete("/{id}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
def delete_experiment(experiment: LockedExperiment, session: WriteSession) -> None:
    """Delete an experiment that has ended, with its metrics, result and attempts."""
    usecases.delete(session, experiment)


@router.get("/{id}/metrics", responses=NOT_FOUND | NOT_MODIFIED, response_model=EpochsView)
async def get_metrics(
    id: UUID,
    request: Request,
    services: ServicesDep,
    since: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Only epochs changed after this revision.")
    ] = None,
    wait: Wait = 0,
) -> Response:
    """Figures per epoch; with `since`, only what changed. Drop epochs beyond `valid_through_epoch`, then upsert."""
    return await conditional.answer(request, services, views.metrics_resource(id, since), wait)


@router.get("/{id}/result", responses=NOT_FOUND | NOT_MODIFIED | responses(409), response_model=ResultView)
async def get_result(id: UUID, request: Request, services: ServicesDep) -> Response:
    """Test scores, per-class figures, confusion matrix, and what they were measured with; 409 until it succeeded."""
    return await conditional.answer(request, services, views.result_resource(id))


@router.get("/{id}/weights", responses=NOT_FOUND | NOT_MODIFIED | responses(409) | WEIGHTS, response_class=FileResponse)
def get_weights(
    id: UUID,
    request: Request,
    session: ReadSession,
    services: ServicesDep,
    which: Annotated[
        weights.Which, Query(description="Of the last epoch, or of the one with the lowest validation loss.")
    ] = "last",
) -> Response:
    """The trained network as a safetensors file; 409 until it succeeded, 404 where the file is not kept."""
    return weights.answer(request, services, session, id, which)


@router.get("/{id}/misclassified", responses=NOT_FOUND | responses(409), response_model=Misclassified)
def get_misclassified(
    id: UUID,
    session: ReadSession,
    which: Annotated[
        weights.Which, Query(description="Weights of the last epoch, or of the one with the lowest validation loss.")
    ] = "last",
) -> Misclassified:
    """Which test images the trained network gets wrong; 409 until it succeeded."""
    indices, images = misclassified.wrong(views.finished(session, id), which)
    return Misclassified(test_images=images, n=len(indices), indices=indices)


@router.get("/{id}/attempts", responses=NOT_FOUND | NOT_MODIFIED, response_model=AttemptsView)
async def list_attempts(id: UUID, request: Request, services: ServicesDep) -> Response:
    """Who tried, when, and how it ended, with the end of each attempt's log."""
    return await conditional.answer(request, services, views.attempts_resource(id))


@router.get("/{id}/log", responses=NOT_FOUND, response_class=PlainTextResponse)
def get_log(id: UUID, session: ReadSession) -> str:
    """The end of the newest attempt's log, at most one renewal old while it runs. Empty before the first attempt."""
    views.found(session, id)
    newest = attempts.newest(session, id)
    return "" if newest is None else newest.log_tail


def _retry(session: WriteSession, principal: str, old: UUID, new: UUID) -> None:
    usecases.retry(session, principal, locked_experiment(old, session), new)


def _created(session: WriteSession, response: Response, id: UUID) -> ExperimentView:
    row = experiments.find(session, id)
    if row is None:
        gone_if_replayed(response, id)
        raise ExperimentNotFound(f"There is no experiment {id}.")
    session.wakes = 1
    return views.experiment_view(session, row)
