"""The id of a request, which the answer and the log share with the client that sent it."""

import re
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

HEADER = b"x-request-id"
SENT = re.compile(rb"[\w.:/+=@-]{1,128}", re.ASCII)
"""The ids that a client may choose. Others could break a line of a log or fill it."""
KEY = "actlab.request_id"
"""The key of the id in the scope of a request."""


class RequestIds:
    """Take the X-Request-ID of each request, or make one; bind it to the log and send it with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        id = _sent(scope) or uuid4().hex.encode()
        scope[KEY] = id.decode()  # read where an error is answered outside of all middlewares

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, id)]
            await send(message)

        with bound_contextvars(request_id=scope[KEY]):
            await self.app(scope, receive, send_with_id)


def _sent(scope: Scope) -> bytes | None:
    """Return the id that a client has sent; None for none, and for one that may not be used."""
    ids = [value for name, value in scope["headers"] if name == HEADER]
    return ids[0] if len(ids) == 1 and SENT.fullmatch(ids[0]) else None
