"""Bodies of answers about studies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from service.api.schemas.base import View
from service.domain.comparisons.detectable import Detectable
from service.domain.status import Status
from service.domain.study import Grid, Reference
from service.domain.tuning import Choice, Tuning


class TuningView(Tuning):
    """The tuning of a study's learning rates, and its outcome."""

    study: UUID = Field(description="The study that tries the rates; it has its own progress, comparison and curves.")
    tuned_at: datetime | None = Field(description="The time at which the rates were chosen and the ranking was queued.")
    choices: list[Choice] = Field(description="The chosen rate of each cell; empty until all trials have ended.")


class StudyView(View):
    """A grid of experiments that share a question."""

    id: UUID
    name: str | None
    question: str | None
    notes: str | None = Field(description="Notes in Markdown.")
    tags: list[str]
    preset: str | None
    created_by: str = Field(description="The id of the key that submitted it; `local` without keys.")
    base: dict[str, Any]
    factors: dict[str, list[Any]]
    grids: list[Grid] = Field(description="The grids of a study with several. The base of a grid overrides `base`.")
    seeds: list[int]
    tuning: TuningView | None = Field(
        description="The tuning, for a study that tunes the learning rate of each cell first."
    )
    reference: Reference
    reuse: bool = Field(description="Whether it counts finished experiments of other studies.")
    tunes: UUID | None = Field(description="The study for which this one tries learning rates.")
    activations: dict[str, int] = Field(
        description="The version of each registered activation that the spec names without one. Seeds added"
        " later use it too."
    )
    experiments: int = Field(description="The number of its experiments.")
    progress: dict[Status, int] = Field(description="The number of experiments in each status.")
    retryable: int = Field(
        description="The number of its own experiments that failed or were lost and have not been retried, which"
        " `POST /studies/{id}/retry` queues again."
    )
    finished: bool
    eta_seconds: float | None = Field(
        description="Estimated seconds until it finishes, at the pace so far; null while unknown."
    )
    cancelled_at: datetime | None = Field(description="The time at which the study was cancelled.")
    archived_at: datetime | None = Field(description="The time since when lists leave it out.")
    edit_version: int = Field(description="Send it in If-Match, so that PATCH fails if somebody else has edited since.")
    created_at: datetime
    revision: int


class StudyPlan(View):
    """The size of a study and its estimated duration. Nothing is stored."""

    cells: int = Field(description="The number of combinations of the factors' values, over all grids.")
    experiments: int = Field(description="The number of experiments: cells times their seeds.")
    reused: int = Field(
        description="The number of experiments that have been trained already, with `reuse`. For a study that tunes,"
        " only those that try learning rates count, since the others depend on the chosen rates.",
    )
    tuning_experiments: int = Field(description="The number of experiments that try learning rates, before the others.")
    train_seconds: float | None = Field(
        description="Estimated training time of all experiments together, in seconds; null while unknown."
    )
    seconds: float | None = Field(
        description="Estimated seconds from the first start to the last end; null while unknown."
    )
    workers: int = Field(description="The number of workers that are alive.")
    basis: str = Field(description="The basis of the estimate, or the reason why there is none.")
    detectable: list[Detectable] = Field(
        description="The differences that so many seeds probably find, for the study or for each of its grids."
    )
