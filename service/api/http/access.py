"""Who may talk to the API at all: judged before any route, on every request."""

import re
from collections.abc import Iterable, Set
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http import problem
from service.domain.errors import ActLabError, BodyTooLarge, CrossSite, HostNotAllowed, Unauthorized
from service.settings import Settings

HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[\w.-]+))(?::\d{0,5})?", re.ASCII | re.IGNORECASE)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Access:
    """Host allow-list, refusal of cross-site changes and of proxied requests while access is open, body limit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        settings: Settings = scope["app"].state.settings
        try:
            _check(settings, scope["method"], Headers(scope=scope))
        except ActLabError as error:
            await problem.render(error)(scope, receive, _with_headers(send))
            return
        await self.app(scope, _limited(receive, settings.max_body_bytes), _with_headers(send))


def _check(settings: Settings, method: str, headers: Headers) -> None:
    _check_host(settings.hosts, headers.get("host", ""))
    if method not in SAFE_METHODS:
        _check_same_site(headers)
    if not settings.insecure:
        _check_direct(headers.keys())
    if _exceeds(headers.get("content-length", "0"), settings.max_body_bytes):
        raise _too_large(settings.max_body_bytes)


def _check_host(allowed: Set[str], host: str) -> None:
    found = HOST.fullmatch(host)
    name = (found["address"] or found["name"]).lower() if found else ""
    if not name or allowed.isdisjoint({name, "*"}):
        raise HostNotAllowed(f"{host!r} is not a name of this server; add it to ACTLAB_ALLOWED_HOSTS.")


def _limited(receive: Receive, limit: int) -> Receive:
    """Count what arrives: a chunked body has no length to check beforehand."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise _too_large(limit)
        return message

    return counted


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"A body holds at most {limit} bytes (ACTLAB_MAX_BODY_BYTES).")


def _exceeds(length: str, limit: int) -> bool:
    """Whether a Content-Length is over the limit. int() refuses more than 4,300 digits; 18 are enough."""
    digits = length.lstrip("0") if length.isascii() and length.isdigit() else ""
    return len(digits) > 18 or int(digits or 0) > limit


def _check_same_site(headers: Headers) -> None:
    """Any page in the same browser can send a POST here; the browser says where it came from."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise CrossSite("This change was asked for by another web site. Open the pages of this server instead.")
    origin = headers.get("origin")
    if origin is not None and _place(origin) != headers.get("host", "").lower():
        raise CrossSite(f"The origin {origin!r} is not this server.")


def _place(origin: str) -> str:
    """Host and port of an origin; empty for `null` and for what is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _check_direct(names: Iterable[str]) -> None:
    """Open access is for this machine alone; a proxy in front would lend it to everybody."""
    for name in names:
        if name == "forwarded" or name.startswith("x-forwarded-"):
            raise Unauthorized(
                f"The request came through a proxy ({name}) to a server without API keys. Remove the proxy, or start"
                " the server with --insecure if the proxy itself asks who is there."
            )


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
