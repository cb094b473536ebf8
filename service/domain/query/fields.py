"""The fields of records that queries name, derived from the spec where it has them.

`python -m service.domain.query` prints the tables of docs/query.md from them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from service.domain.datasets import DATASETS
from service.domain.exports.columns import kind_of
from service.domain.presets import PRESETS
from service.domain.spec import ExperimentSpec, fields_of
from service.domain.status import Cause, Status

Kind = Literal["text", "choice", "number", "boolean", "time", "id", "list", "labels", "studies"]
"""`choice` is one of a few texts; `labels` and `studies` are sets, of tags and of studies that count a record."""

NO_CHOICES: Mapping[str, str] = {}


@dataclass(frozen=True)
class Field:
    """A field of a record. Of a choice, `choices` are the values, and the other words for them."""

    name: str
    kind: Kind
    meaning: str
    choices: Mapping[str, str] = field(default_factory=lambda: NO_CHOICES)


Entity = Literal["metrics", "params", "tags", "attributes"]

ENTITIES: Mapping[str, Entity] = {
    "metrics": "metrics", "metric": "metrics",
    "params": "params", "param": "params", "parameters": "params", "parameter": "params",
    "tags": "tags", "tag": "tags",
    "attributes": "attributes", "attribute": "attributes", "attr": "attributes", "run": "attributes",
}  # fmt: skip
"""The words before the first dot of a name, as MLflow has them."""


@dataclass(frozen=True)
class Catalogue:
    """The fields of one kind of record, by each name that a query may use.

    `attributes` are the plain names. `tags` are names after `tags.` that are no tag of the record but a field of it;
    `labels` is the field that holds its tags.
    """

    record: str
    attributes: Mapping[str, Field]
    metrics: Mapping[str, Field]
    params: Mapping[str, Field]
    tags: Mapping[str, Field]
    labels: Field

    def names(self, entity: Entity) -> Mapping[str, Field]:
        return {"attributes": self.attributes, "metrics": self.metrics, "params": self.params, "tags": self.tags}[
            entity
        ]

    def near(self, entity: Entity | None, name: str) -> list[str]:
        """Return up to three names that resemble one that does not exist, written as in a query."""
        prefix = "" if entity is None else f"{entity}."
        known = self.names(entity or "attributes")
        return [f"{prefix}{near}" for near in get_close_matches(name.lower(), known, n=3, cutoff=0.5)]


def _spec_fields() -> Iterator[Field]:
    """Yield a field for each value of a spec, by its dotted path."""
    paths = dict(fields_of(ExperimentSpec))
    for path, definition in paths.items():
        if path == "activation":
            yield Field(path, "text", "Label of the activation, such as `relu` or `swish(beta=2)`.")
        elif path == "dataset":
            yield Field(path, "choice", "Data set.", _same(DATASETS))
        elif not any(other.startswith(f"{path}.") for other in paths):
            yield Field(path, *_typed(definition.annotation, definition.description or ""))


_KINDS: Mapping[str, Kind] = {
    "integer": "number", "real": "number", "boolean": "boolean", "integers": "list", "text": "text",
}  # fmt: skip


def _typed(annotation: Any, meaning: str) -> tuple[Kind, str, Mapping[str, str]]:
    if get_origin(annotation) is Literal:
        return "choice", meaning, _same(get_args(annotation))
    return _KINDS[kind_of(annotation)], meaning, NO_CHOICES


def _same(values: Iterable[str]) -> dict[str, str]:
    return {value: value for value in values}


def _by_name(fields: Iterable[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


MLFLOW_STATUS = {
    "scheduled": "queued", "running": "running", "finished": "succeeded", "failed": "failed", "killed": "cancelled",
}  # fmt: skip

SPEC = _by_name(_spec_fields())

FIGURES = _by_name(
    Field(name, "number", meaning)
    for name, meaning in {
        "test_accuracy": "Accuracy on the test set after the last epoch, a fraction.",
        "test_loss": "Mean cross-entropy on the test set after the last epoch, in nats.",
        "best_epoch": "Epoch of the lowest validation loss.",
        "best_test_accuracy": "Accuracy on the test set of that epoch's weights.",
        "best_test_loss": "Mean cross-entropy on the test set of that epoch's weights.",
        "validation_accuracy": "Accuracy on the validation images after the last epoch, once it has succeeded.",
        "validation_loss": "Cross-entropy on the validation images after the last epoch, once it has succeeded.",
        "best_validation_accuracy": "Accuracy on the validation images at the best epoch.",
        "best_validation_loss": "Cross-entropy on the validation images at the best epoch.",
        "train_loss": "Mean cross-entropy over the newest epoch's batches, in nats.",
        "train_accuracy": "Accuracy over the newest epoch's batches, a fraction.",
        "l2": "L2 term at the end of the newest epoch.",
        "seconds": "Training time in seconds.",
        "early_loss": "Mean validation loss within epochs 1 and 2.",
    }.items()
)

TAG = Field("tag", "labels", "Its tags: `=` and `IN` ask for one that it has, `!=` and `NOT IN` for none of these.")

FILED = _by_name([
    Field("id", "id", "Id of the experiment."),
    Field("name", "text", "Name that it was given."),
    Field("notes", "text", "Its notes."),
    TAG,
    Field("study", "studies", "The studies that count it: those that made it, and those that reuse it."),
    Field("status", "choice", "Its state.", {**_same(Status), **MLFLOW_STATUS}),
    Field("cause", "choice", "Why it failed or was cancelled.", _same(Cause)),
    Field("detail", "text", "What happened, in words."),
    Field("priority", "number", "Priority, 0 to 9."),
    Field("attempt", "number", "Attempts made."),
    Field("epochs_done", "number", "Epochs trained."),
    Field("images_per_second", "number", "Median pace over the epochs."),
    Field("device", "text", "Kind of the device, such as `cpu` or `cuda`."),
    Field("device_name", "text", "Name of the device."),
    Field("threads", "number", "Threads of the processor."),
    Field("trained_precision", "text", "Precision that it was trained in."),
    Field("code", "text", "Version of ActLab that trained it."),
    Field("retry_of", "id", "The experiment that it is a retry of."),
    Field("created_by", "text", "Id of the key that submitted it; `local` without keys."),
    Field("created", "time", "When it was submitted."),
    Field("started", "time", "When it was first claimed by a worker."),
    Field("finished", "time", "When it ended."),
    Field("cancel_requested", "boolean", "Whether a client asked to cancel it."),
    Field("archived", "boolean", "Whether lists leave it out."),
])  # fmt: skip

DROPOUT = Field("dropout", "number", "Dropout in both places: each of the two must meet the comparison.")

_SPEC_NAMES = SPEC | {"dropout": DROPOUT, "learning_rate": SPEC["optimizer.learning_rate"]}

ALIASES: Mapping[str, str] = {
    "run_id": "id", "run_uuid": "id", "run_name": "name", "user_id": "created_by", "created_at": "created",
    "started_at": "started", "start_time": "started", "finished_at": "finished", "end_time": "finished",
    "study_id": "study", "experiment_id": "study",
}  # fmt: skip
"""Further names of plain fields: those of the API's answers, and MLflow's."""

EXPERIMENTS = Catalogue(
    record="an experiment",
    attributes=FILED | _SPEC_NAMES | FIGURES | {alias: FILED[name] for alias, name in ALIASES.items()},
    metrics=FIGURES,
    params=_SPEC_NAMES,
    tags={},
    labels=TAG,
)

STUDY_FIELDS = _by_name([
    Field("id", "id", "Id of the study."),
    Field("name", "text", "Name that it was given."),
    Field("question", "text", "The question that it asks."),
    Field("notes", "text", "Its notes."),
    Field("tag", "labels", "Its tags: `=` and `IN` ask for one that it has, `!=` and `NOT IN` for none of these."),
    Field("preset", "choice", "Preset that it was made from.", _same(PRESETS)),
    Field("created_by", "text", "Id of the key that submitted it; `local` without keys."),
    Field("created", "time", "When it was submitted."),
    Field("archived", "boolean", "Whether lists leave it out."),
])  # fmt: skip

STUDIES = Catalogue(
    record="a study",
    attributes=STUDY_FIELDS
    | {alias: STUDY_FIELDS[name] for alias, name in {"created_at": "created", "creation_time": "created"}.items()},
    metrics={},
    params={},
    tags={},
    labels=STUDY_FIELDS["tag"],
)
