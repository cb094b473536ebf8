"""The client's address and scheme as trusted proxies report them."""

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class TrustedProxies:
    """Take X-Forwarded-For and X-Forwarded-Proto from the addresses of `trusted_proxies`, and from nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._trusted = ""
        self._proxied: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        trusted = scope["app"].state.settings.trusted_proxies if scope["type"] == "http" else ""
        if not trusted:
            await self.app(scope, receive, send)
            return
        if trusted != self._trusted:
            self._trusted = trusted
            self._proxied = ProxyHeadersMiddleware(self.app, trusted)  # type: ignore[arg-type,assignment]  # its own types
        await self._proxied(scope, receive, send)
