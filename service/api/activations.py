"""Routes of activations."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError

from service.api import activation_views
from service.api.activation_schemas import ActivationsView, ActivationView, CurveView, PreviewView
from service.api.problem import WITH_BODY, responses
from service.domain.activations.choice import ActivationSpec, SpeltOutActivation
from service.domain.errors import FieldProblem, Invalid
from service.domain.problems import field_problems
from service.domain.text import Text

router = APIRouter(prefix="/activations", tags=["activations"])

NOT_FOUND = responses(404)
FARTHEST = 1e6

Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_]*$", max_length=60, description="As the catalogue lists it.")]
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


@router.get("")
def list_activations() -> ActivationsView:
    """The catalogue: every function with its formula, derivative, parameters, computed properties and advice."""
    return activation_views.catalogue_view()


@router.post("/preview", responses=WITH_BODY)
def preview_activation(choice: SpeltOutActivation) -> PreviewView:
    """What a formula is: derivative, properties, curve and an estimate of its cost. Nothing is stored."""
    return activation_views.preview_view(choice)


@router.get("/{name}", responses=NOT_FOUND)
def get_activation(name: Name) -> ActivationView:
    """One function of the catalogue."""
    return activation_views.activation_view(name)


@router.get("/{name}/curve", responses=NOT_FOUND)
def get_curve(
    name: Name, start: Start = -6.0, end: End = 6.0, points: Points = 241, parameters: ParametersText = None
) -> CurveView:
    """Points of the graph of a function and of its derivative."""
    activation_views.activation_view(name)
    if start >= end:
        problem = FieldProblem("to", f"Must be more than from, which is {start:g}", "empty_range", end)
        raise Invalid(f"to: {problem}.", errors=[problem])
    return activation_views.curve_view(_with(name, parameters), start, end, points)


def _with(name: str, parameters: str | None) -> ActivationSpec:
    """The named function with parameters from a query. Invalid, naming `parameters`, for any that it cannot take."""
    try:
        return ActivationSpec.model_validate({"name": name, "parameters": _object(parameters or "{}")})
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
