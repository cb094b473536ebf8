"""Routes of API keys, of the sender of a request, and of sessions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from service.access import keys as api_keys
from service.access.principals import LOCAL, Principal
from service.access.roles import PUBLIC, Role, needs
from service.api.http import sessions
from service.api.http.dependencies import CreationDep, PrincipalDep, ReadSession, SenderDep, ServicesDep, WriteSession
from service.api.http.guarded import GuardedRoute
from service.api.http.problem import WITH_BODY, responses
from service.api.schemas.keys import KeyRequest, KeysView, KeyView, NewKeyView, PrincipalView, SignIn
from service.domain.errors import KeyNotFound, KeyNotStored, NameTaken
from service.storage.records import keys
from service.storage.tables.keys import ApiKey

router = APIRouter(tags=["access"], route_class=GuardedRoute)

NOT_FOUND = responses(404)
KeyId = Annotated[str, Path(pattern="^[0-9A-Za-z]{8}$", description="The id of the key, the middle part of its text.")]
Revoked = Annotated[bool, Query(description="Include the keys that were revoked.")]


@router.get("/me")
@needs(Role.VIEWER)
async def get_me(sender: SenderDep) -> PrincipalView:
    """Read who sends this request: the name, the role and the end of its key."""
    return _principal_view(sender)


@router.post("/session", responses=WITH_BODY)
@needs(PUBLIC)
async def create_session(sign_in: SignIn, request: Request, services: ServicesDep, response: Response) -> PrincipalView:
    """Sign a browser in: set a cookie that no script reads and no other site sends. Programs send the key itself."""
    principal = services.gate.table.principal(sign_in.key)
    sessions.begin(request, response, sign_in.key, principal)
    return _principal_view(principal)


@router.delete("/session", status_code=204, response_class=Response)
@needs(PUBLIC)
async def delete_session(request: Request, response: Response) -> None:
    """Sign a browser out: remove the cookie. The key stays valid."""
    sessions.end(request, response)


@router.post("/keys", status_code=201, responses=WITH_BODY | responses(409))
@needs(Role.ADMIN)
def create_key(
    new: KeyRequest, session: WriteSession, principal: PrincipalDep, creation: CreationDep, response: Response
) -> NewKeyView:
    """Make a key. The answer shows it this once, and only its hash is stored."""
    key = api_keys.generate()
    lifetime = None if new.expires is None else api_keys.lifetime(new.expires)

    def make() -> None:
        if keys.create(session, principal, key, new.name, new.role, lifetime) is None:
            raise NameTaken(f"A key {new.name!r} exists. Revoke it, or choose another name.")
        session.details.update(name=new.name, role=new.role)

    id = creation.once_named(session, response, "keys", key.id, make, status=201)
    if id != key.id:
        raise KeyNotStored(
            f"This request made the key {id} before, and its secret is not stored. Revoke it and begin anew."
        )
    return NewKeyView.model_validate({**vars(_load(session, id)), "key": key.text})


@router.get("/keys")
@needs(Role.ADMIN)
def list_keys(session: ReadSession, revoked: Revoked = False) -> KeysView:
    """List the keys, the newest first, without their secrets."""
    return KeysView(items=[KeyView.model_validate(row) for row in keys.listed(session, revoked=revoked)])


@router.get("/keys/{id}", responses=NOT_FOUND)
@needs(Role.ADMIN)
def get_key(id: KeyId, session: ReadSession) -> KeyView:
    """Read a key without its secret; a revoked one too."""
    return KeyView.model_validate(_load(session, id))


@router.delete("/keys/{id}", status_code=204, response_class=Response, responses=NOT_FOUND)
@needs(Role.ADMIN)
def revoke_key(id: KeyId, session: WriteSession) -> None:
    """Revoke a key for ever. Within a second no API process takes it, and streams that it opened end."""
    if not keys.revoke(session, id):
        raise KeyNotFound(f"There is no key {id}, or it is revoked.")


def _load(session: ReadSession, id: str) -> ApiKey:
    row = keys.find(session, id)
    if row is None:
        raise KeyNotFound(f"There is no key {id}.")
    return row


def _principal_view(principal: Principal) -> PrincipalView:
    return PrincipalView.model_validate({**vars(principal), "open": principal is LOCAL})
