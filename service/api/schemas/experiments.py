"""Bodies of requests and answers about experiments."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from service.api.schemas.base import View
from service.domain.spec import complete
from service.domain.status import Cause, Status
from service.domain.text import Name, Notes, Tags


class ExperimentView(View):
    """One training run of one spec with one seed."""

    id: UUID
    name: str | None
    status: Status
    cause: Cause | None = Field(description="The cause of a failure or cancellation.")
    detail: str | None = Field(description="A description of what happened.")
    remedy: str | None = Field(description="What to do about the cause.")
    waiting_reason: str | None = Field(None, description="The reason why it waits, while it is queued.")
    queue_position: int | None = Field(None, description="Its place in the queue, while it is queued; 1 is next.")
    cancel_requested: bool
    attempt: int
    lost_count: int = Field(description="Lost attempts since the last finished epoch.")
    study_id: UUID | None
    created_by: str = Field(
        validation_alias="principal", description="The id of the key that submitted it; `local` without keys."
    )
    activation_label: str = Field(
        validation_alias="activation",
        description="The activation as filters and comparisons name it: relu, swish(beta=2).",
    )
    spec: Annotated[dict[str, Any], BeforeValidator(complete)] = Field(
        description="The spec with every default filled in."
    )
    tags: list[str]
    notes: str | None
    priority: int
    epochs_done: int
    test_accuracy: float | None = Field(description="Test accuracy of the last epoch's weights; a fraction.")
    test_loss: float | None = Field(description="Mean cross-entropy per test image, in nats.")
    best_epoch: int | None = Field(description="The epoch with the lowest validation loss.")
    best_test_accuracy: float | None
    best_test_loss: float | None
    validation_accuracy: float | None = Field(description="Validation accuracy at the last epoch; a fraction.")
    validation_loss: float | None = Field(
        description="Mean cross-entropy per validation image at the last epoch, in nats."
    )
    best_validation_accuracy: float | None = Field(description="Validation accuracy at `best_epoch`.")
    best_validation_loss: float | None = Field(description="Validation loss at `best_epoch`, the lowest of all epochs.")
    seconds: float | None = Field(description="Training time of the attempt that finished, in seconds.")
    early_loss: float | None = Field(
        description="Mean validation loss at 20 even checks within epochs 1 and 2: the lower, the faster it learned."
        " Null for one epoch, and without diagnostics."
    )
    images_per_second: float | None = Field(description="Images trained per second; the median over the epochs.")
    retry_of: UUID | None
    edit_version: int = Field(description="Send it in If-Match, so that PATCH fails if somebody else has edited since.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    archived_at: datetime | None = Field(description="The time since when lists leave it out.")
    revision: int = Field(description="It rises with every change. Revisions of all records come from one sequence.")


class ExperimentPatch(BaseModel):
    """A JSON merge patch: a field that is left out stays, null clears it."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"name": "baseline"}]})

    name: Name | None = None
    tags: Tags | None = None
    notes: Notes | None = Field(None, description="Notes in Markdown.")
    archived: bool | None = Field(
        None, description="Whether lists leave the experiment out, once it has ended; null changes nothing."
    )

    def changes(self) -> dict[str, Any]:
        """Return the fields to change with their values; tags that are cleared become an empty list."""
        edits = self.model_dump(exclude_unset=True)
        return edits | {"tags": edits["tags"] or []} if "tags" in edits else edits
