"""Errors as MLflow's client reads them: problems with two members more, and refusals of everything that writes."""

import json
from collections.abc import Mapping
from typing import Any

from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http import problem
from service.domain.errors import Forbidden

PREFIXES = ("/api/2.0/", "/api/3.0/")
"""Beginnings of the paths of MLflow's client."""

CODES: Mapping[int, str] = {
    400: "BAD_REQUEST", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "RESOURCE_DOES_NOT_EXIST",
    409: "INVALID_STATE", 413: "INVALID_PARAMETER_VALUE", 415: "INVALID_PARAMETER_VALUE",
    422: "INVALID_PARAMETER_VALUE", 429: "REQUEST_LIMIT_EXCEEDED", 503: "TEMPORARILY_UNAVAILABLE",
}  # fmt: skip

READ_ONLY = (
    "MLflow's client reads ActLab and does not write to it. Submit, change and delete with the routes of /api/v1."
)


class MlflowErrors:
    """Add `error_code` and `message` to each problem below PREFIXES.

    A method that no route there takes is answered with 403, since the client repeats other refusals for minutes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not get_route_path(scope).startswith(PREFIXES):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Answer(scope, receive, send).send)


class _Answer:
    """An answer, whose body is kept until its end if it is a problem."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start, json.loads(self._body))

    async def _finish(self, start: Message, content: dict[str, Any]) -> None:
        if _is_write(self._scope, start["status"], content["code"]):
            await _Answer(self._scope, self._receive, self._send).refuse()
            return
        members = {"error_code": _code(content), "message": content["detail"]}
        body = json.dumps(content | members).encode()
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await self._send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self) -> None:
        await problem.render(Forbidden(READ_ONLY))(self._scope, self._receive, self.send)


def _is_problem(start: Message) -> bool:
    return (b"content-type", problem.MEDIA_TYPE.encode()) in [tuple(header) for header in start["headers"]]


def _is_write(scope: Scope, status: int, code: str) -> bool:
    """Return whether a request asks for what no route does, by another method than GET."""
    return scope["method"] not in ("GET", "HEAD") and (status == 405 or (status == 404 and code == "not_found"))


def _code(content: Mapping[str, Any]) -> str:
    if content["status"] == 404 and content["code"] == "not_found" and "nothing at" in content["detail"]:
        return "ENDPOINT_NOT_FOUND"
    return CODES.get(content["status"], "INTERNAL_ERROR")
