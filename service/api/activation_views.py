"""Answers about activations, put together from their definitions."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from service.api.activation_schemas import (
    ActivationsView,
    ActivationView,
    AdviceView,
    CurveView,
    GivenParameterView,
    InitialisationView,
    ParameterView,
    PreviewView,
)
from service.domain.activations import CATALOGUE, Expression, derivative, evaluate, formula
from service.domain.activations.choice import FORMULA_EXAMPLE, ActivationSpec
from service.domain.activations.cost import estimated_cost
from service.domain.activations.expression import is_elementwise
from service.domain.activations.language import parse
from service.domain.activations.latex import latex
from service.domain.activations.numeric import Array
from service.domain.activations.properties import properties
from service.domain.activations.symbolic import derivative_formula
from service.domain.errors import ActivationNotFound

PREVIEW_RANGE = (-6.0, 6.0, 241)


def catalogue_view() -> ActivationsView:
    return ActivationsView(items=[activation_view(name) for name in CATALOGUE])


@cache
def activation_view(name: str) -> ActivationView:
    """ActivationNotFound for a name that the catalogue does not have."""
    if name not in CATALOGUE:
        raise ActivationNotFound(f"The catalogue has no activation {name!r}; it has {', '.join(sorted(CATALOGUE))}.")
    row = CATALOGUE[name]
    return ActivationView(
        name=row.name,
        title=row.title,
        formula=row.formula,
        latex=latex(row.expression),
        **_derivative(row.expression),
        parameters=[ParameterView.model_validate(parameter) for parameter in row.parameters],
        properties=properties(row.expression, row.values()),
        recommended_initialisation=InitialisationView.model_validate(row.initialisation),
        advice=row.advice and AdviceView.model_validate(row.advice),
        named_in_article=row.named_in_article,
        note=row.note,
    )


def curve_view(choice: ActivationSpec, start: float, end: float, points: int) -> CurveView:
    x = np.linspace(start, end, points)
    expression, values = choice.definition.expression, choice.values
    if not is_elementwise(expression):
        return CurveView(x=x.tolist(), y=[None] * points, dy=[None] * points)
    y, dy = evaluate(expression, x, values), derivative(expression, x, values)
    return CurveView(x=x.tolist(), y=_finite(y), dy=_finite(dy))


def preview_view(choice: ActivationSpec) -> PreviewView:
    row, values = choice.definition, choice.values
    text = choice.formula or row.formula
    return PreviewView(
        formula=text,
        computed_as=row.formula,
        same_as=row.name or None,
        latex=latex(parse(text, {**choice.parameters, **values})),
        **_derivative(row.expression),
        parameters={name: GivenParameterView.model_validate(p) for name, p in choice.parameters.items()},
        properties=properties(row.expression, values),
        curve=curve_view(choice, *PREVIEW_RANGE),
        estimated_cost=estimated_cost(row.expression, fused=bool(row.name)),
    )


def _derivative(expression: Expression) -> dict[str, str | None]:
    found = derivative_formula(expression)
    if found is None:
        return {"derivative": None, "derivative_latex": None}
    return {"derivative": formula(found), "derivative_latex": latex(found)}


def _finite(values: Array) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]


def _examples() -> Mapping[str, Any]:
    """Real answers, shortened where they are long."""
    swish = activation_view("swish").model_dump(mode="json")
    choice = ActivationSpec.model_validate(FORMULA_EXAMPLE)
    curve = curve_view(choice, -1, 1, 3).model_dump(mode="json")
    preview = preview_view(choice).model_dump(mode="json") | {"curve": curve}
    return {"ActivationView": swish, "ActivationsView": {"items": [swish]}, "CurveView": curve, "PreviewView": preview}


EXAMPLES = _examples()
