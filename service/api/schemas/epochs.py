"""Bodies of answers about the figures of epochs."""

from pydantic import Field

from service.api.schemas.base import View


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
