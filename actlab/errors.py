"""The errors of the client: one class for each kind of answer, so that programs can tell them apart."""

import email.utils
import time
from collections.abc import Mapping
from typing import Any

Problem = Mapping[str, Any]


class ApiError(Exception):
    """The service answered with an error.

    `status` is that of HTTP. `code` names the kind of error and never changes. `errors` has one entry for each wrong
    field, with its `pointer` or `parameter`, `detail` and `code`. `retry_after` is the number of seconds after which
    the service asks to try again, None where it does not say.
    """

    def __init__(self, status: int, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(problem.get("detail") or f"HTTP {status}")
        self.status = status
        self.code: str = problem.get("code", "unknown")
        self.errors: list[dict[str, Any]] = problem.get("errors", [])
        self.retry_after = retry_after


class BadRequest(ApiError):
    """The request cannot be read, or the host name is not served (400)."""


class Unauthorized(ApiError):
    """The request has no valid API key (401)."""


class Forbidden(ApiError):
    """The role of the API key does not allow the request (403)."""


class NotFound(ApiError):
    """There is no such record (404)."""


class Conflict(ApiError):
    """The state of the record does not allow the request (409)."""


class Gone(ApiError):
    """The record was deleted (410)."""


class PreconditionFailed(ApiError):
    """The record was changed since it was read (412)."""


class Invalid(ApiError):
    """Fields or parameters are not valid (422); `errors` lists them."""


class RateLimited(ApiError):
    """The API key has sent too many requests, or has too many experiments in the queue (429)."""


class Unavailable(ApiError):
    """The service cannot answer now (503), or a proxy could not reach it (502, 504)."""


CLASSES: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    422: Invalid,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
"""The class of each status. A code of the service has one status, so that this sorts by codes too."""


def error_of(status: int, problem: Problem, retry_after: str | None = None) -> ApiError:
    """Return the error of an answer; `retry_after` is the text of its header, in seconds or as a date."""
    return CLASSES.get(status, ApiError)(status, problem, _seconds(retry_after))


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


class UnknownFormat(ValueError):
    """The suffix of a file names no format."""


class UnusableProxy(ValueError):
    """The environment names a proxy that cannot be used, for a service on another machine."""


class MissingLibrary(ImportError):
    """A method needs a library that an extra installs; the message has the command."""


class WaitTimeout(TimeoutError):
    """Experiments have not ended within the time that a caller wanted to wait."""


class ExperimentsFailed(UserWarning):
    """The warning that experiments have failed which a caller has waited for."""
