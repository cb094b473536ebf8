"""The columns of an export. docs/export.md lists them, and a test holds it to this."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics
from service.domain.spec import value_at

RowsName = Literal["experiments", "epochs", "diagnostics"]

Kind = Literal["text", "integer", "real", "boolean", "time", "texts", "integers", "object"]
"""`texts` and `integers` are lists; `object` is a JSON object; `time` is in UTC."""


_KINDS: Mapping[Any, Kind] = {
    str: "text", int: "integer", float: "real", float | None: "real", bool | None: "boolean", list[str]: "texts",
    dict[str, float | None]: "object",
}  # fmt: skip
"""The kind of a column by the type of its field."""


@dataclass(frozen=True)
class Column:
    """A column of an export. `read` takes the experiment and, for rows of a part of one (an epoch, a layer), that
    part."""

    name: str
    kind: Kind
    meaning: str
    read: Callable[[Any, Any], Any]


def _own(name: str, kind: Kind, meaning: str, attribute: str = "") -> Column:
    """A column of the experiment's row."""
    return Column(name, kind, meaning, lambda experiment, _: getattr(experiment, attribute or name))


def _spec(path: str, kind: Kind, meaning: str) -> Column:
    """A field of the spec; its name is the path with underscores."""
    return Column(path.replace(".", "_"), kind, meaning, lambda experiment, _: value_at(experiment.spec, path))


def _parts(model: type[BaseModel], key: str, attempt: str) -> Iterator[Column]:
    """Yield a column for each field of a part of an experiment, with its attempt after the field `key`."""
    for name, field in model.model_fields.items():
        yield _part(name, _KINDS[field.annotation], field.description or "")
        if name == key:
            yield _part("attempt", "integer", attempt)


def _part(name: str, kind: Kind, meaning: str) -> Column:
    return Column(name, kind, meaning, lambda _, part: getattr(part, name))


def _non_finite(experiment: Any, _: Any) -> list[str]:
    """Return the figures that every success has and that this one lacks, since they were not finite."""
    always = ("test_loss", "best_test_loss")
    return [name for name in always if experiment.status == "succeeded" and getattr(experiment, name) is None]


SPEC = (
    _own("activation", "text", "Label of the activation, such as `relu` or `swish(beta=2)`."),
    Column("activation_spec", "object", "The activation as posted: name or formula, and parameters.",
           lambda experiment, _: experiment.spec["activation"]),
    _spec("dataset", "text", "Data set."),
    _spec("epochs", "integer", "Epochs asked for."),
    _spec("model.conv_channels", "integers", "Channels of the two convolutions; empty without them."),
    _spec("model.dense_units", "integer", "Units of each dense layer."),
    _spec("model.dense_layers", "integer", "Hidden dense layers."),
    _spec("model.batch_norm", "boolean", "Whether batch normalisation is on."),
    _spec("model.pool", "text", "`max` or `avg`."),
    _spec("model.init", "text", "Initialisation of the weights."),
    _spec("batch_size", "integer", "Images a batch."),
    _spec("dropout.conv", "real", "Share dropped after pooling."),
    _spec("dropout.dense", "real", "Share dropped after the last dense activation."),
    _spec("seed", "integer", "Seed of initialisation, order, dropout and random activations."),
    _spec("validation_fraction", "real", "Share of the training images held out for validation."),
    _spec("train_samples", "integer", "Training images used; null: all."),
    _spec("classes", "integers", "Digits to tell apart; null: all ten."),
    _spec("optimizer.name", "text", "`adam`, `sgd` or `adadelta`."),
    _spec("optimizer.learning_rate", "real", "Learning rate at the start."),
    _spec("optimizer.momentum", "real", "Momentum of SGD."),
    _spec("optimizer.l2", "real", "Weight of the L2 term."),
    _spec("schedule", "text", "Schedule of the learning rate."),
    _spec("max_seconds", "real", "Limit on training time, in seconds; null: none."),
    _spec("output", "text", "`softmax` or `sigmoid`."),
    _spec("early_stopping.patience", "integer", "Epochs without improvement before it stops; null: no early stopping."),
    _spec("early_stopping.min_delta", "real", "Fall of the validation loss that counts as improvement."),
    _spec("precision", "text", "Precision asked for; `precision_used` is what it became."),
    _spec("diagnostics", "boolean", "Whether diagnostics were recorded."),
)  # fmt: skip
"""One for each field of a spec: the factors that a study can vary are all here."""

EXPERIMENTS = (
    _own("id", "text", "Id of the experiment, a UUID."),
    _own("study_id", "text", "Study that it was made by; null: none."),
    _own("name", "text", "Name that it was given."),
    _own("tags", "texts", "Its tags."),
    _own("notes", "text", "Its notes."),
    _own("priority", "integer", "Priority, 0 to 9."),
    *SPEC,
    _own("status", "text", "`succeeded`, `failed` or `cancelled`: only what has ended is exported."),
    _own("cause", "text", "Why it failed or was cancelled."),
    _own("detail", "text", "What happened, in words."),
    _own("attempt", "integer", "Attempts made."),
    _own("epochs_done", "integer", "Epochs trained."),
    _own("test_accuracy", "real", "Accuracy on the test set after the last epoch, a fraction."),
    _own("test_loss", "real", "Mean cross-entropy on the test set after the last epoch, in nats."),
    _own("best_epoch", "integer", "Epoch of the lowest validation loss."),
    _own("best_test_accuracy", "real", "Accuracy on the test set of that epoch's weights."),
    _own("best_test_loss", "real", "Cross-entropy on the test set of that epoch's weights, in nats."),
    _own("seconds", "real", "Training time in seconds."),
    _own("early_loss", "real", "Mean validation loss at 20 even checks within epochs 1 and 2."),
    _own("images_per_second", "real", "Pace of training, the median over epochs."),
    Column("non_finite", "texts", "Figures that were infinite or NaN, which are null.", _non_finite),
    _own("device", "text", "Kind of device that it was trained on."),
    _own("precision_used", "text", "Precision that it was trained in.", "precision"),
    _own("code", "text", "Version of ActLab that trained it."),
    _own("retry_of", "text", "Experiment that it repeats; null: none."),
    _own("created_at", "time", "When it was submitted."),
    _own("started_at", "time", "When its first attempt began."),
    _own("finished_at", "time", "When it ended."),
    _own("revision", "integer", "Revision of its newest change."),
)  # fmt: skip

_EXPERIMENT = (
    _own("experiment_id", "text", "Id of the experiment, a UUID.", "id"),
    _own("study_id", "text", "Study that it was made by; null: none."),
    *SPEC,
    _own("status", "text", "How the experiment ended."),
)

EPOCHS = (*_EXPERIMENT, *_parts(EpochMetrics, "epoch", "Attempt that trained it."))

DIAGNOSTICS = (*_EXPERIMENT, *_parts(LayerDiagnostics, "position", "Attempt that measured it."))

SHEETS: Mapping[RowsName, tuple[Column, ...]] = {
    "experiments": EXPERIMENTS,
    "epochs": EPOCHS,
    "diagnostics": DIAGNOSTICS,
}
"""The columns of each kind of row, in order."""
