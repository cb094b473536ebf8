"""Routes of activations."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.http import conditional
from service.api.http.dependencies import CreationDep, PrincipalDep, ReadSession, WriteSession
from service.api.http.guarded import GuardedRoute
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

router = APIRouter(prefix="/activations", tags=["activations"], route_class=GuardedRoute)

NOT_FOUND = responses(404)
FARTHEST = 1e6

Name = Annotated[
    str, Path(pattern=NAME, max_length=LONGEST_NAME, description="A name of the catalogue, or of a registered formula.")
]
Version = Annotated[
    int | None, Query(ge=1, le=LATEST_VERSION, description="The version of a registered formula. Default: the newest.")
]
Start = Annotated[
    float, Query(alias="from", ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False, description="The first x.")
]
End = Annotated[float, Query(alias="to", ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False, description="The last x.")]
Points = Annotated[int, Query(ge=2, le=2001, description="The number of points, which are evenly spaced.")]
ParametersText = Annotated[
    Text | None,
    Query(
        max_length=1000,
        description="A JSON object of the parameters that differ from their defaults.",
        examples=['{"beta": 2}'],
    ),
]
SeenVersion = Annotated[
    str | None, Header(alias="If-Match", description='The newest version that you have read, quoted: "3".')
]


class ActivationListQuery(BaseModel):
    """The filter and page of a list of activations."""

    model_config = ConfigDict(extra="forbid")

    archived: bool = Field(False, description="Include archived formulas.")
    limit: int = Field(
        50,
        ge=1,
        le=100,
        description="The most registered formulas on a page. The first page has the whole catalogue too.",
    )
    cursor: Text | None = Field(None, description="The `next_cursor` of the page before; the filter must be the same.")

    @property
    def filter(self) -> activations.Filter:
        return activations.Filter(self.archived)


@router.get("", responses=NOT_MODIFIED, response_model=Page[ActivationView])
@needs(Role.VIEWER)
def list_activations(
    request: Request, query: Annotated[ActivationListQuery, Query()], session: ReadSession
) -> Response:
    """List all activation functions with their properties: the catalogue first, then the newest versions of registered
    formulas."""
    after = position_after(query.cursor, query.filter, "id")
    page = activations.page(session, query.filter, limit=query.limit, after=after)
    cursor = next_cursor(page, query.filter, "id")
    catalogue = [activation_views.catalogue_view(name) for name in CATALOGUE] if after is None else []
    items = [*catalogue, *map(activation_views.registered_view, page.items)]
    return conditional.hashed(request, Page[ActivationView](items=items, next_cursor=cursor))


@router.post("", status_code=201, responses=WITH_BODY | responses(409))
@needs(Role.SUBMITTER)
def register_activation(
    new: NewActivation, session: WriteSession, principal: PrincipalDep, creation: CreationDep, response: Response
) -> ActivationView:
    """Register a formula under a name, as version 1, for specs to use."""
    if new.name in CATALOGUE:
        raise NameTaken(f"{new.name!r} is a function of the catalogue. Choose another name.")
    measured = _properties(new)  # before the transaction begins, which others wait for
    name = creation.once_named(
        session,
        response,
        "activations",
        new.name,
        lambda: _register(session, principal, new, measured),
        status=201,
    )
    return activation_views.registered_view(_load(session, name))


@router.post("/preview", responses=WITH_BODY)
@needs(Role.VIEWER)
def preview_activation(choice: ChoiceDep) -> PreviewView:
    """Compute the derivative, properties, curve and estimated cost of a formula. Nothing is stored."""
    return activation_views.preview_view(choice)


@router.get("/{name}", responses=NOT_FOUND | NOT_MODIFIED, response_model=ActivationView)
@needs(Role.VIEWER)
def get_activation(name: Name, request: Request, session: ReadSession, version: Version = None) -> Response:
    """Read a function of the catalogue, or a registered formula in its newest version or in `version`."""
    if name in CATALOGUE and version is None:
        return conditional.hashed(request, activation_views.catalogue_view(name))
    registered = _load(session, name, version)
    return conditional.hashed(request, activation_views.registered_view(registered))


@router.put("/{name}", responses=NOT_FOUND | WITH_BODY | responses(409, 412))
@needs(Role.SUBMITTER)
def edit_activation(
    name: Name, new: NewVersion, session: WriteSession, principal: PrincipalDep, if_match: SeenVersion = None
) -> ActivationView:
    """Register another formula under a name, as its next version. A formula equal to the newest version adds none. An
    archived name becomes active again. Experiments keep the version that they were submitted with."""
    measured = _properties(new)
    registered = _load_changeable(session, name)
    _check_newest(if_match, registered.activation.newest)
    if activations.holds(registered.version, new):
        activations.restore(session, registered.activation)
    else:
        registered = activations.add_version(session, registered.activation, principal, new, measured)
    return activation_views.registered_view(registered)


@router.delete("/{name}", status_code=204, response_class=Response, responses=NOT_FOUND | responses(409))
@needs(Role.SUBMITTER)
def archive_activation(name: Name, session: WriteSession) -> None:
    """Archive a registered name: lists leave it out, and new specs cannot use it. Its versions can still be read,
    because experiments show them. PUT makes it active again."""
    activations.archive(session, _load_changeable(session, name).activation)


@router.get("/{name}/curve", responses=NOT_FOUND)
@needs(Role.VIEWER)
def get_curve(
    name: Name,
    session: ReadSession,
    version: Version = None,
    start: Start = -6.0,
    end: End = 6.0,
    points: Points = 241,
    parameters: ParametersText = None,
) -> CurveView:
    """Read points of the graph of a function and of its derivative."""
    if name not in CATALOGUE or version is not None:
        _load(session, name, version)
    if start >= end:
        problem = FieldProblem("to", f"Must be more than from, which is {start:g}", "empty_range", end)
        raise Invalid(f"to: {problem}.", errors=[problem])
    return activation_views.curve_view(_with_parameters(session, name, version, parameters), start, end, points)


def _register(session: Session, principal: str, new: NewActivation, measured: Properties) -> None:
    if not activations.create(session, principal, new, measured):
        remedy = f"PUT /api/v1/activations/{new.name} gives it a new version; or choose another name."
        raise NameTaken(f"{new.name!r} is registered. {remedy}")


def _properties(new: NewVersion) -> Properties:
    selection = new.selection
    return properties(selection.definition.expression, selection.values)


def _check_newest(if_match: str | None, newest: int) -> None:
    if if_match is not None and if_match.strip() not in ("*", f'"{newest}"'):
        raise PreconditionFailed(f'Its newest version is "{newest}", you sent {if_match}.')


def _load_changeable(session: Session, name: str) -> Registered:
    """Return a registered name, locked. Raises NotChangeable for the catalogue's, and ActivationNotFound."""
    if name in CATALOGUE:
        raise NotChangeable(f"{name!r} is a function of the catalogue: register a formula under another name.")
    registered = activations.find_locked(session, name)
    if registered is None:
        raise _not_found(name, None)
    return registered


def _load(session: Session, name: str, version: int | None = None) -> Registered:
    registered = activations.find(session, name, version)
    if registered is None:
        raise _not_found(name, version)
    return registered


def _not_found(name: str, version: int | None) -> ActivationNotFound:
    subject = f"{name!r}" if version is None else f"version {version} of {name!r}"
    return ActivationNotFound(
        f"No activation {subject} is registered; the catalogue has {', '.join(sorted(CATALOGUE))}."
    )


def _with_parameters(session: Session, name: str, version: int | None, parameters: str | None) -> ActivationSpec:
    """Return the named function with parameters from a query. Raises Invalid for parameters that it cannot take."""
    choice = {"name": name, "version": version, "parameters": _object(parameters or "{}")}
    try:
        return ActivationSpec.model_validate(choice, context={REGISTRY: StoredRegistry(session, archived=True)})
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
