"""Bodies about experiments."""

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
    spec: Annotated[dict[str, Any], BeforeValidator(complete)] = Field(
        description="The spec with every default filled in."
    )
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
