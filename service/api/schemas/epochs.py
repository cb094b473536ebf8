"""Bodies of answers about the figures of epochs."""

from pydantic import BaseModel, ConfigDict, Field

from service.api.schemas.base import View
from service.domain.results import EpochMetrics


class _Attempted(BaseModel):
    """The fields that come first in an answer: which epoch, and the attempt that trained it."""

    epoch: int
    attempt: int


class EpochView(EpochMetrics, _Attempted):
    """The figures of one epoch. Losses are means per image in nats, accuracies fractions. `non_finite` names the
    figures that were infinite or NaN; they are null."""

    model_config = ConfigDict(extra="ignore")

    # Without the bound and the default of EpochMetrics: `non_finite` is in every answer.
    epoch: int
    non_finite: list[str]


class EpochsView(View):
    """The figures of an experiment's epochs."""

    model_config = ConfigDict(title="MetricsView")

    items: list[EpochView]
    valid_through_epoch: int = Field(description="Drop epochs after this one: a resumed attempt trains them again.")
    revision: int = Field(description="Send it as `since` to get only what changes after this answer.")
