"""The base of the middlewares that refuse requests by their method and headers."""

from abc import ABC, abstractmethod

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.http import problem
from service.domain.errors import ActLabError
from service.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestCheck(ABC):
    """A middleware that answers with a problem where `check` raises an ActLabError, and else passes the request on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self.check(scope["app"].state.settings, scope["method"], Headers(scope=scope))
            except ActLabError as error:
                await problem.render(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    @abstractmethod
    def check(self, settings: Settings, method: str, headers: Headers) -> None:
        """Raise the ActLabError that the request is refused with, if it is refused."""
