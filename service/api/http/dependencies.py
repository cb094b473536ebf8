"""The dependencies of routes, each named once as an Annotated alias."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, get_origin
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette._utils import get_route_path

from service.access.principals import Principal
from service.api.http import submissions
from service.api.http.guarded import require
from service.api.http.idempotency import Creation, body_hash
from service.api.http.loading import load_experiment, load_result, load_study
from service.api.http.services import Services
from service.domain.errors import (
    FieldProblem,
    Invalid,
    PreconditionFailed,
    UnsupportedMediaType,
)
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import audit
from service.storage.records.audit import Sender as AuditSender
from service.storage.records.idempotency import Request as CreatingRequest
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import Study


# Dependencies that need no thread are `async`: a thread of the pool costs more than all of a poll answered with 304.
async def services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


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
    """Commit when the route's function has returned and before the answer is sent; then wake workers."""
    name = request.scope["route"].name
    with services.database.write(name) as session:
        yield session
        submissions.check(session, services, request.scope["principal"])
        if session.audited:
            audit.record(session, sender_of(request), session.details)
    services.wrote(session)
    services.database.faults.reach(f"{name}.before_answer")


def sender_of(request: Request) -> AuditSender:
    """Return who sends a request, for the audit."""
    client = request.scope.get("client")
    address = client[0] if client else None
    return AuditSender(request.scope["principal"], request.scope["route"].name, get_route_path(request.scope), address)


async def _listening(request: Request) -> AsyncIterator[None]:
    with (await services(request)).feed.listening():
        yield


Listening = Annotated[None, Depends(_listening, scope="request")]
"""Counts as a listener until the last byte of the answer is sent."""

# With the function scope, a commit that fails is answered with an error; later, the answer would have been sent.
ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
WriteSession = Annotated[UnitOfWork, Depends(_write_session, scope="function")]


async def _sender(request: Request) -> Principal:
    principal: Principal = request.scope["principal"]
    return principal


async def _principal(request: Request) -> str:
    return (await _sender(request)).id


async def _audited(request: Request) -> AuditSender:
    return sender_of(request)


AuditSenderDep = Annotated[AuditSender, Depends(_audited)]
SenderDep = Annotated[Principal, Depends(_sender)]
PrincipalDep = Annotated[str, Depends(_principal)]
"""The id of the sender, which records keep."""


async def _dry_run(
    request: Request,
    dry_run: Annotated[bool, Query(description="Change nothing; answer with what the request would do.")] = False,
) -> bool:
    """Return whether a request is a dry run. Raises Forbidden where it is none and the sender may only try it."""
    if not dry_run:
        require(request.scope["principal"], request.scope["route"].endpoint.role)
    return dry_run


DryRun = Annotated[bool, Depends(_dry_run)]


def _experiment(id: UUID, session: ReadSession) -> Experiment:
    return load_experiment(session, id)


def _locked_experiment(id: UUID, session: WriteSession) -> Experiment:
    return load_experiment(session, id, lock=True)


def _result(id: UUID, session: ReadSession) -> Result:
    return load_result(session, id)


def _locked_study(id: UUID, session: WriteSession) -> Study:
    return load_study(session, id, lock=True)


ExperimentDep = Annotated[Experiment, Depends(_experiment, scope="function")]
ResultDep = Annotated[Result, Depends(_result, scope="function")]
LockedExperiment = Annotated[Experiment, Depends(_locked_experiment, scope="function")]
LockedStudy = Annotated[Study, Depends(_locked_study, scope="function")]
"""Locked until the commit: the status that the route decides on still holds when it writes."""

IfMatch = Annotated[str | None, Header(description='The newest `edit_version` that you have read, quoted: "3".')]


def check_edit_version(if_match: str | None, edit_version: int) -> None:
    """Raise PreconditionFailed if the client has not read the newest edit."""
    if if_match is not None and if_match.strip() not in ("*", f'"{edit_version}"'):
        raise PreconditionFailed(f'The newest edit_version is "{edit_version}", you sent {if_match}. Read it again.')


IdempotencyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A text that you choose. The same request sent again with it creates nothing a second time.",
    ),
]


async def _creation(request: Request, principal: PrincipalDep, key: IdempotencyHeader = None) -> Creation:
    root = request.scope.get("root_path", "")
    if key is None:
        return Creation(None, root)
    route = f"{request.method} {get_route_path(request.scope)}"
    return Creation(CreatingRequest(principal, key, route, body_hash(await request.body())), root)


CreationDep = Annotated[Creation, Depends(_creation)]

Wait = Annotated[
    float,
    Query(ge=0, le=30, description="Seconds to wait: with If-None-Match for a change, without it for the end."),
]
Limit = Annotated[int, Query(ge=1, le=500, description="The most items on one page.")]


async def only_known_parameters(request: Request) -> None:
    """Refuse query parameters that are unknown or repeated: if they were ignored, the answer would be to another
    question."""
    if not request.scope["query_string"]:
        return
    known = _parameters(request.scope["route"].dependant)
    names = [name for name, _ in request.query_params.multi_items()]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise _refused("Unknown", unknown, f"There is no such parameter; the route takes: {takes}", "unknown_parameter")
    repeated = [name for name in request.query_params if names.count(name) > 1 and get_origin(known[name]) is not list]
    if repeated:
        raise _refused("Repeated", repeated, "Give it once", "repeated_parameter")


def _refused(how: str, names: list[str], reason: str, code: str) -> Invalid:
    problems = [FieldProblem(name, reason, code) for name in names]
    return Invalid(f"{how} query parameter {', '.join(map(repr, names))}.", errors=problems)


def _parameters(dependant: Dependant) -> dict[str, Any]:
    """Return the name and type of each query parameter of a route and of its dependencies."""
    parameters: dict[str, Any] = {}
    for field in dependant.query_params:
        kind: Any = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            parameters |= {name: info.annotation for name, info in kind.model_fields.items()}
        else:
            parameters[field.alias] = kind
    for part in dependant.dependencies:
        parameters |= _parameters(part)
    return parameters


async def only_json(request: Request) -> None:
    """Refuse bodies that are not declared as JSON: browsers send other types to other sites without asking first."""
    if request.scope["route"].body_field is None:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))):
        raise UnsupportedMediaType(f"Send the body as application/json, not as {kind or 'an undeclared type'}.")


EVERY_ROUTE = [Depends(only_known_parameters), Depends(only_json)]
