"""Examples of answers about activations: what the API answers, shortened where it is long."""

from pydantic import BaseModel

from service.api.schemas.activations import ActivationView
from service.api.schemas.base import Page
from service.api.views.activations import catalogue_view, curve_view, preview_view
from service.domain.activations.selection import ActivationSpec
from service.domain.activations.selection_schema import FORMULA_EXAMPLE

_SWISH = catalogue_view("swish")
_FORMULA = ActivationSpec.model_validate(FORMULA_EXAMPLE)
_CURVE = curve_view(_FORMULA, -1, 1, 3)

ACTIVATIONS: list[BaseModel] = [
    _SWISH,
    Page[ActivationView](items=[_SWISH], next_cursor=None),
    _CURVE,
    preview_view(_FORMULA).model_copy(update={"curve": _CURVE}),
]
