"""Protection against cross-site request forgery."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from service.api.http.middleware.check import SAFE_METHODS, RequestCheck
from service.domain.errors import CrossSite
from service.settings import Settings


class SameSiteChanges(RequestCheck):
    """Refuse changes that a page of another web site sends. Any page in the same browser can send a POST here; the
    browser states its site in Sec-Fetch-Site and Origin."""

    def check(self, settings: Settings, method: str, headers: Headers) -> None:
        if method in SAFE_METHODS:
            return
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            raise CrossSite("Another web site sent this change. Open the pages of this server instead.")
        origin = headers.get("origin")
        if origin is not None and _host_and_port(origin) != headers.get("host", "").lower():
            raise CrossSite(f"The origin {origin!r} is not this server.")


def _host_and_port(origin: str) -> str:
    """Return the host and port of an origin; an empty text for `null` and for text that is no origin."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
