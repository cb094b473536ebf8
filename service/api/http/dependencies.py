"""Every dependency, named once. A dependency loads or answers 404, so that no route repeats it."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, get_origin
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from sqlalchemy.orm import Session

from service.api.http.idempotency import Creation, body_hash
from service.api.http.services import Services
from service.domain.errors import (
    ExperimentNotFound,
    FieldProblem,
    Invalid,
    PreconditionFailed,
    StudyNotFound,
    UnsupportedMediaType,
)
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.records.idempotency import Request as CreatingRequest
from service.storage.studies import records as studies
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study

LOCAL = "local"
"""Who acts, until there are API keys: whoever can reach the server."""


# What needs no thread is `async`: handing a request to the pool and back costs more than a whole poll answered 304.
async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services, scope="function")]


async def _admitted(services: ServicesDep) -> AsyncIterator[None]:
    borrower = object()
    await services.admit(borrower)
    try:
        yield
    finally:
        services.leave(borrower)


Admitted = Annotated[None, Depends(_admitted, scope="function")]


def _read_session(services: ServicesDep, _: Admitted) -> Iterator[Session]:
    with services.database.read() as session:
        yield session


def _write_session(request: Request, services: ServicesDep, _: Admitted) -> Iterator[UnitOfWork]:
    """Commits when the route's function has returned and before the answer is sent; then wakes workers."""
    name = request.scope["route"].name
    with services.database.write(name) as session:
        yield session
    services.feed.wrote(session.changed)
    if session.wakes:
        services.waker.wake(session.wakes)
    services.database.faults.reach(f"{name}.before_answer")


async def _listening(request: Request) -> AsyncIterator[None]:
    with (await services(request)).feed.listening():
        yield


Listening = Annotated[None, Depends(_listening, scope="request")]
"""Until the last byte of the answer is sent."""

# The function scope is what makes a failing commit an error answer instead of a broken promise.
ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
WriteSession = Annotated[UnitOfWork, Depends(_write_session, scope="function")]


async def _principal() -> str:
    return LOCAL


PrincipalDep = Annotated[str, Depends(_principal)]


def locked_experiment(id: UUID, session: WriteSession) -> Experiment:
    """Locked until the commit: what the route decides on its status still holds when it writes."""
    experiment = experiments.find_locked(session, id)
    if experiment is None:
        raise ExperimentNotFound(f"There is no experiment {id}.")
    return experiment


LockedExperiment = Annotated[Experiment, Depends(locked_experiment, scope="function")]


def _locked_study(id: UUID, session: WriteSession) -> Study:
    """Edited, cancelled and deleted by nobody else until the commit."""
    study = studies.find_locked(session, id)
    if study is None:
        raise StudyNotFound(f"There is no study {id}.")
    return study


LockedStudy = Annotated[Study, Depends(_locked_study, scope="function")]

IfMatch = Annotated[str | None, Header(description='The edit_version you have seen, quoted: "3".')]


def check_edit_version(if_match: str | None, edit_version: int) -> None:
    """PreconditionFailed where the client has not seen the newest edit."""
    if if_match is not None and if_match.strip() not in ("*", f'"{edit_version}"'):
        raise PreconditionFailed(f'It is at edit_version "{edit_version}" now, you sent {if_match}. Read it again.')


IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own; the same request sent again with it creates nothing a second time.",
    ),
]


async def _creation(request: Request, principal: PrincipalDep, key: IdempotencyHeader = None) -> Creation:
    if key is None:
        return Creation(None)
    route = f"{request.method} {request.url.path}"
    return Creation(CreatingRequest(principal, key, route, body_hash(await request.body())))


CreationDep = Annotated[Creation, Depends(_creation)]

Wait = Annotated[
    float,
    Query(ge=0, le=30, description="Seconds to wait for a change (with If-None-Match) or for the end (without)."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="Most items on one page.")]


async def only_known_parameters(request: Request) -> None:
    """A parameter that is misspelt, or given twice, is an error: silently ignored, it would answer another question
    than the one asked."""
    if not request.scope["query_string"]:
        return
    known = _parameters(request.scope["route"].dependant)
    given = [name for name, _ in request.query_params.multi_items()]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise _refused("Unknown", unknown, f"There is no such parameter; there are: {takes}", "unknown_parameter")
    repeated = [name for name in request.query_params if given.count(name) > 1 and get_origin(known[name]) is not list]
    if repeated:
        raise _refused("Repeated", repeated, "Give it once", "repeated_parameter")


def _refused(how: str, names: list[str], reason: str, code: str) -> Invalid:
    problems = [FieldProblem(name, reason, code) for name in names]
    return Invalid(f"{how} query parameter {', '.join(map(repr, names))}.", errors=problems)


def _parameters(dependant: Dependant) -> dict[str, Any]:
    """Name and type of each query parameter of a route, those of its dependencies included."""
    found: dict[str, Any] = {}
    for field in dependant.query_params:
        kind: Any = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= {name: each.annotation for name, each in kind.model_fields.items()}
        else:
            found[field.alias] = kind
    for part in dependant.dependencies:
        found |= _parameters(part)
    return found


async def only_json(request: Request) -> None:
    """A body must be declared as JSON: browsers may send other types across sites without asking first."""
    if request.scope["route"].body_field is None:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UnsupportedMediaType(f"Send the body as application/json, not as {kind or 'nothing declared'}.")


EVERY_ROUTE = [Depends(only_known_parameters), Depends(only_json)]
