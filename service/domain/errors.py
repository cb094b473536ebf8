"""The errors that ActLab raises, each with its HTTP status and a stable code for clients."""

import math
from typing import Any, ClassVar

LONGEST_VALUE = 200  # characters of a wrong value in a message


class FieldProblem:
    """A problem with one field of a request.

    `pointer` is a JSON pointer into the body, which is empty or starts with a slash, or else the name of a parameter.
    `column` is the position of the error in a formula, from 1. `value` is the value that was sent.
    """

    def __init__(
        self, pointer: str, detail: str, code: str, value: object = None, *, column: int | None = None
    ) -> None:
        self.pointer = pointer
        self.detail = detail
        self.code = code
        self.value = value
        self.column = column

    def __str__(self) -> str:
        return self.detail if self.value is None else f"{self.detail}, got {shown(self.value)}"


def shown(value: Any) -> str:
    """Return a value as text in valid UTF-8, of at most LONGEST_VALUE characters and an ellipsis."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "an infinite number"
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value).encode("utf-8", errors="backslashreplace").decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


class ActLabError(Exception):
    """The base class of all errors. `detail` names the object, the reason and the remedy; `headers` are those of the
    response, by keyword (`retry_after="1"`)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, errors: list[FieldProblem] | None = None, **headers: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class BadRequest(ActLabError):
    status, code, title = 400, "bad_request", "Bad request"


class MalformedJson(BadRequest):
    code, title = "malformed_json", "The request body is not JSON"


class HostNotAllowed(BadRequest):
    code, title = "host_not_allowed", "This host name is not served"


class Unauthorized(ActLabError):
    """The request has no valid key. The answer asks for a bearer token and not for Basic, which is accepted too:
    browsers would show a dialog of their own in place of the pages' one."""

    status, code, title = 401, "unauthorized", "Not authenticated"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, WWW_Authenticate='Bearer realm="ActLab"')


class Forbidden(ActLabError):
    status, code, title = 403, "forbidden", "Forbidden"


class CrossSite(Forbidden):
    code, title = "cross_site", "A request from another web site was refused"


class NotFound(ActLabError):
    status, code, title = 404, "not_found", "Not found"


class ExperimentNotFound(NotFound):
    code, title = "experiment_not_found", "There is no such experiment"


class ActivationNotFound(NotFound):
    code, title = "activation_not_found", "There is no such activation"


class StudyNotFound(NotFound):
    code, title = "study_not_found", "There is no such study"


class KeyNotFound(NotFound):
    code, title = "key_not_found", "There is no such API key"


class ShareNotFound(NotFound):
    code, title = "share_not_found", "There is no such share link"


class WeightsNotFound(NotFound):
    code, title = "weights_not_found", "The weights were not kept"


class DatasetNotFound(NotFound):
    code, title = "dataset_not_found", "There is no such data set"


class DatasetNotOnServer(NotFound):
    """The server has no files of a data set, which a worker on another machine may have."""

    code, title = "dataset_not_on_server", "This server does not have the data set"


class ImageNotFound(NotFound):
    code, title = "image_not_found", "There is no such image"


class MethodNotAllowed(ActLabError):
    status, code, title = 405, "method_not_allowed", "Method not allowed"


class Conflict(ActLabError):
    status, code, title = 409, "conflict", "Conflict"


class IllegalTransition(Conflict):
    code, title = "illegal_transition", "The experiment's status does not allow this"


class ResultNotReady(Conflict):
    code, title = "result_not_ready", "There is no result"


class NameTaken(Conflict):
    code, title = "name_taken", "The name is taken"


class KeyNotStored(Conflict):
    code, title = "key_not_stored", "The secret of the key is not stored"


class NotChangeable(Conflict):
    code, title = "not_changeable", "An activation of the catalogue cannot be changed"


class Gone(ActLabError):
    status, code, title = 410, "gone", "Gone"


class PreconditionFailed(ActLabError):
    status, code, title = 412, "precondition_failed", "It was changed in the meantime"


class BodyTooLarge(ActLabError):
    status, code, title = 413, "body_too_large", "The request body is too large"


class UnsupportedMediaType(ActLabError):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Invalid(ActLabError):
    status, code, title = 422, "validation_error", "The request is not valid"


class InvalidCursor(Invalid):
    code = "invalid_cursor"


class IdempotencyMismatch(Invalid):
    code, title = "idempotency_mismatch", "The Idempotency-Key was used for another request"


class RateLimited(ActLabError):
    status, code, title = 429, "rate_limited", "Too many requests of this key"


class QueueFull(RateLimited):
    code, title = "queue_full", "Too many queued experiments of this key"


class Unavailable(ActLabError):
    status, code, title = 503, "unavailable", "Temporarily unavailable"


class Overloaded(Unavailable):
    code, title = "overloaded", "Too many requests at once"


class DatabaseUnavailable(Unavailable):
    code, title = "database_unavailable", "The database does not answer"


class SchemaOutdated(Unavailable):
    """The database is not at the revision that this code needs, so that the process does not start."""

    code, title = "schema_outdated", "The database schema does not match this version"


class ConfigurationError(ActLabError):
    """A setting is wrong or unsafe, so that the process does not start."""

    code, title = "configuration_error", "A setting is not valid"


class InvalidData(ActLabError):
    """A data set is missing, truncated or corrupt."""

    code, title = "invalid_data", "The data set cannot be used"
