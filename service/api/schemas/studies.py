"""Bodies of answers about studies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.base import View
from service.domain.status import Status
from service.domain.study import Grid
from service.domain.tuning import Choice, Tuning


class TuningView(Tuning):
    """How the learning rates are tuned, and what came of it."""

    study: UUID = Field(description="The study that tries the rates, with its own progress, comparison and curves.")
    tuned_at: datetime | None = Field(description="When the rates were chosen and the ranking was queued.")
    choices: list[Choice] = Field(description="The rate of each cell, once they are chosen.")


class StudyView(View):
    """A grid of experiments that share a question."""

    id: UUID
    name: str | None
    question: str | None
    preset: str | None
    base: dict[str, Any]
    factors: dict[str, list[Any]]
    grids: list[Grid] = Field(description="Where it has several; their base goes over `base`.")
    seeds: list[int]
    tuning: TuningView | None = Field(description="Where the learning rate of each cell is tuned first.")
    reuse: bool = Field(description="Whether it counts finished experiments that it did not train.")
    tunes: UUID | None = Field(description="The study that this one tries learning rates for.")
    activations: dict[str, int] = Field(
        description="Which version each registered name without one stands for, in seeds added later too."
    )
    experiments: int = Field(description="How many it holds.")
    progress: dict[Status, int] = Field(description="Experiments per status.")
    finished: bool
    eta_seconds: float | None = Field(description="At the pace of those finished; null while that is unknown.")
    cancelled_at: datetime | None = Field(description="When it was cancelled as a whole.")
    edit_version: int = Field(description="Give it in If-Match to PATCH only what you have seen.")
    created_at: datetime
    revision: int


class StudyPlan(View):
    """What a study would hold and take. Nothing is stored."""

    cells: int = Field(description="Combinations of the factors' values, over all grids.")
    experiments: int = Field(description="Cells times their seeds.")
    reused: int = Field(
        description="How many of them have been trained already, with `reuse`. Of a study that tunes: of those that try"
        " learning rates, for the others follow from what is found.",
    )
    tuning_experiments: int = Field(description="How many of them try learning rates, before the others.")
    train_seconds: float | None = Field(description="Training time of all of them together; null while unknown.")
    seconds: float | None = Field(description="Until the last ends, once they start; null while unknown.")
    workers: int = Field(description="Alive now.")
    basis: str = Field(description="What the estimate rests on, or why there is none.")
