"""Views of activations, built from their definitions."""

from functools import cache

import numpy as np

from service.api.schemas.activations import (
    ActivationView,
    AdviceView,
    CurveView,
    GivenParameterView,
    InitialisationView,
    ParameterView,
    PreviewView,
)
from service.domain.activations.catalogue import CATALOGUE
from service.domain.activations.cost import EstimatedCost, estimated_cost
from service.domain.activations.parameters import LARGEST_PARAMETER, ParameterValue
from service.domain.activations.properties import Properties, properties
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.derivatives import derivative_formula
from service.domain.formulas.evaluation import Array, derivative, evaluate
from service.domain.formulas.expression import Expression, formula, is_elementwise
from service.domain.formulas.latex import latex
from service.domain.formulas.parser import parse
from service.domain.network import activated_elements
from service.domain.spec import ExperimentSpec
from service.storage.records.activations import Registered

PREVIEW_RANGE = (-6.0, 6.0, 241)
_DEFAULT_NETWORK = ExperimentSpec.model_validate({"activation": "relu"})


@cache
def catalogue_view(name: str) -> ActivationView:
    """Return the view of a function of the catalogue."""
    row = CATALOGUE[name]
    return ActivationView(
        name=row.name,
        version=None,
        newest_version=None,
        title=row.title,
        formula=row.formula,
        computed_as=row.formula,
        same_as=row.name,
        latex=latex(row.expression),
        **_derivative(row.expression),
        parameters=[ParameterView.model_validate(parameter) for parameter in row.parameters],
        properties=properties(row.expression, row.values()),
        recommended_initialisation=InitialisationView.model_validate(row.initialisation),
        advice=row.advice and AdviceView.model_validate(row.advice),
        known_problem=row.known_problem and AdviceView.model_validate(row.known_problem),
        named_in_article=row.named_in_article,
        note=row.note,
        estimated_cost=_cost(ActivationSpec(name=name)),
        created_at=None,
        archived_at=None,
    )


def registered_view(registered: Registered) -> ActivationView:
    """Return the view of a version of a registered formula."""
    choice = choice_of(registered)
    row = choice.definition
    return ActivationView(
        name=registered.activation.name,
        version=registered.version.version,
        newest_version=registered.activation.newest,
        title=registered.activation.name,
        formula=registered.version.formula,
        computed_as=row.formula,
        same_as=row.name or None,
        latex=_latex(choice),
        **_derivative(row.expression),
        parameters=[_parameter(name, value) for name, value in choice.parameters.items()],
        properties=Properties.model_validate(registered.version.properties),
        recommended_initialisation=InitialisationView.model_validate(row.initialisation),
        advice=None,
        known_problem=None,
        named_in_article=False,
        note=registered.version.note,
        estimated_cost=_cost(choice),
        created_at=registered.version.created_at,
        archived_at=registered.activation.archived_at,
    )


def choice_of(registered: Registered) -> ActivationSpec:
    """Return a version as the spec that uses it stores it."""
    version = registered.version
    spec = {"name": registered.activation.name, "version": version.version, "formula": version.formula}
    return ActivationSpec.model_validate({**spec, "parameters": version.parameters})


def curve_view(choice: ActivationSpec, start: float, end: float, points: int) -> CurveView:
    """Return `points` evenly spaced points of a function and of its derivative, from `start` to `end`."""
    x = np.linspace(start, end, points)
    expression, values = choice.definition.expression, choice.values
    if not is_elementwise(expression):
        return CurveView(x=x.tolist(), y=[None] * points, dy=[None] * points)
    y, dy = evaluate(expression, x, values), derivative(expression, x, values)
    return CurveView(x=x.tolist(), y=_finite(y), dy=_finite(dy))


def preview_view(choice: ActivationSpec) -> PreviewView:
    """Return the properties, curve and cost of a function that a spec could use."""
    row, values = choice.definition, choice.values
    return PreviewView(
        formula=choice.formula or row.formula,
        computed_as=row.formula,
        same_as=row.name or None,
        latex=_latex(choice),
        **_derivative(row.expression),
        parameters={name: GivenParameterView.model_validate(p) for name, p in choice.parameters.items()},
        properties=properties(row.expression, values),
        curve=curve_view(choice, *PREVIEW_RANGE),
        estimated_cost=_cost(choice),
    )


def _cost(choice: ActivationSpec) -> EstimatedCost:
    """Estimate the cost in the default network, on the default data set and at the default batch size."""
    return estimated_cost(choice, activated_elements(_DEFAULT_NETWORK))


def _latex(choice: ActivationSpec) -> str:
    text = choice.formula or choice.definition.formula
    return latex(parse(text, {**choice.parameters, **choice.values}))


def _parameter(name: str, parameter: ParameterValue) -> ParameterView:
    return ParameterView(
        name=name,
        default=parameter.value,
        minimum=-LARGEST_PARAMETER,
        maximum=LARGEST_PARAMETER,
        learnable=parameter.learnable,
        may_learn=True,
    )


def _derivative(expression: Expression) -> dict[str, str | None]:
    derivative = derivative_formula(expression)
    if derivative is None:
        return {"derivative": None, "derivative_latex": None}
    return {"derivative": formula(derivative), "derivative_latex": latex(derivative)}


def _finite(values: Array) -> list[float | None]:
    shown = zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
    return [value if is_finite else None for value, is_finite in shown]
