"""Handlers that turn every exception of a request into a problem."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Mount

from service.api.http import problem
from service.api.http.middleware import request_ids
from service.api.http.refusals import as_invalid
from service.domain import errors
from service.domain.comparisons.refusals import Refusal
from service.domain.errors import ActLabError, FieldProblem
from service.domain.problems import field_problems

log = structlog.get_logger(__name__)

KNOWN = (ActLabError, Refusal, RequestValidationError, HTTPException, DBAPIError, PoolTimeout)
"""The exceptions that are expected. Any other is a defect."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The methods of routes; HEAD is answered wherever GET is."""


def add_handlers(app: FastAPI) -> None:
    """Answer every exception with a problem."""
    for kind in (*KNOWN, Exception):
        app.add_exception_handler(kind, _answer)


def _answer(request: Request, error: Exception) -> JSONResponse:
    known = _translated(request, error)
    if known.status < 500:
        return problem.render(known)
    id = request.scope.get(request_ids.KEY, "")
    log.error("request_failed", path=request.url.path, code=known.code, request_id=id, exc_info=error)
    answer = problem.render(known)
    if not isinstance(error, KNOWN):  # answered outside of the middlewares
        answer.headers[request_ids.HEADER.decode()] = id
    return answer


def _translated(request: Request, error: BaseException | None) -> ActLabError:
    match error:
        case ActLabError():
            return error
        case Refusal():
            return as_invalid(error)
        case RequestValidationError():
            return _invalid(error.errors())
        case HTTPException():
            return _http(request, error)
        case DBAPIError() | PoolTimeout():
            return _database(error)
    return ActLabError("The service has a defect; its log has the traceback. Nothing was stored.")


def _invalid(validation_errors: Sequence[Any]) -> ActLabError:
    if any(error["type"] == "json_invalid" for error in validation_errors):
        error = validation_errors[0]
        return errors.MalformedJson(f"{error['ctx']['error']} at character {error['loc'][-1]}.")
    problems = [_located(error) for error in validation_errors[: problem.MOST_PROBLEMS]]
    summary = "; ".join(f"{p.pointer.lstrip('/').replace('/', '.') or 'body'}: {p}" for p in problems[:3])
    more = f"; and {len(validation_errors) - 3} more" if len(validation_errors) > 3 else ""
    return errors.Invalid(f"{summary}{more}.", errors=problems)


def _located(error: Any) -> FieldProblem:
    """Return the problem of a validation error, in whose location FastAPI puts body, query, path or header first."""
    place, *path = error["loc"]
    (field_problem,) = field_problems([{**error, "loc": path}])
    if place != "body":
        # Without the place among the values of a parameter that is repeated.
        field_problem.pointer = ".".join(part for part in path if isinstance(part, str))
    return field_problem


def _http(request: Request, error: HTTPException) -> ActLabError:
    if isinstance(error.__cause__, ActLabError):  # raised while the body was read, and wrapped on its way here
        return error.__cause__
    if error.status_code == 404:
        return errors.NotFound(f"There is nothing at {request.url.path}. /docs lists all routes.")
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        return errors.MethodNotAllowed(f"{request.url.path} takes {allowed}, not {request.method}.", Allow=allowed)
    return errors.MalformedJson(f"The request body cannot be read as JSON: {_why_unreadable(error.__cause__)}.")


def _methods(request: Request) -> list[str]:
    """Return the methods that a path takes: those of all its routes; GET and HEAD for a mounted folder."""
    taken = {method for method in METHODS if any(_takes(route, request, method) for route in request.app.routes)}
    reads = {"GET", "HEAD"} if "GET" in taken or not taken else set()
    return sorted(taken | reads)


def _takes(route: BaseRoute, request: Request, method: str) -> bool:
    match, _ = route.matches({**request.scope, "method": method})
    return match is Match.FULL and not isinstance(route, Mount)


def _why_unreadable(error: BaseException | None) -> str:
    match error:
        case RecursionError():
            return "it is nested too deeply"
        case UnicodeDecodeError():
            return "it is not text in UTF-8"
    return "it contains a number with thousands of digits"


def _database(error: DBAPIError | PoolTimeout) -> ActLabError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
    if isinstance(error, DBAPIError) and not _is_outage(error):
        return ActLabError("The service has a defect; its log has the traceback. Nothing was stored.")
    return errors.DatabaseUnavailable(f"The database does not answer ({reason}). Try again.", Retry_After="5")


def _is_outage(error: DBAPIError) -> bool:
    """Return whether the database is away, busy, full or timed out, and not asked with a wrong statement."""
    if getattr(error.orig, "sqlite_errorname", None) == "SQLITE_ERROR":  # a wrong statement, as an OperationalError
        return False
    return type(error).__name__ in ("OperationalError", "InterfaceError", "InternalError")
