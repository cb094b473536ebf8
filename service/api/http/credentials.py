"""The key that a request carries: as a bearer token, as the password of Basic, or in the cookie of the pages."""

import base64

from starlette.types import Scope

from service.domain.errors import Unauthorized

COOKIE = "actlab_session"
HOST_PREFIX, SECURE_PREFIX = "__Host-", "__Secure-"
"""Prefixes of the cookie over https, at the root of a host and below a path. Browsers take such a cookie from no plain
http, and with the first from no other host."""


def key_of(scope: Scope) -> str | None:
    """Return the text of the key of a request; None where it has none.

    `Authorization` counts before the cookie. Raises Unauthorized where it cannot be read.
    """
    cookies = ""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return _authorized(value.decode("latin-1"))
        if name == b"cookie":
            cookies = f"{cookies};{value.decode('latin-1')}"
    return _cookie(cookies, cookie_name(scope)) if cookies else None


def cookie_name(scope: Scope) -> str:
    if scope.get("scheme") != "https":
        return COOKIE
    return f"{SECURE_PREFIX if scope.get('root_path') else HOST_PREFIX}{COOKIE}"


def _authorized(authorization: str) -> str:
    scheme, _, value = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip())
    raise Unauthorized("Send the key as `Authorization: Bearer KEY`, or as the password of Basic.")


def _password(value: str) -> str:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except ValueError:  # of base64, or of UTF-8
        raise Unauthorized("The value of Basic is not base64 of a user and a password.") from None
    return text.partition(":")[2]


def _cookie(cookies: str, wanted: str) -> str | None:
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == wanted:
            return value.strip('"')
    return None
