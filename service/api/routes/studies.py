"""Routes of studies."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api.http import conditional
from service.api.http.dependencies import (
    CreationDep,
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
from service.api.http.idempotency import gone_if_replayed
from service.api.http.pagination import next_cursor, position_after
from service.api.http.problem import WITH_BODY, responses
from service.api.routes.experiments import CREATED_BEFORE, NOT_FOUND, NOT_MODIFIED
from service.api.schemas.base import Page
from service.api.schemas.studies import StudyPlan, StudyView
from service.api.views import exports
from service.api.views import studies as study_views
from service.api.views.exports import StudyFileQuery
from service.domain.errors import StudyNotFound
from service.domain.presets import PresetName
from service.domain.study import StudyPatch, StudySpec
from service.domain.text import Name, Text
from service.storage.studies import records as studies
from service.storage.tables.studies import Study
from service.usecases import experiment_sets
from service.usecases import studies as usecases

router = APIRouter(prefix="/studies", tags=["studies"])

PLANNED: dict[int | str, dict[str, Any]] = {
    200: {"model": StudyPlan, "description": "With `dry_run`: what it would hold and take."}
}


class StudyListQuery(BaseModel):
    """Which studies, in which order, and which page."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[Name, Field(min_length=1)] | None = Field(
        None, description="Part of the name, in small or capital letters."
    )
    preset: PresetName | None = Field(None, description="Made from this preset.")
    sort: Literal["-id", "id"] = "-id"
    limit: Limit = 50
    cursor: Text | None = Field(
        None, description="The `next_cursor` of the page before, with the same filters and sort."
    )

    @property
    def filter(self) -> studies.Filter:
        return studies.Filter(self.text, self.preset)


@router.post("", status_code=202, response_model=StudyView, responses=WITH_BODY | CREATED_BEFORE | PLANNED)
def submit_study(
    spec: StudySpec,
    session: WriteSession,
    services: ServicesDep,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
    dry_run: Annotated[bool, Query(description="Store nothing: count, and estimate the time.")] = False,
) -> StudyView | Response:
    """Queue a grid of experiments: every combination of the factors' values, once per seed. All or none."""
    staged = usecases.stage(session, spec, services.version, services.settings.max_study_experiments)
    if dry_run:
        return JSONResponse(study_views.plan(session, staged).model_dump(mode="json"))
    id = creation.once(session, response, "studies", lambda id: usecases.submit(session, principal, staged, id))
    session.wakes = staged.wakes
    return _created(session, response, id)


@router.get("", responses=NOT_MODIFIED, response_model=Page[StudyView])
def list_studies(request: Request, query: Annotated[StudyListQuery, Query()], session: ReadSession) -> Response:
    """Studies with their progress, newest first."""
    after = position_after(query.cursor, query.filter, query.sort)
    page = studies.page(session, query.filter, descending=query.sort == "-id", limit=query.limit, after=after)
    cursor = next_cursor(page, query.filter, query.sort)
    items = study_views.study_views(session, page.items)
    return conditional.hashed(request, Page[StudyView](items=items, next_cursor=cursor))


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=StudyView)
async def get_study(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """One study and how far it is. With `wait`, answers when it has changed or finished."""
    return await conditional.answer(request, services, study_views.study_resource(id), wait)


@router.get("/{id}/export", response_class=StreamingResponse, responses=NOT_FOUND | exports.FILE)
async def export_study(id: UUID, query: Annotated[StudyFileQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """A file of the experiments of a study, or of one of its grids, that have ended, oldest first."""
    _, narrowed = await services.read(lambda session: experiment_sets.of_study(session, id, query.grid, []))
    return await exports.answer(services, narrowed, query, f"study-{id}")


@router.patch("/{id}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
def edit_study(
    patch: StudyPatch, study: LockedStudy, session: WriteSession, services: ServicesDep, if_match: IfMatch = None
) -> StudyView:
    """Change name or question, or add seeds: each new one is queued in every cell. A JSON merge patch."""
    check_edit_version(if_match, study.edit_version)
    limit = services.settings.max_study_experiments
    study, session.wakes = usecases.edit(session, study, patch, services.version, limit)
    return study_views.study_view(session, study)


@router.post("/{id}/cancel", responses=NOT_FOUND | responses(409))
def cancel_study(study: LockedStudy, session: WriteSession) -> StudyView:
    """Cancel what is queued at once, and what is running within a step or so. Cancelling twice is no error."""
    return study_views.study_view(session, usecases.cancel(session, study))


@router.delete("/{id}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
def delete_study(study: LockedStudy, session: WriteSession) -> None:
    """Delete a study whose experiments have all ended, and them with their metrics and results."""
    usecases.delete(session, study)


def _created(session: Session, response: Response, id: UUID) -> StudyView:
    row: Study | None = studies.find(session, id)
    if row is None:
        gone_if_replayed(response, id)
        raise StudyNotFound(f"There is no study {id}.")
    return study_views.study_view(session, row)
