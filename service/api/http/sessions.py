"""Sessions of browsers: a cookie that holds the key.

No session is stored. A cookie of another value, such as one signed with the stored hash, would let whoever reads the
database forge it, and there is none that a stranger could fix beforehand.
"""

from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response

from service.access.principals import Principal
from service.api.http.credentials import cookie_name

LONGEST_SECONDS = 30 * 86_400


def begin(request: Request, response: Response, key: str, principal: Principal) -> None:
    """Set the cookie, for 30 days or until the key expires."""
    response.set_cookie(cookie_name(request.scope), key, max_age=_seconds(principal.expires_at), **_attributes(request))


def end(request: Request, response: Response) -> None:
    response.delete_cookie(cookie_name(request.scope), **_attributes(request))


def _seconds(expires_at: datetime | None) -> int:
    left = LONGEST_SECONDS if expires_at is None else int((expires_at - datetime.now(UTC)).total_seconds())
    return max(0, min(LONGEST_SECONDS, left))


def _attributes(request: Request) -> dict[str, Any]:
    root = request.scope.get("root_path") or "/"
    return {"path": root, "httponly": True, "samesite": "strict", "secure": request.url.scheme == "https"}
