"""Routes of experiments."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from pydantic import Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.blocks import in_blocks
from service.api.http.dependencies import (
    Admitted,
    AuditSenderDep,
    CreationDep,
    DryRun,
    ExperimentDep,
    IfMatch,
    Limit,
    LockedExperiment,
    PrincipalDep,
    ReadSession,
    ResultDep,
    ServicesDep,
    Wait,
    WriteSession,
    check_edit_version,
)
from service.api.http.guarded import GuardedRoute
from service.api.http.idempotency import NO_KEY, Creation, gone_if_replayed
from service.api.http.loading import experiment_not_found, load_experiment
from service.api.http.pagination import next_cursor, position_after
from service.api.http.problem import WITH_BODY, responses
from service.api.http.services import Services
from service.api.http.specs import SubmissionDep
from service.api.schemas.attempts import AttemptsView
from service.api.schemas.base import Page
from service.api.schemas.epochs import EpochsView
from service.api.schemas.experiments import ExperimentPatch, ExperimentView
from service.api.schemas.filters import ARCHIVED, Archived, FilterQuery
from service.api.schemas.misclassified import Misclassified
from service.api.schemas.results import ResultView
from service.api.schemas.selections import ArchiveSelection, ExperimentCount, ExperimentSelection, TagSelection
from service.api.views import experiments as views
from service.api.views import exports, weights
from service.api.views.exports import ExportQuery
from service.domain.text import Text
from service.storage.analysis import misclassified
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import attempts, experiments
from service.storage.records.audit import Sender as AuditSender
from service.storage.records.experiments import Filter
from service.usecases import experiments as usecases
from service.usecases import many_experiments
from service.usecases.many_experiments import Action, Block

router = APIRouter(prefix="/experiments", tags=["experiments"], route_class=GuardedRoute)

NOT_FOUND = responses(404)
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has the newest representation (If-None-Match)."}
}
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
                "best_test_accuracy", "-best_test_loss", "best_test_loss", "-validation_accuracy",
                "validation_accuracy", "-validation_loss", "validation_loss", "-best_validation_accuracy",
                "best_validation_accuracy", "-best_validation_loss", "best_validation_loss", "-seconds",
                "seconds"]  # fmt: skip


class ListQuery(FilterQuery):
    """The filters, order and page of a list of experiments."""

    archived: Archived = Field("false", description=ARCHIVED)
    sort: SORTS = "-id"
    limit: Limit = 50
    cursor: Text | None = Field(
        None, description="The `next_cursor` of the page before; filters and sort must be the same."
    )


@router.post("", status_code=202, response_model=ExperimentView, responses=WITH_BODY | CREATED_BEFORE)
@needs(Role.SUBMITTER)
def submit_experiment(
    submission: SubmissionDep,
    session: WriteSession,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> Response:
    """Queue an experiment. It is durable when the answer arrives: 202 with its Location."""
    id = creation.once(session, response, "experiments", lambda id: usecases.submit(session, principal, submission, id))
    # As text, which FastAPI sends as it is: to render the view in a further thread took a tenth of the time.
    text = _created(session, response, id).model_dump_json()
    return Response(text, 202, {**response.headers}, media_type=conditional.JSON)


@router.get("", responses=NOT_MODIFIED, response_model=Page[ExperimentView])
@needs(Role.VIEWER)
async def list_experiments(
    request: Request, query: Annotated[ListQuery, Query()], services: ServicesDep, principal: PrincipalDep
) -> Response:
    """List experiments, newest first unless `sort` says otherwise. A list sorted by a figure holds only experiments
    that have the figure."""
    token = services.feed.token()
    # In one call of a thread: a session as a dependency takes a dozen.
    return await services.read(lambda session: _listed(session, request, services, query, principal, token))


@router.get("/count")
@needs(Role.VIEWER)
def count_experiments(
    query: Annotated[FilterQuery, Query()], session: ReadSession, principal: PrincipalDep
) -> ExperimentCount:
    """Count the experiments that match the filters of a list; archived ones too, unless `archived` says otherwise."""
    return ExperimentCount(count=experiments.count(session, query.filter_for(principal).conditions()))


@router.get("/export", response_class=StreamingResponse, responses=exports.FILE)
@needs(Role.VIEWER)
async def export_experiments(
    query: Annotated[ExportQuery, Query()], services: ServicesDep, principal: PrincipalDep
) -> StreamingResponse:
    """Download the experiments that have ended and match the filters as one file, oldest first."""
    return await exports.answer(services, query.filter_for(principal), query, "actlab")


@router.post("/cancel", responses=WITH_BODY)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def cancel_experiments(
    selection: ExperimentSelection, services: ServicesDep, _: Admitted, sender: AuditSenderDep, dry_run: DryRun
) -> ExperimentCount:
    """Cancel many experiments: queued ones at once, running ones within about one step."""
    filters = selection.filter_for(sender.principal.id)
    return _change_all(services, sender, many_experiments.cancelling(), filters, dry_run)


@router.post("/delete", responses=WITH_BODY)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def delete_experiments(
    selection: ExperimentSelection, services: ServicesDep, _: Admitted, sender: AuditSenderDep, dry_run: DryRun
) -> ExperimentCount:
    """Delete many experiments that have ended, with their epochs, results and attempts."""
    filters = selection.filter_for(sender.principal.id)
    return _change_all(services, sender, many_experiments.deleting(), filters, dry_run)


@router.post("/retry", responses=WITH_BODY)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def retry_experiments(
    selection: ExperimentSelection,
    services: ServicesDep,
    _: Admitted,
    sender: AuditSenderDep,
    creation: CreationDep,
    dry_run: DryRun,
) -> ExperimentCount:
    """Queue the specs of many experiments that have ended again, each as a new one whose `retry_of` is the first."""
    action = many_experiments.retrying(sender.principal.id)
    return _change_all(services, sender, action, selection.filter_for(sender.principal.id), dry_run, creation)


@router.post("/tag", responses=WITH_BODY)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def tag_experiments(
    selection: TagSelection, services: ServicesDep, _: Admitted, sender: AuditSenderDep, dry_run: DryRun
) -> ExperimentCount:
    """Add tags to many experiments, and remove others. None is changed if one would have more than 20."""
    action = many_experiments.tagging(selection.add, selection.remove)
    return _change_all(services, sender, action, selection.filter_for(sender.principal.id), dry_run)


@router.post("/archive", responses=WITH_BODY)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def archive_experiments(
    selection: ArchiveSelection, services: ServicesDep, _: Admitted, sender: AuditSenderDep, dry_run: DryRun
) -> ExperimentCount:
    """Archive many experiments that have ended, so that lists leave them out; or restore them, with `archived`
    false."""
    action = many_experiments.archiving() if selection.archived else many_experiments.restoring()
    return _change_all(services, sender, action, selection.filter_for(sender.principal.id), dry_run)


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=ExperimentView)
@needs(Role.VIEWER)
async def get_experiment(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """Read an experiment. With `wait`, the answer comes when it has changed (with If-None-Match) or ended (without)."""
    return await conditional.answer(request, services, views.experiment_resource(id), wait)


@router.patch("/{id}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
@needs(Role.SUBMITTER)
def edit_experiment(
    patch: ExperimentPatch,
    experiment: LockedExperiment,
    session: WriteSession,
    if_match: IfMatch = None,
) -> ExperimentView:
    """Change the name, tags or notes, archive or restore it, with a JSON merge patch."""
    check_edit_version(if_match, experiment.edit_version)
    return views.experiment_view(session, usecases.edit(session, experiment, patch.changes()))


@router.post("/{id}/cancel", responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER)
def cancel_experiment(experiment: LockedExperiment, session: WriteSession) -> ExperimentView:
    """Cancel an experiment: at once while it is queued, within about one step while it runs. After this answer it
    cannot succeed."""
    return views.experiment_view(session, usecases.cancel(session, experiment))


@router.post("/{id}/retry", status_code=202, responses=NOT_FOUND | CREATED_BEFORE | responses(409))
@needs(Role.SUBMITTER)
def retry_experiment(
    id: UUID,
    session: WriteSession,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> ExperimentView:
    """Queue the same spec again, as a new experiment whose `retry_of` is this one."""
    new = creation.once(session, response, "experiments", lambda new: _retry(session, principal, id, new))
    return _created(session, response, new)


@router.delete("/{id}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER)
def delete_experiment(experiment: LockedExperiment, session: WriteSession) -> None:
    """Delete an experiment that has ended, with its epochs, result and attempts."""
    usecases.delete(session, experiment)


@router.get("/{id}/metrics", responses=NOT_FOUND | NOT_MODIFIED, response_model=EpochsView)
@needs(Role.VIEWER)
async def get_metrics(
    id: UUID,
    request: Request,
    services: ServicesDep,
    since: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Only epochs that changed after this revision.")
    ] = None,
    wait: Wait = 0,
) -> Response:
    """Read the figures of each epoch; with `since`, only those that changed. To update a copy, drop the epochs after
    `valid_through_epoch`, then insert or replace."""
    return await conditional.answer(request, services, views.epochs_resource(id, since), wait)


@router.get("/{id}/result", responses=NOT_FOUND | NOT_MODIFIED | responses(409), response_model=ResultView)
@needs(Role.VIEWER)
async def get_result(id: UUID, request: Request, services: ServicesDep) -> Response:
    """Read the test scores, figures per class, confusion matrix and fingerprint; 409 until the experiment succeeded."""
    return await conditional.answer(request, services, views.result_resource(id))


@router.get("/{id}/weights", responses=NOT_FOUND | NOT_MODIFIED | responses(409) | WEIGHTS, response_class=FileResponse)
@needs(Role.VIEWER)
def get_weights(
    request: Request,
    result: ResultDep,
    services: ServicesDep,
    which: Annotated[
        weights.Which,
        Query(description="The weights of the last epoch, or of the one with the lowest validation loss."),
    ] = "last",
) -> Response:
    """Download the weights as a safetensors file; 409 until the experiment succeeded, 404 if the file is not kept."""
    return weights.answer(request, services, result, which)


@router.get("/{id}/misclassified", responses=NOT_FOUND | responses(409), response_model=Misclassified)
@needs(Role.VIEWER)
def get_misclassified(
    result: ResultDep,
    which: Annotated[
        weights.Which,
        Query(description="The weights of the last epoch, or of the one with the lowest validation loss."),
    ] = "last",
) -> Misclassified:
    """List the test images that the trained network gets wrong; 409 until the experiment succeeded."""
    indices, images = misclassified.wrong(result, which)
    return Misclassified(test_images=images, n=len(indices), indices=indices)


@router.get("/{id}/attempts", responses=NOT_FOUND | NOT_MODIFIED, response_model=AttemptsView)
@needs(Role.VIEWER)
async def list_attempts(id: UUID, request: Request, services: ServicesDep) -> Response:
    """List the attempts: the worker, the time and the outcome of each, with the end of its log."""
    return await conditional.answer(request, services, views.attempts_resource(id))


@router.get("/{id}/log", responses=NOT_FOUND, response_class=PlainTextResponse)
@needs(Role.VIEWER)
def get_log(experiment: ExperimentDep, session: ReadSession) -> str:
    """Read the end of the newest attempt's log, at most one renewal of the lease old while it runs. It is empty before
    the first attempt."""
    attempt = attempts.newest(session, experiment.id)
    return "" if attempt is None else attempt.log_tail


def _change_all(
    services: Services,
    sender: AuditSender,
    action: Action,
    filters: Filter,
    dry_run: bool,
    creation: Creation = NO_KEY,
) -> ExperimentCount:
    if dry_run:
        with services.database.read() as session:
            return ExperimentCount(count=action.count(session, filters))

    def block(session: UnitOfWork, number: int, after: UUID | None, until: UUID) -> Block:
        return creation.once_per_block(session, number, lambda: action.block(session, filters, after, until))

    return ExperimentCount(count=in_blocks(services, sender, block))


def _listed(
    session: Session, request: Request, services: Services, query: ListQuery, principal: str, token: int
) -> Response:
    filters = query.filter_for(principal)
    after = position_after(query.cursor, filters, query.sort)
    page = experiments.entries(session, filters, sort=query.sort, limit=query.limit, after=after)
    listing = views.listing(session, services.memory, page.items, next_cursor(page, filters, query.sort))
    # What is kept is answered to every principal.
    return conditional.listed(request, services, listing, token, keep=not query.mine)


def _retry(session: WriteSession, principal: str, old: UUID, new: UUID) -> None:
    usecases.retry(session, principal, load_experiment(session, old, lock=True), new)


def _created(session: WriteSession, response: Response, id: UUID) -> ExperimentView:
    experiment = experiments.find(session, id)
    if experiment is None:
        gone_if_replayed(response, id)
        raise experiment_not_found(id)
    session.wakes = 1
    return views.experiment_view(session, experiment)
