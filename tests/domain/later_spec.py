"""A made spec of a later version: fields added to the spec, to its model and to an object that may be null."""

from typing import Any

from pydantic import Field

from service.domain.spec import EarlyStopping, ExperimentSpec, ModelSpec
from service.domain.strict import StrictModel


class LaterModel(ModelSpec):
    width: float = 1.0


class LaterStopping(EarlyStopping):
    warmup: int = 0


class Augmentation(StrictModel):
    shift: int = 2
    flip: bool = False


class LaterSpec(ExperimentSpec):
    model: LaterModel = LaterModel()
    early_stopping: LaterStopping | None = None
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    augmentation: Augmentation | None = None


CHANGES: list[dict[str, Any]] = [
    {"label_smoothing": 0.1},
    {"model": {"width": 2.0}},
    {"augmentation": {}},
    {"augmentation": {"shift": 3}},
    {"early_stopping": {"warmup": 1}},
]
"""Changes of each added field."""
