"""Which experiments: the filters that lists, comparisons and exports share."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.domain.datasets import DatasetName
from service.domain.status import Status
from service.domain.text import Name, Text
from service.storage.records.experiments import RANGES, Filter, Range

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]


class FilterQuery(BaseModel):
    """Filters; what is left out does not narrow. Ranges include both ends."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    activation: Text | None = Field(None, description="Its label, such as relu, swish(beta=2) or mine v2 (a=1).")
    dataset: DatasetName | None = None
    study: UUID | None = None
    tag: Text | None = None
    text: Annotated[Name, Field(min_length=1)] | None = Field(
        None, description="Part of the name, in small or capital letters."
    )
    epochs_min: Count | None = Field(None, description="Epochs asked for, at least.")
    epochs_max: Count | None = Field(None, description="Epochs asked for, at most.")
    batch_size_min: Count | None = Field(None, description="Images a batch, at least.")
    batch_size_max: Count | None = Field(None, description="Images a batch, at most.")
    dropout_min: Share | None = Field(None, description="Dropout in both places, at least.")
    dropout_max: Share | None = Field(None, description="Dropout in both places, at most.")
    learning_rate_min: Rate | None = Field(None, description="Initial learning rate, at least.")
    learning_rate_max: Rate | None = Field(None, description="Initial learning rate, at most.")
    test_accuracy_min: Share | None = Field(None, description="Test accuracy at the last epoch, at least; a fraction.")
    test_accuracy_max: Share | None = Field(None, description="Test accuracy at the last epoch, at most; a fraction.")
    created_min: AwareDatetime | None = Field(None, description="Created at this time or later, with its time zone.")
    created_max: AwareDatetime | None = Field(None, description="Created at this time or before, with its time zone.")

    @property
    def filter(self) -> Filter:
        return Filter(
            status=self.status,
            activation=self.activation,
            dataset=self.dataset,
            study=self.study,
            tag=self.tag,
            text=self.text,
            ranges=self._ranges(),
        )

    def _ranges(self) -> tuple[Range, ...]:
        found = (Range(name, getattr(self, f"{name}_min"), getattr(self, f"{name}_max")) for name in RANGES)
        return tuple(each for each in found if (each.least, each.most) != (None, None))
