"""Requests that are sent again: which ones, how often and after what time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx2 as httpx

from actlab.errors import ApiError, RateLimited, Unavailable
from actlab.flows import Call

if TYPE_CHECKING:
    from tenacity import RetryCallState

RETRIES = 3
"""The usual number of repeats after a first failure; without a `Retry-After` they take about two seconds."""

LONGEST_PAUSE = 60.0
"""Seconds: a service that asks to wait longer is not waited for, and its error is raised at once."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_log = logging.getLogger(__name__)


class Sendings:
    """The sendings of one request, of which there are at most 1 + `retries`.

    A request that has certainly changed nothing (no connection, or 429) is repeated whatever it is. After any other
    failure of the connection, and after 502, 503 and 504, only an idempotent request is repeated: the first one may
    have been carried out. All bodies are JSON, so that each can be sent again.
    """

    def __init__(self, call: Call, retries: int) -> None:
        self._call = call
        self._retries = retries
        self._may_be_done = False

    def run(self, send: Callable[[Call], Any]) -> Any:
        """Call `send` until it returns; raise its last error."""
        from tenacity import Retrying  # here, since it takes a tenth of the time that importing the client does

        return Retrying(**self._policy())(send, self._call)

    async def run_async(self, send: Callable[[Call], Awaitable[Any]]) -> Any:
        """Do as `run` with a coroutine function."""
        from tenacity import AsyncRetrying

        return await AsyncRetrying(**self._policy())(send, self._call)

    def is_done(self, error: ApiError) -> bool:
        """Return whether an error says that an earlier sending was carried out: what it deleted is not there."""
        return self._may_be_done and self._call.method == "DELETE" and error.status in (404, 410)

    def _policy(self) -> dict[str, Any]:
        from tenacity import before_sleep_log, retry_if_exception, stop_after_attempt

        return {
            "retry": retry_if_exception(self._is_to_be_repeated),
            "stop": stop_after_attempt(1 + self._retries),
            "wait": _pause,
            "before_sleep": before_sleep_log(_log, logging.INFO),
            "reraise": True,
        }

    def _is_to_be_repeated(self, error: BaseException) -> bool:
        if isinstance(error, RateLimited | Unavailable) and (error.retry_after or 0.0) > LONGEST_PAUSE:
            return False
        if isinstance(error, (*NEVER_SENT, RateLimited)):
            return True
        if not isinstance(error, httpx.TransportError | Unavailable):
            return False
        self._may_be_done = True
        return self._call.is_idempotent


def checked(retries: int) -> int:
    """Return a number of retries. Raises ValueError for a negative one."""
    if retries < 0:
        raise ValueError(f"retries should be 0 or more, got {retries}")
    return retries


def _pause(state: RetryCallState) -> float:
    """Return the seconds before the next sending: what the service asks for, or else a growing time."""
    error = None if state.outcome is None else state.outcome.exception()
    asked = error.retry_after if isinstance(error, ApiError) else None
    if asked is not None:
        return asked
    from tenacity import wait_exponential_jitter

    return wait_exponential_jitter(multiplier=0.25, max=8.0, jitter=0.25)(state)
