"""Reading requests to their end, where they are answered before."""

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 2**20
LONGEST_SECONDS = 10.0


class WholeRequest:
    """Read on and discard the rest of a request's body after the answer, before the connection is closed.

    A connection that is closed while the client still sends is reset, and most clients then report the reset and not
    the answer, such as a 413. At most MOST_BYTES are read, for at most LONGEST_SECONDS. A body that may be longer is
    answered with `Connection: close`: the server would otherwise read all of it, to find the next request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = _length(Headers(scope=scope)) if scope["type"] == "http" else 0
        if length == 0:
            await self.app(scope, receive, send)
            return
        body = _Body(receive)

        async def send_and_read_on(message: Message) -> None:
            if body.ended:
                await send(message)
            elif message["type"] == "http.response.start":
                if length is None or length > MOST_BYTES:
                    MutableHeaders(scope=message)["Connection"] = "close"
                await send(message)
            else:
                await _send_part(message)

        async def _send_part(message: Message) -> None:
            if message.get("more_body", False):
                await send(message)
                return
            # The client may have all of the answer now: its length is in its headers.
            await send({**message, "more_body": True})
            await body.discard()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self.app(scope, body.receive, send_and_read_on)


class _Body:
    """The body of a request, which knows whether all of it has arrived."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self.ended = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def discard(self) -> None:
        left = MOST_BYTES
        with anyio.move_on_after(LONGEST_SECONDS):
            while not self.ended and left > 0:
                left -= len((await self.receive()).get("body", b""))


def _length(headers: Headers) -> int | None:
    """Return the length of a body in bytes; None where it is not known beforehand."""
    length = headers.get("content-length", "" if "transfer-encoding" in headers else "0")
    return int(length) if length.isascii() and length.isdigit() and len(length) <= 18 else None
