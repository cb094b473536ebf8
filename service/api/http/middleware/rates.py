"""The limit on the requests of each key, told in the headers of the IETF's draft on rate limits."""

from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.principals import LOCAL, Principal
from service.access.rates import Rates, Window
from service.api.http import problem
from service.domain.errors import RateLimited


class RequestRates:
    """Answer with 429 where a key has sent more requests than it may, and with what is left to it on every answer.

    Who sends no key is not counted: there is open access, and what is public.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        principal: Principal | None = scope.get("principal")
        if principal is None or principal is LOCAL or principal.role is None:
            await self.app(scope, receive, send)
            return
        rates: Rates = scope["app"].state.services.rates
        window = await rates.request(principal.id)
        if window is None:
            await self.app(scope, receive, send)
            return

        async def send_with_limit(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_headers(window)]
            await send(message)

        if window.passes:
            await self.app(scope, receive, send_with_limit)
        else:
            await problem.render(refusal(window, "requests"))(scope, receive, send_with_limit)


def refusal(window: Window, what: str) -> RateLimited:
    """Return the error of a window that is used up."""
    period = "minute" if window.period_seconds == 60 else "hour"
    return RateLimited(
        f"This key may send {window.limit:,} {what} a {period}. Try again in {window.reset_seconds} s.",
        Retry_After=str(max(1, window.reset_seconds)),
    )


def _headers(window: Window) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"ratelimit-policy", _policy(window.limit, window.period_seconds)),
        (b"ratelimit", b'"default";r=%d;t=%d' % (window.remaining, window.reset_seconds)),
    )


@cache
def _policy(limit: int, period_seconds: int) -> bytes:
    return b'"default";q=%d;w=%d' % (limit, period_seconds)
