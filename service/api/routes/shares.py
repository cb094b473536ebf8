"""Routes of share links, and the page that a link opens."""

import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response

from service.access import keys as api_keys
from service.access.roles import PUBLIC, Role, needs
from service.api.http.dependencies import (
    Admitted,
    CreationDep,
    LockedStudy,
    PrincipalDep,
    ReadSession,
    ServicesDep,
    WriteSession,
)
from service.api.http.guarded import GuardedRoute
from service.api.http.loading import load_study
from service.api.http.problem import WITH_BODY, responses
from service.api.http.services import Services
from service.api.routes.reports import ReportQuery, page_of
from service.api.schemas.shares import NewShareView, ShareRequest, SharesView, ShareView
from service.domain.errors import KeyNotStored, ShareNotFound
from service.storage.records import shares
from service.storage.tables.base import new_id
from service.storage.tables.shares import Share
from service.usecases import experiment_sets

router = APIRouter(prefix="/studies", tags=["studies"], route_class=GuardedRoute)
pages = APIRouter(route_class=GuardedRoute)

NOT_FOUND = responses(404)
TOKEN_BYTES = 32
ShareId = Annotated[UUID, Path(description="The id of the link, which is not its token.")]
Token = Annotated[str, Path(pattern="^[0-9A-Za-z_-]{43}$", description="The token of the link.")]


@router.post("/{id}/shares", status_code=201, responses=NOT_FOUND | WITH_BODY | responses(409))
@needs(Role.SUBMITTER)
def create_share(
    new: ShareRequest,
    study: LockedStudy,
    request: Request,
    session: WriteSession,
    principal: PrincipalDep,
    creation: CreationDep,
    response: Response,
) -> NewShareView:
    """Make a link to a read-only page of the study. The answer shows it this once, and only its hash is stored."""
    id, token = new_id(), secrets.token_urlsafe(TOKEN_BYTES)
    lifetime = None if new.expires is None else api_keys.lifetime(new.expires)
    made = creation.once_named(
        session,
        response,
        f"studies/{study.id}/shares",
        str(id),
        lambda: shares.create(session, principal, study.id, id, api_keys.sha256(token), lifetime),
        status=201,
    )
    if made != str(id):
        raise KeyNotStored(f"This request made the link {made} before, and its token is not stored. Revoke it.")
    url = f"{request.scope.get('root_path', '')}/s/{token}"
    view = ShareView.model_validate(_load(session, study.id, id))
    return NewShareView(**view.model_dump(), url=url)


@router.get("/{id}/shares", responses=NOT_FOUND)
@needs(Role.VIEWER)
def list_shares(id: UUID, session: ReadSession) -> SharesView:
    """List the links of a study and how often each was opened, without their tokens."""
    study = load_study(session, id)
    return SharesView(items=[ShareView.model_validate(row) for row in shares.listed(session, study.id)])


@router.get("/{id}/shares/{share}", responses=NOT_FOUND)
@needs(Role.VIEWER)
def get_share(id: UUID, share: ShareId, session: ReadSession) -> ShareView:
    """Read a link without its token."""
    return ShareView.model_validate(_load(session, id, share))


@router.delete("/{id}/shares/{share}", status_code=204, response_class=Response, responses=NOT_FOUND)
@needs(Role.SUBMITTER)
def revoke_share(id: UUID, share: ShareId, session: WriteSession) -> None:
    """Revoke a link for ever. It opens nothing from now on."""
    if not shares.revoke(session, id, share):
        raise ShareNotFound(f"Study {id} has no link {share}, or it is revoked.")


@pages.get("/s/{token}", response_class=Response, include_in_schema=False)
@needs(PUBLIC)
def get_shared_page(token: Token, services: ServicesDep, _: Admitted) -> Response:
    """Open a share link: the report of one study, as it is now. The link reaches nothing else."""
    study = services.database.run("open_share", lambda session: shares.open_study(session, api_keys.sha256(token)))
    if study is None:
        raise ShareNotFound("There is no such page: the link is wrong, has expired or was revoked.")
    return Response(_report(services, study), media_type="text/html", headers=_headers(services))


def _load(session: ReadSession, study: UUID, id: UUID) -> Share:
    row = shares.find(session, study, id)
    if row is None:
        raise ShareNotFound(f"Study {study} has no link {id}.")
    return row


def _report(services: Services, study: UUID) -> str:
    """Return the report of a study, drawn once for each revision: drawing takes a second of the processor."""
    with services.database.read() as session:
        experiments = experiment_sets.of_study(session, study, None, [])
        revision = experiment_sets.revision(session, experiments.filters)
        text = services.memory.shared_page(study, revision)
        if text is None:
            text = page_of(session, study, experiments, ReportQuery())
            services.memory.keep_shared_page(study, revision, text)
    return text


def _headers(services: Services) -> dict[str, str]:
    embedding = services.settings.share_embedding or "'none'"
    return {
        # The page has a policy of its own, which may not say who embeds it. Browsers heed it before X-Frame-Options.
        "Content-Security-Policy": f"frame-ancestors {embedding}",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
    }
