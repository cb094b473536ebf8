"""Routes with a role: each names the role that it needs, and refuses senders with a lesser one."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from service.access.principals import Principal
from service.access.roles import Role
from service.api.http.strict_json import StrictRequest
from service.domain.errors import Forbidden


class GuardedRoute(APIRoute):
    """A route of the API. Its function declares its role with service.access.roles.needs."""

    @property
    def role(self) -> Role | None:
        """The role that every request needs. AttributeError, before the first request, for a route without one."""
        least: Role | None = self.endpoint.dry_run_role or self.endpoint.role  # type: ignore[attr-defined]
        return least

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave a path to the route that is written like it, since no id reads "cancel".

        A name may be any word, so that a path with `{name}` matches as it would.
        """
        match, child_scope = super().matches(scope)
        if match is Match.FULL and "id" in self.param_convertors and get_route_path(scope) in _literal_paths(scope):
            return Match.NONE, {}
        return match, child_scope

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Read bodies by StrictRequest."""
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def with_strict_json(request: Request) -> Response:
            return await handler(StrictRequest(request.scope, request.receive))

        return with_strict_json

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the role before the body is read; 405 comes before 403."""
        if self.role is not None and scope["method"] in (self.methods or ()):
            require(scope["principal"], self.role)
        await super().handle(scope, receive, send)


def _literal_paths(scope: Scope) -> frozenset[str]:
    """Return the paths of the app's routes without parameters."""
    paths: frozenset[str] = scope["app"].state.literal_paths
    return paths


def require(principal: Principal, needed: Role) -> None:
    """Raise Forbidden unless a principal has a role."""
    if principal.role is None or not principal.role.may(needed):
        held = f"The key {principal.name!r} has the role {principal.role}" if principal.role else "The request has none"
        raise Forbidden(f"This needs a key with the role {needed}. {held}.")
