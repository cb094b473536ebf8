"""The route of verdicts."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from service.api.http import conditional
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.routes.experiments import NOT_FOUND, NOT_MODIFIED
from service.domain.article_claims.answer import ArticleClaims
from service.domain.article_claims.verdicts import judge
from service.storage.analysis.article_claims import observe
from service.storage.records.experiments import Filter
from service.usecases import experiment_sets

router = APIRouter(tags=["comparisons"])


@router.get("/studies/{id}/claims", responses=NOT_FOUND | NOT_MODIFIED, response_model=ArticleClaims)
def get_study_claims(id: UUID, request: Request, session: ReadSession, services: ServicesDep) -> Response:
    """The articles' twelve claims, each decided by its rule from this study's runs, with the evidence; what is
    undecided says what is missing. The preset `claims` collects what it takes."""
    revision = experiment_sets.revision(session, Filter(study=id))
    return conditional.at_revision(request, services, revision, lambda: judge(observe(session, id)))
