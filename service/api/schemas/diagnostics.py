"""What goes on inside a network: the body of the answer."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from service.api.schemas.base import View
from service.domain.diagnostics import LayerDiagnostics


class LayerView(LayerDiagnostics):
    """One layer after one epoch. Measures that were not asked for are left out. Those that are not defined for the
    activation, or not known, are null; so are those that were infinite or NaN, which `non_finite` names."""

    attempt: int

    @model_serializer(mode="wrap")
    # Without the type that it returns, which would stand in the schema in place of the fields.
    def _asked_for(self, whole: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        fields: dict[str, Any] = whole(self)
        return {name: value for name, value in fields.items() if name in self.model_fields_set}


class DiagnosticsView(View):
    items: list[LayerView] = Field(description="By epoch, from the input to the output.")
    valid_through_epoch: int = Field(description="Drop epochs after this one: a resumed attempt repeats them.")
    revision: int = Field(description="Give it as `since` to get only what changes after this answer.")
