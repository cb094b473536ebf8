"""Bodies of answers."""

from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from service.domain.results import ClassFigures, Fingerprint, LinearCollapse
from service.domain.status import Cause, Outcome, Status
from service.domain.text import Name, Notes, Tags

T = TypeVar("T")


class View(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(View, Generic[T]):
    items: list[T]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one.")


class ExperimentView(View):
    """One training run of one spec with one seed."""

    id: UUID
    name: str | None
    status: Status
    cause: Cause | None = Field(description="Why it failed or was cancelled.")
    detail: str | None = Field(description="What happened, in words.")
    remedy: str | None = Field(description="What to do about the cause.")
    waiting_reason: str | None = Field(None, description="Why it is not running yet, while it is queued.")
    queue_position: int | None = Field(None, description="1 is next, while it is queued.")
    cancel_requested: bool
    attempt: int
    lost_count: int = Field(description="Attempts lost since the last progress.")
    study_id: UUID | None
    activation_label: str = Field(
        validation_alias="activation", description="As filters and comparisons name it: relu, swish(beta=2)."
    )
    spec: dict[str, Any] = Field(description="The spec with every default filled in.")
    tags: list[str]
    notes: str | None
    priority: int
    epochs_done: int
    test_accuracy: float | None = Field(description="Of the last epoch's weights; a fraction.")
    test_loss: float | None = Field(description="Mean cross-entropy per image, in nats.")
    best_epoch: int | None = Field(description="The epoch with the lowest validation loss.")
    best_test_accuracy: float | None
    best_test_loss: float | None
    seconds: float | None = Field(description="Training time of the attempt that finished.")
    early_loss: float | None = Field(
        description="Mean validation loss at 20 even checks within epochs 1 and 2: the lower, the faster it learned."
        " Null for one epoch, and without diagnostics."
    )
    images_per_second: float | None = Field(description="Of training alone; the median over the epochs.")
    retry_of: UUID | None
    edit_version: int = Field(description="Give it in If-Match to PATCH only what you have seen.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    revision: int = Field(description="Rises with every change; of all changes anywhere, later ones are higher.")


class ExperimentPatch(BaseModel):
    """A JSON merge patch: what is left out stays, null clears."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"name": "baseline"}]})

    name: Name | None = None
    tags: Tags | None = None
    notes: Notes | None = None

    def changes(self) -> dict[str, Any]:
        given = self.model_dump(exclude_unset=True)
        return given | {"tags": given["tags"] or []} if "tags" in given else given


class EpochView(View):
    """Losses are means per image in nats, accuracies fractions. `non_finite` names figures that were infinite or NaN;
    they are null."""

    epoch: int
    attempt: int
    train_loss: float | None
    train_accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    l2: float | None
    learning_rate: float
    seconds: float
    images_per_second: float
    non_finite: list[str]


class MetricsView(View):
    items: list[EpochView]
    valid_through_epoch: int = Field(description="Drop epochs after this one: a resumed attempt repeats them.")
    revision: int = Field(description="Give it as `since` to get only what changes after this answer.")


class ScoreView(View):
    epoch: int
    test_loss: float | None
    test_accuracy: float
    interval: tuple[float, float] = Field(description="Wilson 95 % interval over the test images, not over seeds.")


class ResultView(View):
    last: ScoreView = Field(description="The primary score: the last epoch's weights.")
    best: ScoreView = Field(description="The secondary score: the weights with the lowest validation loss.")
    per_class: list[ClassFigures]
    confusion_matrix: list[list[int]] = Field(description="Rows are true classes, columns predicted ones.")
    fingerprint: Fingerprint
    collapse: LinearCollapse | None = Field(
        None,
        description="Of a network all of whose layers are linear (activation linear, average pooling): whether it is"
        " one linear layer. Null otherwise, and without diagnostics.",
    )


class AttemptView(View):
    """One try of one worker."""

    attempt: int
    worker: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    cause: Cause | None
    detail: str | None
    epochs: int = Field(description="Epochs done when it ended, those of earlier attempts included.")
    log_tail: str


class AttemptsView(View):
    items: list[AttemptView]


class WorkerView(View):
    id: str
    hostname: str
    pid: int
    device: str
    device_name: str
    memory: dict[str, int | None] = Field(description="Bytes.")
    status: str = Field(examples=["idle", "busy"])
    alive: bool = Field(description="Heard of within the last 15 s.")
    experiments: list[UUID]
    versions: dict[str, str]
    started_at: datetime
    last_seen: datetime


class WorkersView(View):
    items: list[WorkerView]


class QueueView(View):
    queued: int
    running: int
    oldest_queued_seconds: float | None
    eta_seconds: float | None
    by_priority: dict[int, int]


class Health(View):
    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.1.0"])


class Readiness(View):
    status: str = Field(examples=["ready"])
    database: str = Field(examples=["sqlite"])
    schema_revision: str = Field(examples=["0005"])
    disk_free_bytes: int = Field(examples=[52_428_800_000])
    disk_used_share: float = Field(examples=[0.42])
    workers_alive: int = Field(examples=[1])
