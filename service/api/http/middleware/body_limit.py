"""The limit on the size of request bodies."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http import problem
from service.domain.errors import BodyTooLarge


class BodyLimit:
    """Refuse bodies of more than `max_body_bytes`: by their Content-Length, and else when too much has arrived."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = scope["app"].state.settings.max_body_bytes
        if _exceeds(Headers(scope=scope).get("content-length", "0"), limit):
            await problem.render(_too_large(limit))(scope, receive, send)
            return
        await self.app(scope, _limited(receive, limit), send)


def _exceeds(length: str, limit: int) -> bool:
    """Return whether a Content-Length is over the limit. int() refuses more than 4,300 digits; 18 are enough."""
    digits = length.lstrip("0") if length.isascii() and length.isdigit() else ""
    return len(digits) > 18 or int(digits or 0) > limit


def _limited(receive: Receive, limit: int) -> Receive:
    """Count the bytes that arrive: a chunked body has no length to check beforehand."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body holds at most {limit} bytes (ACTLAB_MAX_BODY_BYTES).")
