"""Answers about activations, put together from their definitions."""

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
from service.domain.activations.cost import estimated_cost
from service.domain.activations.parameters import LARGEST_PARAMETER, ParameterValue
from service.domain.activations.properties import Properties, properties
from service.domain.activations.selection import ActivationSpec
from service.domain.formulas.derivatives import derivative_formula
from service.domain.formulas.evaluation import Array, derivative, evaluate
from service.domain.formulas.expression import Expression, formula, is_elementwise
from service.domain.formulas.latex import latex
from service.domain.formulas.parser import parse
from service.storage.records.activations import Registered

PREVIEW_RANGE = (-6.0, 6.0, 241)


@cache
def catalogue_view(name: str) -> ActivationView:
    """A row of the catalogue."""
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
        estimated_cost=estimated_cost(ActivationSpec(name=name)),
        created_at=None,
        archived_at=None,
    )


def registered_view(found: Registered) -> ActivationView:
    """A version of a registered formula."""
    choice = choice_of(found)
    row = choice.definition
    return ActivationView(
        name=found.activation.name,
        version=found.version.version,
        newest_version=found.activation.newest,
        title=found.activation.name,
        formula=found.version.formula,
        computed_as=row.formula,
        same_as=row.name or None,
        latex=_latex(choice),
        **_derivative(row.expression),
        parameters=[_parameter(name, given) for name, given in choice.parameters.items()],
        properties=Properties.model_validate(found.version.properties),
        recommended_initialisation=InitialisationView.model_validate(row.initialisation),
        advice=None,
        known_problem=None,
        named_in_article=False,
        note=found.version.note,
        estimated_cost=estimated_cost(choice),
        created_at=found.version.created_at,
        archived_at=found.activation.archived_at,
    )


def choice_of(found: Registered) -> ActivationSpec:
    """The version as a spec keeps it."""
    version = found.version
    given = {"name": found.activation.name, "version": version.version, "formula": version.formula}
    return ActivationSpec.model_validate({**given, "parameters": version.parameters})


def curve_view(choice: ActivationSpec, start: float, end: float, points: int) -> CurveView:
    x = np.linspace(start, end, points)
    expression, values = choice.definition.expression, choice.values
    if not is_elementwise(expression):
        return CurveView(x=x.tolist(), y=[None] * points, dy=[None] * points)
    y, dy = evaluate(expression, x, values), derivative(expression, x, values)
    return CurveView(x=x.tolist(), y=_finite(y), dy=_finite(dy))


def preview_view(choice: ActivationSpec) -> PreviewView:
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
        estimated_cost=estimated_cost(choice),
    )


def _latex(choice: ActivationSpec) -> str:
    text = choice.formula or choice.definition.formula
    return latex(parse(text, {**choice.parameters, **choice.values}))


def _parameter(name: str, given: ParameterValue) -> ParameterView:
    return ParameterView(
        name=name,
        default=given.value,
        minimum=-LARGEST_PARAMETER,
        maximum=LARGEST_PARAMETER,
        learnable=given.learnable,
        may_learn=True,
    )


def _derivative(expression: Expression) -> dict[str, str | None]:
    found = derivative_formula(expression)
    if found is None:
        return {"derivative": None, "derivative_latex": None}
    return {"derivative": formula(found), "derivative_latex": latex(found)}


def _finite(values: Array) -> list[float | None]:
    shown = zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
    return [value if is_finite else None for value, is_finite in shown]
