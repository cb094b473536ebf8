"""Bodies of answers about the diagnostics of a network's layers."""

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from service.api.schemas.base import View
from service.domain.diagnostics import LayerDiagnostics


class LayerView(LayerDiagnostics):
    """The diagnostics of one layer after one epoch.

    Measures that the request does not select are left out. A measure is null if it is not defined for the activation,
    if it was not taken, or if it was infinite or NaN; `non_finite` names the last kind.
    """

    attempt: int

    @model_serializer(mode="wrap")
    # Without a return type, which would replace the fields in the schema.
    def _selected(self, whole: SerializerFunctionWrapHandler):  # type: ignore[no-untyped-def]
        fields: dict[str, Any] = whole(self)
        return {name: value for name, value in fields.items() if name in self.model_fields_set}


class DiagnosticsView(View):
    """The diagnostics of an experiment's layers, epoch by epoch."""

    items: list[LayerView] = Field(description="By epoch, and within it by layer from the input to the output.")
    valid_through_epoch: int = Field(description="Drop epochs after this one: a resumed attempt trains them again.")
    revision: int = Field(description="Send it as `since` to get only what changes after this answer.")
