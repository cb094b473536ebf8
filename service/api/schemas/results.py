"""Bodies of answers about test results."""

from pydantic import Field

from service.api.schemas.base import View
from service.domain.results import ClassFigures, Fingerprint, LinearCollapse


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
