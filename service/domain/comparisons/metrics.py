"""The metrics that groups are compared in."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from service.domain.datasets import DATASETS
from service.domain.errors import FieldProblem, Invalid
from service.domain.statistics.equivalence import Margin

MARGIN_OF_SHARES = 0.005
"""The largest difference of two accuracies that does not matter, unless a request says otherwise: 5 seeds with a sd of
0.0025 of the difference find two equal groups equivalent in 95 % of studies, which at 0.001 would take about 30."""

RELATIVE_MARGIN = 0.05
"""The same for losses and times, as a share."""


@dataclass(frozen=True)
class Metric:
    """A final figure of an experiment. Accuracies are fractions, losses means per image in nats."""

    name: str
    title: str
    unit: str
    higher_is_better: bool
    column: str = ""  # the stored column, where it has another name
    logarithm: bool = False  # the metric is the logarithm of the column
    always_taken: bool = True  # a success without it is one whose figure was not finite
    scored_on: Literal["test", "validation"] | None = None  # the images that an accuracy is a share of

    def of(self, stored: float) -> float:
        """Return the figure from the stored value."""
        # A loss of exactly 0 was too small for a float.
        return math.log(max(stored, sys.float_info.min)) if self.logarithm else stored

    @property
    def lowest(self) -> float:
        """The least value that the figure can have: minus infinity for a logarithm, else 0."""
        return -math.inf if self.logarithm else 0.0

    @property
    def highest(self) -> float:
        """The largest value that the figure can have: 1 for an accuracy, else infinity."""
        return math.inf if self.scored_on is None else 1.0

    def default_margin(self) -> float:
        return RELATIVE_MARGIN if self.scored_on is None else MARGIN_OF_SHARES

    def margin(self, value: float) -> Margin | None:
        """Return the margin of a request: a difference of accuracies, or a share of any other figure. None for 0."""
        if not value:
            return None
        if self.logarithm:
            return Margin(math.log1p(value))
        return Margin(value, relative=self.scored_on is None)

    def images(self, spec: Mapping[str, Any]) -> int | None:
        """Return the number of images that the figure of an experiment is a share of; None where it is no share.

        For a subset of the classes it is the share of that many classes.
        """
        if self.scored_on is None:
            return None
        dataset = DATASETS[spec["dataset"]]
        if self.scored_on == "test":
            total = dataset.test_images
        else:
            total = dataset.validation_images(spec["validation_fraction"])
        return total * len(spec.get("classes") or range(dataset.classes)) // dataset.classes


MetricName = Literal[
    "test_accuracy", "best_test_accuracy", "test_loss", "best_test_loss", "validation_accuracy",
    "best_validation_accuracy", "validation_loss", "best_validation_loss", "learning_speed", "seconds",
    "images_per_second",
]  # fmt: skip
PRIMARY: MetricName = "test_accuracy"
OF_THE_MACHINE = frozenset({"seconds", "images_per_second"})
"""Metrics that depend on the machine as much as on the spec, and have no mean over two kinds of machine."""

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(PRIMARY, "Test accuracy at the last epoch", "fraction", True, scored_on="test"),
        Metric(
            "best_test_accuracy",
            "Test accuracy at the epoch of the lowest validation loss",
            "fraction",
            True,
            scored_on="test",
        ),
        Metric("test_loss", "Test loss at the last epoch", "nats", False),
        Metric("best_test_loss", "Test loss at the epoch of the lowest validation loss", "nats", False),
        # A worker of 0.1.0 that runs during the upgrade stores no figures on the validation images.
        Metric(
            "validation_accuracy",
            "Validation accuracy at the last epoch",
            "fraction",
            True,
            always_taken=False,
            scored_on="validation",
        ),
        Metric(
            "best_validation_accuracy",
            "Validation accuracy at the epoch of the lowest validation loss",
            "fraction",
            True,
            always_taken=False,
            scored_on="validation",
        ),
        Metric("validation_loss", "Validation loss at the last epoch", "nats", False, always_taken=False),
        Metric("best_validation_loss", "Lowest validation loss of all epochs", "nats", False, always_taken=False),
        Metric(
            "learning_speed",
            "Speed of learning: ln of the mean validation loss at 20 even checks within epochs 1 and 2",
            "ln nats",
            False,
            column="early_loss",
            logarithm=True,
            always_taken=False,
        ),
        Metric("seconds", "Training time", "s", False),
        Metric("images_per_second", "Pace of training, the median over epochs", "1/s", True, always_taken=False),
    )
}


def metric_of(name: str) -> Metric:
    """Return the metric of this name. Raises Invalid for an unknown one."""
    if name in METRICS:
        return METRICS[name]
    detail = f"{name!r} is not a metric of a comparison; choose one of {', '.join(METRICS)}"
    raise Invalid(detail, errors=[FieldProblem("metric", detail, "unknown_metric", name)])
