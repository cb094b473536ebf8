"""The words of MLflow for what ActLab has: states, metrics, and the names that filters use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from service.domain.query.fields import EXPERIMENTS, FIGURES, STUDIES, STUDY_FIELDS, Catalogue
from service.domain.results import EpochMetrics
from service.domain.status import Status

STATES: Mapping[Status, str] = {
    Status.QUEUED: "SCHEDULED",
    Status.RUNNING: "RUNNING",
    Status.SUCCEEDED: "FINISHED",
    Status.FAILED: "FAILED",
    Status.CANCELLED: "KILLED",
}

NO_STUDY, NO_STUDY_NAME = "0", "Default"
"""The MLflow experiment that holds the experiments of no study."""

EPOCH_METRICS = tuple(name for name in EpochMetrics.model_fields if name not in ("epoch", "non_finite"))
"""Figures of each epoch, whose step is the epoch."""


@dataclass(frozen=True)
class FinalMetric:
    """A figure of the experiment's row; its step is the epoch that a column of the row names."""

    name: str
    step: str


FINAL_METRICS = tuple(
    FinalMetric(prefix + name, step)
    for prefix, step in (("", "epochs_done"), ("best_", "best_epoch"))
    for name in ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss")
)

_METRICS = {metric.name for metric in FINAL_METRICS} | {"train_loss", "train_accuracy", "l2"}
_TAGS = {"mlflow.runName": "name", "mlflow.user": "created_by", "mlflow.note.content": "notes",
         "actlab.cause": "cause", "actlab.device": "device"}  # fmt: skip

# `seconds` of a run is a figure of each epoch here, and not the sum.
RUNS: Catalogue = replace(
    EXPERIMENTS,
    metrics={name: field for name, field in FIGURES.items() if name in _METRICS},
    tags={tag: EXPERIMENTS.attributes[name] for tag, name in _TAGS.items()},
)

GROUPS: Catalogue = replace(
    STUDIES,
    attributes={
        **STUDIES.attributes,
        "experiment_id": STUDY_FIELDS["id"],
        "last_update_time": STUDY_FIELDS["created"],
    },
    tags={"mlflow.note.content": STUDY_FIELDS["notes"]},
)
"""The names for MLflow's experiments."""
