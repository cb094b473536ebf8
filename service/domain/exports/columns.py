"""The columns of exports, derived from the models whose fields they hold.

`python -m service.domain.exports` prints the tables of docs/export.md from them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from service.domain.choices import ExportRows
from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec, fields_of, value_at

Kind = Literal["text", "integer", "real", "boolean", "time", "texts", "integers", "object"]
"""`texts` and `integers` are lists; `object` is a JSON object; `time` is in UTC."""

_KINDS: Mapping[Any, Kind] = {
    str: "text", Literal: "text", int: "integer", float: "real", bool: "boolean", dict: "object",
}  # fmt: skip
_LIST_KINDS: Mapping[Any, Kind] = {str: "texts", int: "integers"}


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


def _spec_columns() -> Iterator[Column]:
    """Yield a column for each field of a spec, named by its path with underscores. An activation takes two."""
    fields = dict(fields_of(ExperimentSpec))
    for path, field in fields.items():
        if path == "activation":
            yield _own("activation", "text", "Label of the activation, such as `relu` or `swish(beta=2)`.")
            meaning = "The activation as posted: name or formula, and parameters."
            yield Column("activation_spec", "object", meaning, lambda experiment, _: experiment.spec["activation"])
        elif not any(other.startswith(f"{path}.") for other in fields):
            name, read = path.replace(".", "_"), partial(_spec_value, path=path)
            yield Column(name, kind_of(field.annotation), _meaning(path, field), read)


def _spec_value(experiment: Any, _: Any, *, path: str) -> Any:
    return value_at(experiment.spec, path)


def _part_columns(model: type[BaseModel], attempt: Column, *, after: str) -> Iterator[Column]:
    """Yield a column for each field of an epoch or a layer, and that of the attempt after the field `after`."""
    for name, field in model.model_fields.items():
        yield _part(name, kind_of(field.annotation), _meaning(name, field))
        if name == after:
            yield attempt


def kind_of(annotation: Any) -> Kind:
    """Return the kind of column that holds a field of a model. Raises TypeError for a type that no column holds."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind_of(arguments[0])
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return kind_of(inner)
    if origin is list:
        kind = _LIST_KINDS.get(_bare(arguments[0]))
    else:
        kind = _KINDS.get(annotation if origin is None else origin)
    if kind is None:
        raise TypeError(f"no column of an export holds {annotation}")
    return kind


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _meaning(path: str, field: FieldInfo) -> str:
    """Return the description of a field, with its values where it has a few."""
    if field.description is None:
        raise TypeError(f"{path} needs a description, which documents its column in exports")
    if get_origin(field.annotation) is not Literal:
        return field.description
    *others, last = (f"`{value}`" for value in get_args(field.annotation))
    return f"{field.description.removesuffix('.')}: {', '.join(others)} or {last}."


def _part(name: str, kind: Kind, meaning: str) -> Column:
    """A column of a row that is a part of an experiment."""
    return Column(name, kind, meaning, lambda _, part: getattr(part, name))


def _non_finite(experiment: Any, _: Any) -> list[str]:
    """Return the figures that every success has and that this one lacks, since they were not finite."""
    always = ("test_loss", "best_test_loss")
    return [name for name in always if experiment.status == "succeeded" and getattr(experiment, name) is None]


SPEC = tuple(_spec_columns())
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
    _own("validation_accuracy", "real", "Accuracy on the validation images after the last epoch, a fraction."),
    _own("validation_loss", "real", "Mean cross-entropy on the validation images after the last epoch, in nats."),
    _own("best_validation_accuracy", "real", "Accuracy on the validation images at `best_epoch`."),
    _own("best_validation_loss", "real", "Lowest mean cross-entropy on the validation images, in nats."),
    _own("seconds", "real", "Training time in seconds."),
    _own("early_loss", "real", "Mean validation loss at 20 even checks within epochs 1 and 2."),
    _own("images_per_second", "real", "Pace of training, the median over epochs."),
    Column("non_finite", "texts", "Figures that were infinite or NaN, which are null.", _non_finite),
    _own("device", "text", "Kind of device that it was trained on."),
    _own("device_name", "text", "Processor or GPU that it was trained on."),
    _own("threads", "integer", "CPU threads that it was trained with."),
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

EPOCHS = (
    *_EXPERIMENT,
    *_part_columns(EpochMetrics, _part("attempt", "integer", "Attempt that trained it."), after="epoch"),
)

DIAGNOSTICS = (
    *_EXPERIMENT,
    *_part_columns(LayerDiagnostics, _part("attempt", "integer", "Attempt that measured it."), after="position"),
)

SHEETS: Mapping[ExportRows, tuple[Column, ...]] = {
    "experiments": EXPERIMENTS,
    "epochs": EPOCHS,
    "diagnostics": DIAGNOSTICS,
}
"""The columns of each kind of row, in order."""
