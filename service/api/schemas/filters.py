"""Filters of experiments, which lists, comparisons and exports share."""

from collections.abc import Iterable
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.api.schemas.queries import ExperimentQuery
from service.api.schemas.several import Several, distinct
from service.domain.dataset_names import DatasetName
from service.domain.status import Status
from service.domain.text import Name, Text
from service.storage.records.experiments import RANGES, Filter, Range

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Loss = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Archived = Literal["false", "true", "any"]
ARCHIVED = "Only what is not archived, only what is, or both."
IS_ARCHIVED: dict[Archived, bool | None] = {"false": False, "true": True, "any": None}
Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class FilterQuery(BaseModel):
    """Filters of experiments. One that is left out filters nothing, and one with several values selects what matches
    any of them; ranges include both ends."""

    model_config = ConfigDict(extra="forbid")

    status: Several[Status] = []
    activation: Several[Text] = Field(
        [], description="The label of the activation, such as relu, swish(beta=2) or mine v2 (a=1)."
    )
    dataset: Several[DatasetName] = []
    study: Several[UUID] = []
    tag: Several[Text] = []
    text: Several[Annotated[Name, Field(min_length=1)]] = Field(
        [], description="A part of the name; letter case is ignored."
    )
    epochs_min: Count | None = Field(None, description="The smallest number of epochs of the spec.")
    epochs_max: Count | None = Field(None, description="The largest number of epochs of the spec.")
    batch_size_min: Count | None = Field(None, description="The smallest batch size.")
    batch_size_max: Count | None = Field(None, description="The largest batch size.")
    dropout_min: Share | None = Field(None, description="The smallest dropout, in both places.")
    dropout_max: Share | None = Field(None, description="The largest dropout, in both places.")
    learning_rate_min: Rate | None = Field(None, description="The smallest initial learning rate.")
    learning_rate_max: Rate | None = Field(None, description="The largest initial learning rate.")
    test_accuracy_min: Share | None = Field(
        None, description="The smallest test accuracy at the last epoch; a fraction."
    )
    test_accuracy_max: Share | None = Field(
        None, description="The largest test accuracy at the last epoch; a fraction."
    )
    validation_accuracy_min: Share | None = Field(
        None, description="The smallest validation accuracy at the last epoch; a fraction."
    )
    validation_accuracy_max: Share | None = Field(
        None, description="The largest validation accuracy at the last epoch; a fraction."
    )
    validation_loss_min: Loss | None = Field(None, description="The smallest validation loss at the last epoch, nats.")
    validation_loss_max: Loss | None = Field(None, description="The largest validation loss at the last epoch, nats.")
    best_validation_accuracy_min: Share | None = Field(
        None, description="The smallest validation accuracy at the epoch of the lowest validation loss."
    )
    best_validation_accuracy_max: Share | None = Field(
        None, description="The largest validation accuracy at the epoch of the lowest validation loss."
    )
    best_validation_loss_min: Loss | None = Field(None, description="The smallest of the lowest validation losses.")
    best_validation_loss_max: Loss | None = Field(None, description="The largest of the lowest validation losses.")
    created_by: Several[Text] = Field([], description="The id of the key that submitted it; `local` without keys.")
    mine: bool = Field(False, description="Only what was submitted with the key of this request.")
    created_min: AwareDatetime | None = Field(None, description="The earliest time of creation, with a time zone.")
    created_max: AwareDatetime | None = Field(None, description="The latest time of creation, with a time zone.")
    archived: Archived = Field("any", description=ARCHIVED)
    query: ExperimentQuery = None

    def filter_for(self, principal: str) -> Filter:
        """Return the filter of a request from a principal."""
        return Filter(
            statuses=distinct(self.status),
            activations=distinct(self.activation),
            datasets=distinct(self.dataset),
            studies=distinct(self.study),
            tags=distinct(self.tag),
            texts=distinct(self.text),
            principals=principals(self.created_by, principal if self.mine else None),
            ranges=self._ranges(),
            archived=IS_ARCHIVED[self.archived],
            query=self.query,
        )

    def _ranges(self) -> tuple[Range, ...]:
        ranges = (Range(name, getattr(self, f"{name}_min"), getattr(self, f"{name}_max")) for name in RANGES)
        return tuple(range for range in ranges if (range.least, range.most) != (None, None))


def principals(created_by: Iterable[str], mine: str | None) -> tuple[str, ...] | None:
    """Return the principals that `created_by` and `mine` select; None where neither selects any."""
    named = distinct(created_by)
    if mine is None:
        return named or None
    return (mine,) if not named or mine in named else ()
