"""The allow-list of host names, which protects against DNS rebinding."""

import re

from starlette.datastructures import Headers

from service.api.http.middleware.check import RequestCheck
from service.domain.errors import HostNotAllowed
from service.settings import Settings

HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[\w.-]+))(?::\d{0,5})?", re.ASCII | re.IGNORECASE)


class AllowedHosts(RequestCheck):
    """Refuse requests whose Host header names another server."""

    def check(self, settings: Settings, method: str, headers: Headers) -> None:
        host = headers.get("host", "")
        match = HOST.fullmatch(host)
        name = (match["address"] or match["name"]).lower() if match else ""
        if not name or settings.hosts.isdisjoint({name, "*"}):
            raise HostNotAllowed(f"{host!r} is not a name of this server; add it to ACTLAB_ALLOWED_HOSTS.")
