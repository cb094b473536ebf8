"""Answers from memory to GETs that the process has answered before."""

from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.http.conditional import is_among, not_modified
from service.api.http.memory import Answer
from service.api.http.services import Services
from service.api.http.templates import KEPT


class FromMemory:
    """Answer a GET with the bytes of its last answer, as long as nothing that it shows has changed.

    It is the last of the middlewares: it decides nothing about access, so whatever does must stand before it. What it
    does not know, it passes on. Routes keep their answers themselves (`service.api.http.conditional`), and only those
    that depend on nothing but the path, the query and revisions.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _kept(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if answer is None or (if_none_match := _condition(scope)) is None:
            await self.app(scope, receive, send)
            return
        scope[KEPT] = answer.route
        if is_among(answer.etag, if_none_match):
            headers = not_modified(answer.etag).raw_headers
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "http.response.start", "status": 200, "headers": list(answer.headers)})
            await send({"type": "http.response.body", "body": answer.body})


def _kept(scope: Scope) -> Answer | None:
    services: Services | None = getattr(scope["app"].state, "services", None)
    if services is None:  # the app has not started
        return None
    answer = services.memory.answer((scope["path"], scope["query_string"]))
    return answer if answer is not None and answer.is_true(services.feed) else None


def _condition(scope: Scope) -> str | None:
    """Return the If-None-Match of a request, empty where it has none; None where it asks for the database itself."""
    condition = None
    for name, value in scope["headers"]:
        if name in (b"cache-control", b"pragma"):
            return None
        if name == b"if-none-match" and condition is None:
            condition = value.decode("latin-1")
    return condition or ""
