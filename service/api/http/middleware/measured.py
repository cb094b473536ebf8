"""The measurement of requests, by the template of their path."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.services import Services
from service.api.http.templates import template_of

LEFT = 499
"""The status of a request whose client has gone before the answer began."""
FAILED = 500


class Measured:
    """Count each request with the status of its answer and the time that it took.

    Requests that ask to wait (`?wait=`) are counted apart, because their time is that of the change they wait for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services: Services | None = getattr(scope["app"].state, "services", None) if scope["type"] == "http" else None
        if services is None:
            await self.app(scope, receive, send)
            return
        begun, answer_begun, status = time.perf_counter(), 0.0, LEFT

        async def noting(message: Message) -> None:
            nonlocal status, answer_begun
            if message["type"] == "http.response.start":
                status, answer_begun = message["status"], time.perf_counter()
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception:
            status = FAILED if status == LEFT else status
            raise
        finally:
            route = template_of(scope)
            ended = answer_begun if route.endswith("/events") and answer_begun else time.perf_counter()
            services.metrics.request(scope["method"], route + _waiting(scope), status, ended - begun)


def _waiting(scope: Scope) -> str:
    query = scope["query_string"]
    return "?wait" if b"wait=" in query and b"wait=0" not in query.split(b"&") else ""
