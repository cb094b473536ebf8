"""Routes of studies."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from service.api import conditional, views
from service.api.dependencies import CreationDep, PrincipalDep, ServicesDep, Wait, WriteSession
from service.api.experiments import CREATED_BEFORE, NOT_FOUND, NOT_MODIFIED
from service.api.idempotency import gone_if_replayed
from service.api.problem import WITH_BODY
from service.api.schemas import StudyView
from service.domain.errors import FieldProblem, Invalid, StudyNotFound
from service.domain.study import StudySpec
from service.storage import studies

router = APIRouter(prefix="/studies", tags=["studies"])


@router.post("", status_code=202, responses=WITH_BODY | CREATED_BEFORE)
def submit_study(
    spec: StudySpec,
    session: WriteSession,
    services: ServicesDep,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> StudyView:
    """Queue a grid of experiments: every combination of the factors' values, once per seed. All or none."""
    _check_size(spec.size, services.settings.max_study_experiments)
    submissions = spec.experiments()
    id = creation.once(
        session, response, "studies", lambda id: studies.create(session, principal, spec, submissions, id)
    )
    row = studies.find(session, id)
    if row is None:
        gone_if_replayed(response, id)
        raise StudyNotFound(f"There is no study {id}.")
    session.info["wakes"] = len(submissions)
    return views.study_view(session, row)


@router.get("/{id}", responses=NOT_FOUND | NOT_MODIFIED, response_model=StudyView)
async def get_study(id: UUID, request: Request, services: ServicesDep, wait: Wait = 0) -> Response:
    """One study and how far it is. With `wait`, answers when it has changed or finished."""
    return await conditional.answer(request, services, views.study_resource(id), wait)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        reason = f"The grid holds {size} experiments, the limit is {limit} (ACTLAB_MAX_STUDY_EXPERIMENTS)"
        raise Invalid(f"{reason}.", errors=[FieldProblem("/factors", reason, "too_many")])
