"""The route of the articles' claims."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.domain.article_claims.answer import ArticleClaims
from service.domain.article_claims.verdicts import judge
from service.storage.analysis.article_claims import observe
from service.storage.records.experiments import Filter
from service.usecases import experiment_sets

router = APIRouter(tags=["comparisons"], route_class=GuardedRoute)


@router.get("/studies/{id}/claims", responses=NOT_FOUND | NOT_MODIFIED, response_model=ArticleClaims)
@needs(Role.VIEWER)
def get_study_claims(id: UUID, request: Request, session: ReadSession, services: ServicesDep) -> Response:
    """Judge the articles' twelve claims by the experiments of a study, with the evidence. Each claim has a rule; an
    undecided claim names the experiments that are missing. The preset `claims` trains all that the rules need."""
    revision = experiment_sets.revision(session, Filter(studies=(id,)))
    return conditional.at_revision(request, services, revision, lambda: judge(observe(session, id)))
