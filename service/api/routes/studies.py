"""Routes of studies."""

from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.blocks import in_blocks
from service.api.http.dependencies import (
    Admitted,
    AuditSenderDep,
    CreationDep,
    DryRun,
    IfMatch,
    Limit,
    LockedStudy,
    PrincipalDep,
    ReadSession,
    ServicesDep,
    Wait,
    WriteSession,
    check_edit_version,
)
from service.api.http.guarded import GuardedRoute
from service.api.http.idempotency import gone_if_replayed
from service.api.http.loading import load_study, study_not_found
from service.api.http.pagination import next_cursor, position_after
from service.api.http.problem import WITH_BODY, responses
from service.api.routes.experiments import CREATED_BEFORE, NOT_FOUND, NOT_MODIFIED
from service.api.schemas.base import Page
from service.api.schemas.filters import ARCHIVED, IS_ARCHIVED, Archived, principals
from service.api.schemas.queries import StudyQuery
from service.api.schemas.selections import ExperimentCount
from service.api.schemas.several import Several, distinct
from service.api.schemas.studies import StudyPlan, StudyView
from service.api.views import exports
from service.api.views import studies as study_views
from service.api.views.exports import StudyFileQuery
from service.domain.presets import PresetName
from service.domain.study import StudyPatch, StudySpec
from service.domain.text import Name, Text
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.studies import records as studies
from service.usecases import experiment_sets
from service.usecases import studies as usecases
from service.usecases.many_experiments import Block

router = APIRouter(prefix="/studies", tags=["studies"], route_class=GuardedRoute)

PLANNED: dict[int | str, dict[str, Any]] = {
    200: {"model": StudyPlan, "description": "With `dry_run`: the size of the study and its estimated duration."}
}


class StudyListQuery(BaseModel):
    """The filters, order and page of a list of studies. A filter with several values selects what matches any."""

    model_config = ConfigDict(extra="forbid")

    text: Several[Annotated[Name, Field(min_length=1)]] = Field(
        [], description="A part of the name; letter case is ignored."
    )
    preset: Several[PresetName] = Field([], description="Only studies that were made from this preset.")
    tag: Several[Text] = []
    archived: Archived = Field("false", description=ARCHIVED)
    created_by: Several[Text] = Field([], description="The id of the key that submitted it; `local` without keys.")
    mine: bool = Field(False, description="Only what was submitted with the key of this request.")
    query: StudyQuery = None
    sort: Literal["-id", "id"] = "-id"
    limit: Limit = 50
    cursor: Text | None = Field(
        None, description="The `next_cursor` of the page before; filters and sort must be the same."
    )

    def filter_for(self, principal: str) -> studies.Filter:
        """Return the filter of a request from a principal."""
        created_by = principals(self.created_by, principal if self.mine else None)
        return studies.Filter(
            distinct(self.text),
            distinct(self.preset),
            created_by,
            distinct(self.tag),
            IS_ARCHIVED[self.archived],
            self.query,
        )


@router.post("", status_code=202, response_model=StudyView, responses=WITH_BODY | CREATED_BEFORE | PLANNED)
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def submit_study(
    spec: StudySpec,
    session: WriteSession,
    services: ServicesDep,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
    dry_run: DryRun,
) -> StudyView | Response:
    """Queue a study: one experiment for each combination of the factors' values and each seed. All are queued, or
    none."""
    staged = usecases.stage(session, spec, services.version, services.settings.max_study_experiments)
    if dry_run:
        session.audited = False
        return JSONResponse(study_views.plan(session, staged).model_dump(mode="json"))
    id = creation.once(session, response, "studies", lambda id: usecases.submit(session, principal, staged, id))
    session.wakes = staged.wakes
    return _created(session, response, id)


@router.get("", responses=NOT_MODIFIED, response_model=Page[StudyView])
@needs(Role.VIEWER)
def list_studies(
    request: Request, query: Annotated[StudyListQuery, Query()], session: ReadSession, principal: PrincipalDep
) -> Response:
    """List studies with their progress, newest first."""
    filters = query.filter_for(principal)
    after = position_after(query.cursor, filters, query.sort)
    page = studies.page(session, filters, descending=query.sort == "-id", limit=query.limit, after=after)
    cursor = next_cursor(page, filters, query.sort)
    items = study_views.study_views(session, page.items)
    return conditional.hashed(request, Page[StudyView](items=items, next_cursor=cursor))


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=StudyView)
@needs(Role.VIEWER)
async def get_study(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """Read a study and its progress. With `wait`, the answer comes when it has changed or finished."""
    return await conditional.answer(request, services, study_views.study_resource(id), wait)


@router.get("/{id}/export", response_class=StreamingResponse, responses=NOT_FOUND | exports.FILE)
@needs(Role.VIEWER)
async def export_study(id: UUID, query: Annotated[StudyFileQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """Download the ended experiments of a study, or of one of its grids, as one file, oldest first."""
    experiments = await services.read(lambda session: experiment_sets.of_study(session, id, query.grid, []))
    return await exports.answer(services, experiments.filters, query, f"study-{id}")


@router.patch("/{id}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
@needs(Role.SUBMITTER)
def edit_study(
    patch: StudyPatch, study: LockedStudy, session: WriteSession, services: ServicesDep, if_match: IfMatch = None
) -> StudyView:
    """Change the name, question, notes, tags or reference, add seeds, archive or restore it, with a JSON merge patch.
    Every cell is queued with each new seed."""
    check_edit_version(if_match, study.edit_version)
    limit = services.settings.max_study_experiments
    study, session.wakes = usecases.edit(session, study, patch, services.version, limit)
    return study_views.study_view(session, study)


@router.post("/{id}/cancel", responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER)
def cancel_study(study: LockedStudy, session: WriteSession) -> StudyView:
    """Cancel a study: queued experiments at once, running ones within about one step. A cancelled study can be
    cancelled again."""
    return study_views.study_view(session, usecases.cancel(session, study))


@router.post("/{id}/retry", responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER, dry_run=Role.VIEWER)
def retry_study(
    id: UUID,
    services: ServicesDep,
    _: Admitted,
    principal: PrincipalDep,
    sender: AuditSenderDep,
    creation: CreationDep,
    dry_run: DryRun,
) -> ExperimentCount:
    """Queue the experiments of a study that failed or were lost again, each as a new one whose `retry_of` is the first.
    Those that have been retried are passed over, so that a second request queues nothing twice. The trials of a study
    that tunes are retried with it until the rates have been chosen."""
    if dry_run:
        with services.database.read() as session:
            return ExperimentCount(count=usecases.count_failed(session, load_study(session, id)))

    def block(session: UnitOfWork, number: int, after: UUID | None, until: UUID) -> Block:
        study = load_study(session, id, lock=True)
        work = partial(usecases.retry, session, principal, study, after, until)
        return creation.once_per_block(session, number, work)

    return ExperimentCount(count=in_blocks(services, sender, block))


@router.delete("/{id}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER)
def delete_study(study: LockedStudy, session: WriteSession) -> None:
    """Delete a study whose experiments have all ended, with its experiments, their epochs and results."""
    usecases.delete(session, study)


def _created(session: Session, response: Response, id: UUID) -> StudyView:
    study = studies.find(session, id)
    if study is None:
        gone_if_replayed(response, id)
        raise study_not_found(id)
    return study_views.study_view(session, study)
