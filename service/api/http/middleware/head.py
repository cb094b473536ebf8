"""HEAD requests: each is answered as the GET of its path is, without the body."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Pass HEAD on as GET, and send the status and the headers of the answer alone.

    An answer in parts, such as an export or a stream of events, is stopped before its first part.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        with anyio.CancelScope() as answering:
            await self.app({**scope, "method": "GET"}, receive, _without_body(send, answering))


def _without_body(send: Send, answering: anyio.CancelScope) -> Send:
    ended = False

    async def send_head(message: Message) -> None:
        nonlocal ended
        if message["type"] != "http.response.body":
            await send(message)
        elif not ended:
            ended = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            if message.get("more_body", False):
                answering.cancel()

    return send_head
