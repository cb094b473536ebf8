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
from service.api.http.problem import WITH_BODY, responses
from service.api.routes.experiments import CREATED_BEFORE, NOT_FOUND, NOT_MODIFIED
from service.api.schemas import grouping
from service.api.schemas.base import Page
from service.api.schemas.studies import StudyPlan, StudyView
from service.api.views import exports
from service.api.views import studies as study_views
from service.api.views.exports import StudyFileQuery
from service.domain.errors import FieldProblem, IllegalTransition, Invalid, StudyNotFound
from service.domain.presets import PresetName
from service.domain.spec import ExperimentSubmission
from service.domain.study import StudyPatch, StudySpec
from service.domain.text import Name, Text
from service.domain.tuning import NOT_FRESH
from service.storage.engine.keyset import Cursor
from service.storage.records.activations import Names
from service.storage.studies import progress, reuse, tuning
from service.storage.studies import records as studies
from service.storage.tables.studies import Study

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
    _check_size(spec.size, services.settings.max_study_experiments, "/factors")
    names = Names(session)
    ranking, trials = spec.experiments(names), spec.tuning_experiments(names)
    submissions, reused = reuse.untrained(session, trials or ranking, services.version, asked=spec.reuse)
    if dry_run:
        plan = study_views.plan(session, ranking, trials, submissions)
        return JSONResponse(plan.model_dump(mode="json"))
    id = creation.once(
        session,
        response,
        "studies",
        lambda id: studies.create(session, principal, spec, submissions, id, names.versions, reused),
    )
    session.wakes = len(submissions)
    return _created(session, response, id)


@router.get("", responses=NOT_MODIFIED, response_model=Page[StudyView])
def list_studies(request: Request, query: Annotated[StudyListQuery, Query()], session: ReadSession) -> Response:
    """Studies with their progress, newest first."""
    after = None if query.cursor is None else Cursor.decode(query.cursor, query.filter, query.sort)
    page = studies.page(session, query.filter, descending=query.sort == "-id", limit=query.limit, after=after)
    cursor = None if page.next is None else page.next.encode(query.filter, query.sort)
    items = study_views.study_views(session, page.items)
    return conditional.hashed(request, Page[StudyView](items=items, next_cursor=cursor))


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=StudyView)
async def get_study(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """One study and how far it is. With `wait`, answers when it has changed or finished."""
    return await conditional.answer(request, services, study_views.study_resource(id), wait)


@router.get("/{id}/export", response_class=StreamingResponse, responses=NOT_FOUND | exports.FILE)
async def export_study(id: UUID, query: Annotated[StudyFileQuery, Query()], services: ServicesDep) -> StreamingResponse:
    """A file of the experiments of a study, or of one of its grids, that have ended, oldest first."""
    _, narrowed = await services.read(lambda session: grouping.of_study(session, id, query.grid, []))
    return await exports.answer(services, narrowed, query, f"study-{id}")


@router.patch("/{id}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
def edit_study(
    patch: StudyPatch, study: LockedStudy, session: WriteSession, services: ServicesDep, if_match: IfMatch = None
) -> StudyView:
    """Change name or question, or add seeds: each new one is queued in every cell. A JSON merge patch."""
    check_edit_version(if_match, study.edit_version)
    _check_own(study, "seeds" in patch.model_fields_set)
    added = patch.added(study.seeds)
    if added and study.cancelled_at is not None:
        raise IllegalTransition("The study is cancelled. Submit a new one, with the seeds that you want.")
    names = Names(session, study.activations, archived=True)
    limit = services.settings.max_study_experiments
    submissions = tuning.with_rates(study, _extended(studies.spec_of(study), added, limit, names)) if added else []
    submissions, reused = reuse.untrained(session, submissions, services.version, asked=study.reuse)
    session.wakes = len(submissions)
    return study_views.study_view(session, studies.edit(session, study, patch.changes(), submissions, reused))


@router.post("/{id}/cancel", responses=NOT_FOUND | responses(409))
def cancel_study(study: LockedStudy, session: WriteSession) -> StudyView:
    """Cancel what is queued at once, and what is running within a step or so. Cancelling twice is no error."""
    _check_own(study)
    if study.cancelled_at is None and study_views.is_finished(study, progress.of_study(session, study.id)):
        raise IllegalTransition("All its experiments have ended: there is nothing to cancel.")
    return study_views.study_view(session, studies.cancel(session, study))


@router.delete("/{id}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
def delete_study(study: LockedStudy, session: WriteSession) -> None:
    """Delete a study whose experiments have all ended, and them with their metrics and results."""
    _check_own(study)
    if not studies.remove(session, study):
        raise IllegalTransition("Some of its experiments are queued or running: cancel it first, then delete it.")


def _created(session: Session, response: Response, id: UUID) -> StudyView:
    row: Study | None = studies.find(session, id)
    if row is None:
        gone_if_replayed(response, id)
        raise StudyNotFound(f"There is no study {id}.")
    return study_views.study_view(session, row)


def _extended(spec: StudySpec, added: list[int], limit: int, names: Names) -> list[ExperimentSubmission]:
    """What further seeds add to a study."""
    further = spec.with_seeds(added)
    if further is None:
        reason = "Every grid of this study has seeds of its own, to which none can be added"
        raise Invalid(f"{reason}.", errors=[FieldProblem("/seeds", reason, "seeds_fixed", added)])
    _check_size(spec.size + further.size, limit, "/seeds")
    stale = [seed for seed in added if spec.tuning is not None and seed in spec.tuning.seeds]
    if stale:
        raise Invalid(f"{NOT_FRESH}.", errors=[FieldProblem("/seeds", NOT_FRESH, "not_fresh", stale)])
    return further.model_copy(update={"tuning": None}).experiments(names)


def _check_own(study: Study, asked: bool = True) -> None:
    """IllegalTransition for a study that is a part of another one."""
    if asked and study.tunes is not None:
        raise IllegalTransition(f"It tries learning rates for study {study.tunes}: do that there.")


def _check_size(size: int, limit: int, where: str) -> None:
    if size > limit:
        reason = f"The grid holds {size} experiments, the limit is {limit} (ACTLAB_MAX_STUDY_EXPERIMENTS)"
        raise Invalid(f"{reason}.", errors=[FieldProblem(where, reason, "too_many")])
