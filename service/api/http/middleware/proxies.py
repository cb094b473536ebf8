"""Refusal of proxied requests while the server has no access control."""

from starlette.datastructures import Headers

from service.api.http.middleware.check import RequestCheck
from service.domain.errors import Unauthorized
from service.settings import Settings


class DirectAccess(RequestCheck):
    """Refuse requests that came through a proxy, unless the server is started with --insecure. Open access is for this
    machine alone, and a proxy in front would extend it to everybody."""

    def check(self, settings: Settings, method: str, headers: Headers) -> None:
        if settings.insecure:
            return
        for name in headers:
            if name == "forwarded" or name.startswith("x-forwarded-"):
                raise Unauthorized(
                    f"The request came through a proxy ({name}) to a server without API keys. Remove the proxy, or"
                    " start the server with --insecure if the proxy authenticates its users."
                )
