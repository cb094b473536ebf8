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


_OF_A_RELU = {
    "epoch": 3,
    "layer": "dense1",
    "position": 2,
    "units": 128,
    "zero_share": 0.553,
    "saturated_share": 0.553,
    "dead_share": 0.0078125,
    "dead_share_confirmed": 0.0,
    "inactive_share": 0.0078125,
    "mean_before": -0.141,
    "sd_before": 1.003,
    "mean_after": 0.337,
    "sd_after": 0.561,
    "gradient_norm": 0.0923,
    "gradient_rms": 8.5e-05,
    "update_ratio": 0.0031,
    "unchanged": False,
    "parameters": {},
    "non_finite": [],
    "attempt": 1,
}

DIAGNOSTICS: dict[str, Any] = {"items": [_OF_A_RELU], "valid_through_epoch": 3, "revision": 128}
