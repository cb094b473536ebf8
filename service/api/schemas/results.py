"""Bodies of answers about test results."""

from pydantic import Field

from service.api.schemas.base import View
from service.domain.results import ClassFigures, Fingerprint, LinearCollapse


class ScoreView(View):
    """The scores on the test set of the weights after one epoch."""

    epoch: int
    test_loss: float | None
    test_accuracy: float
    interval: tuple[float, float] = Field(
        description="Wilson 95% interval of the accuracy over the test images, not over seeds."
    )


class ResultView(View):
    """The result of an experiment that succeeded."""

    last: ScoreView = Field(description="The primary score: the last epoch's weights.")
    best: ScoreView = Field(description="The secondary score: the weights with the lowest validation loss.")
    per_class: list[ClassFigures]
    confusion_matrix: list[list[int]] = Field(
        description="Numbers of test images; rows are true classes, columns predicted classes."
    )
    fingerprint: Fingerprint
    checksum: str | None = Field(
        None,
        description="SHA-256 of the last and best weights and of which test images they classify correctly: equal for"
        " runs that are equal bit for bit. Null for results of 0.1.0.",
    )
    collapse: LinearCollapse | None = Field(
        None,
        description="For a network of linear layers only (activation linear, average pooling): how far it is from one"
        " linear layer. Null for other networks, and without diagnostics.",
    )
