"""The template of a request's path, such as /api/v1/experiments/{id}: requests are counted by it."""

from starlette.types import Scope

KEPT = "actlab.route"
"""The key in the scope of a request that was answered from memory, before any route got it."""
OTHER = "other"
UNMATCHED = "unmatched"


def template_of(scope: Scope) -> str:
    """Return the template; OTHER for files of the guide and the OpenAPI document, UNMATCHED where no route has got the
    request."""
    if KEPT in scope:
        return str(scope[KEPT])
    route = scope.get("route")
    if route is not None:
        return str(scope["app"].state.templates.get(id(route), UNMATCHED))
    return OTHER if "endpoint" in scope else UNMATCHED
