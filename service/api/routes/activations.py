"""Routes of activations."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from service.api.http import conditional
from service.api.http.dependencies import CreationDep, PrincipalDep, ReadSession, WriteSession
from service.api.http.pagination import next_cursor, position_after
from service.api.http.problem import WITH_BODY, responses
from service.api.http.specs import ChoiceDep
from service.api.routes.experiments import NOT_MODIFIED
from service.api.schemas.activations import ActivationView, CurveView, PreviewView
from service.api.schemas.base import Page
from service.api.views import activations as activation_views
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.properties import Properties, properties
from service.domain.activations.registration import NewActivation, NewVersion
from service.domain.activations.registry import LATEST_VERSION, LONGEST_NAME, NAME, REGISTRY
from service.domain.activations.selection import ActivationSpec
from service.domain.errors import (
    ActivationNotFound,
    FieldProblem,
    Invalid,
    NameTaken,
    NotChangeable,
    PreconditionFailed,
)
from service.domain.problems import field_problems
from service.domain.text import Text
from service.storage.records import activations
from service.storage.records.activations import Registered, StoredRegistry

router = APIRouter(prefix="/activations", tags=["activations"])

NOT_FOUND = responses(404)
FARTHEST = 1e6

Name = Annotated[
    str, Path(pattern=NAME, max_length=LONGEST_NAME, description="As the catalogue lists it, or as it is registered.")
]
Version = Annotated[
    int | None, Query(ge=1, le=LATEST_VERSION, description="Of a registered activation; the newest unless given.")
]
Start = Annotated[
    float, Query(alias="from", ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False, description="The first x.")
]
End = Annotated[float, Query(alias="to", ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False, description="The last x.")]
Points = Annotated[int, Query(ge=2, le=2001, description="How many points, evenly spaced.")]
ParametersText = Annotated[
    Text | None,
    Query(
        max_length=1000,
        description="A JSON object of parameters that differ from the defaults.",
        examples=['{"beta": 2}'],
    ),
]
SeenVersion = Annotated[
    str | None, Header(alias="If-Match", description='The newest version that you have seen, quoted: "3".')
]


class ActivationListQuery(BaseModel):
    """Which activations, and which page."""

    model_config = ConfigDict(extra="forbid")

    archived: bool = Field(False, description="Archived ones too.")
    limit: int = Field(50, ge=1, le=100, description="Most registered ones on a page; the catalogue is on the first.")
    cursor: Text | None = Field(None, description="The `next_cursor` of the page before, with the same filter.")

    @property
    def filter(self) -> activations.Filter:
        return activations.Filter(self.archived)


@router.get("", responses=NOT_MODIFIED, response_model=Page[ActivationView])
def list_activations(
    request: Request, query: Annotated[ActivationListQuery, Query()], session: ReadSession
) -> Response:
    """Every function to choose from, with what is known of it: the whole catalogue first, then registered formulas in
    their newest versions."""
    after = position_after(query.cursor, query.filter, "id")
    page = activations.page(session, query.filter, limit=query.limit, after=after)
    cursor = next_cursor(page, query.filter, "id")
    catalogue = [activation_views.catalogue_view(name) for name in CATALOGUE] if after is None else []
    items = [*catalogue, *map(activation_views.registered_view, page.items)]
    return conditional.hashed(request, Page[ActivationView](items=items, next_cursor=cursor))


@router.post("", status_code=201, responses=WITH_BODY | responses(409))
def register_activation(
    new: NewActivation, session: WriteSession, principal: PrincipalDep, creation: CreationDep, response: Response
) -> ActivationView:
    """Register a formula under a name, as its version 1, for specs to use."""
    if new.name in CATALOGUE:
        raise NameTaken(f"{new.name!r} is a function of the catalogue. Choose another name.")
    table = _measured(new)  # before the transaction begins, which holds others up
    name = creation.once_named(
        session,
        response,
        "activations",
        new.name,
        lambda: _register(session, principal, new, table),
        status=201,
    )
    return activation_views.registered_view(_found(activations.find(session, name), name))


@router.post("/preview", responses=WITH_BODY)
def preview_activation(choice: ChoiceDep) -> PreviewView:
    """What a formula is: derivative, properties, curve and an estimate of its cost. Nothing is stored."""
    return activation_views.preview_view(choice)


@router.get("/{name}", responses=NOT_FOUND | NOT_MODIFIED, response_model=ActivationView)
def get_activation(name: Name, request: Request, session: ReadSession, version: Version = None) -> Response:
    """One function: of the catalogue, or registered, in its newest version or in the one given."""
    if name in CATALOGUE and version is None:
        return conditional.hashed(request, activation_views.catalogue_view(name))
    found = _found(activations.find(session, name, version), name, version)
    return conditional.hashed(request, activation_views.registered_view(found))


@router.put("/{name}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
def edit_activation(
    name: Name, new: NewVersion, session: WriteSession, principal: PrincipalDep, if_match: SeenVersion = None
) -> ActivationView:
    """Give a registered name another formula, as its next version. The one that it has changes nothing, and an archived
    name is back either way. Experiments keep the version that they were submitted with."""
    table = _measured(new)
    found = _changeable(session, name)
    if if_match is not None and if_match.strip() not in ("*", f'"{found.activation.newest}"'):
        raise PreconditionFailed(f'Its newest version is "{found.activation.newest}", you sent {if_match}.')
    if activations.holds(found.version, new):
        activations.restore(session, found.activation)
    else:
        found = activations.add_version(session, found.activation, principal, new, table)
    return activation_views.registered_view(found)


@router.delete("/{name}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
def archive_activation(name: Name, session: WriteSession) -> None:
    """Take a registered name out of lists and from new specs. It is never given to another formula: experiments show
    it, and its versions can still be read. PUT brings it back."""
    activations.archive(session, _changeable(session, name).activation)


@router.get("/{name}/curve", responses=NOT_FOUND)
def get_curve(
    name: Name,
    session: ReadSession,
    version: Version = None,
    start: Start = -6.0,
    end: End = 6.0,
    points: Points = 241,
    parameters: ParametersText = None,
) -> CurveView:
    """Points of the graph of a function and of its derivative."""
    if name not in CATALOGUE or version is not None:
        _found(activations.find(session, name, version), name, version)
    if start >= end:
        problem = FieldProblem("to", f"Must be more than from, which is {start:g}", "empty_range", end)
        raise Invalid(f"to: {problem}.", errors=[problem])
    return activation_views.curve_view(_with(session, name, version, parameters), start, end, points)


def _register(session: Session, principal: str, new: NewActivation, table: Properties) -> None:
    if not activations.create(session, principal, new, table):
        remedy = f"PUT /api/v1/activations/{new.name} gives it a new version; or choose another name."
        raise NameTaken(f"{new.name!r} is registered. {remedy}")


def _measured(new: NewVersion) -> Properties:
    choice = new.selection
    return properties(choice.definition.expression, choice.values)


def _changeable(session: Session, name: str) -> Registered:
    if name in CATALOGUE:
        raise NotChangeable(f"{name!r} is a function of the catalogue: register a formula under another name.")
    return _found(activations.find_locked(session, name), name)


def _found(found: Registered | None, name: str, version: int | None = None) -> Registered:
    if found is None:
        which = f"{name!r}" if version is None else f"version {version} of {name!r}"
        known = ", ".join(sorted(CATALOGUE))
        raise ActivationNotFound(f"No activation {which} is registered; the catalogue has {known}.")
    return found


def _with(session: Session, name: str, version: int | None, parameters: str | None) -> ActivationSpec:
    """The named function with parameters from a query. Invalid, naming `parameters`, for any that it cannot take."""
    given = {"name": name, "version": version, "parameters": _object(parameters or "{}")}
    try:
        return ActivationSpec.model_validate(given, context={REGISTRY: StoredRegistry(session, archived=True)})
    except ValidationError as error:
        problems = field_problems(error.errors())
    for problem in problems:
        problem.pointer = "parameters"
    raise Invalid(f"parameters: {problems[0]}.", errors=problems)


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        problem = FieldProblem("parameters", "Should be a JSON object", "json_invalid", text)
        raise Invalid(f"parameters: {problem}.", errors=[problem]) from None
