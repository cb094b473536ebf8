"""Access: each request comes from somebody who may reach more than what is public, or it ends here."""

import time

import anyio
from starlette._utils import get_route_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.principals import Principal
from service.access.table import LONGEST_AGE_SECONDS
from service.api.http import problem
from service.api.http.gate import Gate
from service.domain.errors import ActLabError, Unauthorized


class Access:
    """Set `principal` in the scope of each request that may pass, before its path, body and media type count.

    Nothing of an answer is sent a second after its key was revoked or has expired: not the end of a long wait, nor an
    event.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        gate: Gate = scope["app"].state.services.gate
        try:
            scope["principal"] = principal = await gate.principal(scope, get_route_path(scope))
        except ActLabError as error:
            await problem.render(error)(scope, receive, send)
            return
        with anyio.CancelScope() as answering:
            await self.app(scope, receive, _Answer(gate, principal, send, answering).send)


class _Answer:
    """The answer to one request, which ends where its principal may not read on."""

    def __init__(self, gate: Gate, principal: Principal, send: Send, answering: anyio.CancelScope) -> None:
        self._gate = gate
        self._principal = principal
        self._send = send
        self._answering = answering
        self._sure_until = time.monotonic() + LONGEST_AGE_SECONDS
        self._begun = False

    async def send(self, message: Message) -> None:
        # A request that revokes its own key, or makes the first one, is answered.
        if time.monotonic() <= self._sure_until or self._gate.holds(self._principal, message):
            self._begun = True
            await self._send(message)
            return
        if not self._begun:
            await self._refuse()
        # What is not complete is closed as such: the end of an export must not look like the whole.
        self._answering.cancel()

    async def _refuse(self) -> None:
        error = Unauthorized("The API key was revoked or has expired.")
        answer = problem.render(error)
        await self._send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await self._send({"type": "http.response.body", "body": answer.body})
