"""The results of training: figures per epoch, scores on the test set, and the fingerprint of the machine."""

import math
from typing import Self

from pydantic import BaseModel, ConfigDict, Field


class _FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class EpochMetrics(_FrozenModel):
    """Figures of one epoch. Losses are means per example in nats, accuracies fractions. A figure that is not finite
    is None here and named in `non_finite`."""

    epoch: int = Field(ge=1, description="Epoch, from 1.")
    train_loss: float | None = Field(description="Mean cross-entropy over the epoch's batches, dropout on, in nats.")
    train_accuracy: float | None = Field(description="Accuracy over the same batches, a fraction.")
    validation_loss: float | None = Field(description="Cross-entropy on the validation images, in nats.")
    validation_accuracy: float | None = Field(description="Accuracy on the validation images, a fraction.")
    l2: float | None = Field(description="L2 term at the end of the epoch.")
    learning_rate: float = Field(description="Learning rate of the epoch.")
    seconds: float = Field(description="Training time of the epoch in seconds.")
    images_per_second: float = Field(description="Pace of the epoch.")
    non_finite: list[str] = Field([], description="Figures that were infinite or NaN, which are null.")


class Fingerprint(_FrozenModel):
    """Everything that must be equal for two runs of one spec to agree bit for bit."""

    torch: str
    numpy: str
    device: str  # cpu or cuda
    device_name: str
    instruction_set: str
    threads: int
    precision: str
    execution: str = "single"
    code: str  # version of ActLab
    mixed: bool = False  # True when a resume had to continue under another fingerprint

    def matches(self, other: Self) -> bool:
        return self.model_dump(exclude={"mixed"}) == other.model_dump(exclude={"mixed"})


class Score(_FrozenModel):
    """Scores on the test set of the weights after one epoch."""

    epoch: int
    test_loss: float | None
    test_accuracy: float
    interval: tuple[float, float]  # Wilson 95 % interval over the test images
    correct: bytes = Field(repr=False, exclude=True)  # one bit an image, packed, most significant bit first


class ClassFigures(_FrozenModel):
    """Figures of one class, of the last epoch's weights. A ratio with an empty denominator is None."""

    label: int
    support: int
    precision: float | None
    recall: float | None
    f1: float | None


SAME_LOGITS = 1e-6


class LinearCollapse(_FrozenModel):
    """The distance of a network of linear layers from one linear layer, in evaluation mode and float64."""

    inputs: int = Field(description="Images that x W + b was found from: a black one, and one for each pixel.")
    images: int = Field(description="Test images whose logits were compared.")
    largest_difference: float | None = Field(description="Of a logit; null where it is not finite.")
    collapsed: bool = Field(description="Whether it is at most 1e-6.")

    @classmethod
    def of(cls, inputs: int, images: int, difference: float) -> Self:
        return cls(
            inputs=inputs,
            images=images,
            largest_difference=difference if math.isfinite(difference) else None,
            collapsed=difference <= SAME_LOGITS,
        )


class TestResult(_FrozenModel):
    """The scores of a finished experiment: primary is `last`, secondary `best` (lowest validation loss, earliest on
    ties)."""

    __test__ = False  # pytest would take the class for a test case

    last: Score
    best: Score
    per_class: list[ClassFigures]
    confusion_matrix: list[list[int]]  # rows: true class, columns: predicted class
    fingerprint: Fingerprint
    epochs_trained: int
    seconds: float  # training alone, evaluation included, without loading data
    collapse: LinearCollapse | None = None  # of networks all of whose layers are linear
    # SHA-256 of the last and best weights and of which test images each classifies correctly, in hexadecimal
    checksum: str | None = None
    early_loss: float | None = None  # mean validation loss at 20 even checks within epochs 1 and 2; None: not measured
