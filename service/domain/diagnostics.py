"""Diagnostics: measures inside a network, one record an epoch and layer. docs/diagnostics.md defines them."""

import math
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from service.domain.network import HEAD, LAYER_NAMES, LAYER_PATTERN, convolution_name, dense_name

Measure = Literal[
    "zero_share",
    "saturated_share",
    "dead_share",
    "dead_share_confirmed",
    "inactive_share",
    "mean_before",
    "sd_before",
    "mean_after",
    "sd_after",
    "gradient_norm",
    "gradient_rms",
    "update_ratio",
    "unchanged",
    "parameters",
]
MEASURES: tuple[Measure, ...] = get_args(Measure)


def _share(description: str) -> Any:
    return Field(None, ge=0, le=1, description=description)


class LayerDiagnostics(BaseModel):
    """One layer after one epoch; epoch 0 is the start. A measure that is not defined for the activation, or not known,
    is null; one that came out infinite or NaN is null too, and named in `non_finite`."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)

    epoch: int = Field(ge=0, description="Epoch; 0 is the network at initialisation.")
    layer: str = Field(
        pattern=LAYER_PATTERN,
        description=f"Name of the layer: {LAYER_NAMES}.",
        examples=[convolution_name(1), dense_name(1), HEAD],
    )
    position: int = Field(ge=0, description="Place of the layer, from 0 at the input.")
    units: int = Field(ge=1, description="Channels or neurons.")
    zero_share: float | None = _share("Share of the elements after the activation that are exactly 0.")
    saturated_share: float | None = _share(
        "Share of the elements where the activation is flat: its slope is at most 0.005 of the steepest."
    )
    dead_share: float | None = _share(
        "Share of the units that are below 0 and saturated for every image of the probe; only for functions flat on the"
        " left."
    )
    dead_share_confirmed: float | None = _share(
        "Share of the units that are dead for every image of the training set; only at the last epoch."
    )
    inactive_share: float | None = _share(
        "Share of the units that are never above 0; only for functions flat, or less steep, on the left."
    )
    mean_before: float | None = Field(
        None, description="Mean of the elements before the activation, over images, positions and units."
    )
    sd_before: float | None = Field(None, ge=0, description="Standard deviation of the same elements.")
    mean_after: float | None = Field(None, description="Mean of the elements after the activation, before pooling.")
    sd_after: float | None = Field(None, ge=0, description="Standard deviation of the same elements.")
    gradient_norm: float | None = Field(
        None, ge=0, description="Euclidean norm of the cross-entropy's gradient by the layer's kernel, without L2."
    )
    gradient_rms: float | None = Field(None, ge=0, description="The same per weight: the norm / sqrt(weights).")
    update_ratio: float | None = Field(
        None, ge=0, description="Norm of the epoch's last step over that of the kernel, L2 included; null at epoch 0."
    )
    unchanged: bool | None = Field(
        None, description="Whether every parameter of the layer still has the bits it started with."
    )
    parameters: dict[str, float | None] = Field({}, description="Learned parameters of the activation, by name.")
    non_finite: list[str] = Field([], description="Measures that were infinite or NaN, which are null.")

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Self:
        """Return the record of measured figures, of which some may not be finite."""
        non_finite = [name for name, figure in figures.items() if _not_finite(figure)]
        learned: Mapping[str, float] = figures.get("parameters", {})
        non_finite += [f"parameters.{name}" for name, value in learned.items() if _not_finite(value)]
        finite = {name: None if name in non_finite else figure for name, figure in figures.items()}
        finite["parameters"] = {name: None if _not_finite(value) else value for name, value in learned.items()}
        return cls.model_validate({**finite, "non_finite": sorted(non_finite)})


def _not_finite(figure: Any) -> bool:
    return isinstance(figure, float) and not math.isfinite(figure)
