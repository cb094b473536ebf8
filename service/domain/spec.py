"""The declarative spec of one experiment: fields, bounds and defaults (the main article's), validated once."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, to_jsonable_python
from pydantic_core.core_schema import ValidationInfo

from service.domain.activations.finite import check_finite_somewhere
from service.domain.activations.registry import REGISTRY, Registry
from service.domain.activations.selection import ActivationSelection, ActivationSpec
from service.domain.activations.selection_schema import FORMULA_EXAMPLE
from service.domain.dataset_names import DatasetName
from service.domain.datasets import DATASETS, MOST_CLASSES, DatasetDefinition
from service.domain.strict import StrictModel
from service.domain.text import Name, Notes, Tags, printable

SPEC_VERSION = 3  # 2: registered activations; 3: networks without convolutions, or without hidden dense layers
"""Raised when a stored spec changes its meaning or holds something new; a worker claims only versions that it knows."""

LARGEST_SAFE_INTEGER = 2**53 - 1  # JSON numbers beyond it lose digits in JavaScript clients

DEFAULT_LEARNING_RATE = {"adam": 1e-3, "sgd": 1e-2, "adadelta": 1.0}


PRIORITIES = range(10)
Priority = Annotated[int, Field(ge=0, le=PRIORITIES[-1], description="0 to 9; 9 goes first.")]


Probability = Annotated[float, Field(ge=0, lt=1)]


class Dropout(StrictModel):
    """The shares of units dropped: `conv` after pooling, `dense` after the last dense activation."""

    conv: Probability = Field(0.25, description="Share dropped after pooling.")
    dense: Probability = Field(0.5, description="Share dropped after the last dense activation.")


def _two_or_none(channels: list[int]) -> list[int]:
    if len(channels) == 1:
        raise PydanticCustomError("one_convolution", "Give two numbers of channels, or an empty list: no convolutions")
    return channels


ConvChannels = Annotated[
    list[Annotated[int, Field(ge=1, le=512)]],
    Field(
        max_length=2,
        description="Channels of the two convolutions; an empty list leaves them out, and the pooling after them.",
        examples=[[32, 64], []],
        json_schema_extra={"anyOf": [{"maxItems": 0}, {"minItems": 2}]},
    ),
    AfterValidator(_two_or_none),
]


class ModelSpec(StrictModel):
    """The article's network, with the fields that the claims vary.

    Without convolutions and hidden dense layers it is softmax regression: `activation`, `batch_norm`, `pool` and
    `dropout` then have no effect.
    """

    conv_channels: ConvChannels = [32, 64]
    dense_units: int = Field(128, ge=1, le=4096, description="Units of each hidden dense layer.")
    dense_layers: int = Field(1, ge=0, le=20, description="Hidden dense layers; 0 leads straight to the output.")
    batch_norm: bool = Field(True, description="Whether batch normalisation is on.")
    pool: Literal["max", "avg"] = Field("max", description="Kind of pooling after each convolution.")
    init: Literal["glorot_uniform", "he_normal", "recommended"] = Field(
        "glorot_uniform", description="Initialisation of the weights."
    )

    @property
    def hidden_layers(self) -> int:
        """The number of hidden layers, each with its activation and, if there is any, its batch normalisation."""
        return len(self.conv_channels) + self.dense_layers


L2_TERM = (
    "Weight of the L2 term: the loss adds l2 * sum(w^2) over the kernels of the convolutions and of the first hidden"
    " dense layer; nothing where there are neither."
)


class OptimizerSpec(StrictModel):
    """The optimizer. A `learning_rate` of null takes the optimizer's own default: adam 1e-3, sgd 1e-2, adadelta 1.0."""

    name: Literal["adam", "sgd", "adadelta"] = Field("adam", description="Optimizer.")
    learning_rate: float | None = Field(
        None, gt=0, le=100, validate_default=True, description="Learning rate at the start."
    )
    momentum: float = Field(0.0, ge=0, lt=1, description="Momentum of SGD; the others have none.")
    l2: float = Field(1e-5, ge=0, le=1, description=L2_TERM)

    @field_validator("learning_rate")
    @classmethod
    def _default(cls, rate: float | None, info: ValidationInfo) -> float | None:
        return DEFAULT_LEARNING_RATE.get(info.data.get("name", "")) if rate is None else rate

    @field_validator("momentum")
    @classmethod
    def _sgd_only(cls, momentum: float, info: ValidationInfo) -> float:
        if momentum and info.data.get("name") != "sgd":
            raise PydanticCustomError("momentum_without_sgd", "Only sgd takes a momentum")
        return momentum


class EarlyStopping(StrictModel):
    """Stop when the validation loss has not fallen by more than `min_delta` for `patience` epochs."""

    patience: int = Field(5, ge=1, le=1000, description="Epochs without improvement before training stops.")
    min_delta: float = Field(0.0, ge=0, le=100, description="Fall of the validation loss that counts as improvement.")


def _named_in_unicode(value: Any) -> Any:
    # Pydantic fails to write half a surrogate pair into the message about an unknown parameter.
    parameters = value.get("parameters") if isinstance(value, dict) else None
    if isinstance(parameters, dict) and any(printable(name) != name for name in parameters):
        raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
    return value


def _dropout_from(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"conv": value, "dense": value}
    return value


_PROBABILITY_SCHEMA = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
_DROPOUT_SCHEMA = {
    "title": "Dropout",
    "anyOf": [
        _PROBABILITY_SCHEMA,
        {
            "title": "DropoutOfEach",
            "type": "object",
            # Here and not on the field: generators of clients take no default of a union that has an object.
            "properties": {
                "conv": _PROBABILITY_SCHEMA | {"default": 0.25},
                "dense": _PROBABILITY_SCHEMA | {"default": 0.5},
            },
            "additionalProperties": False,
        },
    ],
    "description": "One number for both places, or one each.",
    "examples": [0.25, {"conv": 0.25, "dense": 0.5}],
}


class ExperimentSpec(StrictModel):
    """All that decides what is trained. Two experiments with equal specs are the same experiment."""

    activation: Annotated[ActivationSelection, BeforeValidator(_named_in_unicode)] = Field(examples=["relu"])
    dataset: DatasetName = Field("mnist", description="Data set.")
    epochs: int = Field(20, ge=1, le=1000, description="Epochs to train.")
    model: ModelSpec = ModelSpec()
    batch_size: int = Field(128, ge=1, le=8192, description="Images a batch.")
    dropout: Annotated[Dropout, BeforeValidator(_dropout_from), WithJsonSchema(_DROPOUT_SCHEMA, mode="validation")] = (
        Field(default_factory=Dropout)
    )
    seed: int = Field(
        0, ge=0, le=LARGEST_SAFE_INTEGER, description="Seed of initialisation, order, dropout and random activations."
    )
    validation_fraction: float = Field(
        0.1, gt=0, le=0.5, description="Share of the training images held out for validation."
    )
    train_samples: int | None = Field(None, ge=20, description="A stratified subset of the training images; null: all.")
    classes: (
        Annotated[list[Annotated[int, Field(ge=0, le=MOST_CLASSES - 1)]], Field(min_length=2, max_length=MOST_CLASSES)]
        | None
    ) = Field(None, description="The classes to tell apart, by number; null: all of the data set.")
    optimizer: OptimizerSpec = OptimizerSpec()
    schedule: Literal["reduce_on_plateau", "none", "cosine"] = Field(
        "reduce_on_plateau", description="Schedule of the learning rate."
    )
    max_seconds: float | None = Field(
        None, gt=0, le=31_536_000, description="Limit on the training time, in seconds; null: none."
    )
    output: Literal["softmax", "sigmoid"] = Field("softmax", description="Function of the output layer.")
    early_stopping: EarlyStopping | None = None
    precision: Literal["auto", "float32", "bfloat16"] = Field("auto", description="Precision to train in.")
    diagnostics: bool = Field(True, description="Whether diagnostics are recorded.")

    @field_validator("batch_size")
    @classmethod
    def _batch_norm_needs_two(cls, batch_size: int, info: ValidationInfo) -> int:
        model: ModelSpec | None = info.data.get("model")
        if batch_size < 2 and model is not None and model.batch_norm and model.hidden_layers:
            raise PydanticCustomError(
                "batch_too_small",
                "Batch normalisation needs at least 2 images a batch; or set model.batch_norm to false",
            )
        return batch_size

    @field_validator("train_samples")
    @classmethod
    def _enough_images(cls, samples: int | None, info: ValidationInfo) -> int | None:
        definition = DATASETS.get(info.data.get("dataset", ""))
        fraction = info.data.get("validation_fraction")
        if samples is None or definition is None or fraction is None:
            return samples
        available = definition.training_images - definition.validation_images(fraction)
        if samples > available:
            raise PydanticCustomError(
                "too_many_samples",
                "{dataset} has {available} training images beside a validation share of {fraction}",
                {"dataset": definition.name, "available": available, "fraction": fraction},
            )
        return samples

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: list[int] | None) -> list[int] | None:
        if classes is not None and len(set(classes)) < len(classes):
            raise PydanticCustomError("repeated_class", "Each class may be named once")
        return None if classes is None else sorted(classes)

    @field_validator("classes")
    @classmethod
    def _of_the_data_set(cls, classes: list[int] | None, info: ValidationInfo) -> list[int] | None:
        definition = DATASETS.get(info.data.get("dataset", ""))
        if classes is not None and definition is not None and classes[-1] >= definition.classes:
            raise PydanticCustomError(
                "unknown_class",
                "{dataset} has the classes 0 to {last}",
                {"dataset": definition.name, "last": definition.classes - 1},
            )
        return classes

    @property
    def dataset_definition(self) -> DatasetDefinition:
        """The data set that `dataset` names."""
        return DATASETS[self.dataset]

    @property
    def labels(self) -> list[int]:
        """The classes to tell apart, in ascending order."""
        return list(range(self.dataset_definition.classes)) if self.classes is None else self.classes

    @property
    def condition(self) -> str:
        """The hash of everything but the seed; experiments that agree in it are repetitions of one condition."""
        return hash_of(self.model_dump(mode="json", exclude={"seed"}))


ORIGINAL_FIELDS = frozenset({
    "activation", "dataset", "epochs", "model", "model.conv_channels", "model.dense_units", "model.dense_layers",
    "model.batch_norm", "model.pool", "model.init", "batch_size", "dropout", "dropout.conv", "dropout.dense", "seed",
    "validation_fraction", "train_samples", "classes", "optimizer", "optimizer.name", "optimizer.learning_rate",
    "optimizer.momentum", "optimizer.l2", "schedule", "max_seconds", "output", "early_stopping",
    "early_stopping.patience", "early_stopping.min_delta", "precision", "diagnostics",
})  # fmt: skip
"""Dotted paths of the fields of version 0.1.0, which every stored spec holds and every hash of a spec includes.

A field that is added later is not entered here. It needs a default that never changes and does not depend on other
fields: a stored spec without the field means the default, and a hash leaves the field out while it has the default.
"""


@cache
def added_fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a spec that are not in ORIGINAL_FIELDS: path to default as JSON, outer fields first.

    An activation is one value here; its own model says how it is stored.
    Raises TypeError for an added field without a default, since no older spec could be read any more.
    """
    added = {}
    for path, field in fields_of(model):
        if path not in ORIGINAL_FIELDS:
            if field.is_required():
                raise TypeError(f"{path} was added to the spec without a default")
            added[path] = to_jsonable_python(field.get_default(call_default_factory=True, validated_data={}))
    return added


def complete(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a stored spec, or a part of one, with the added fields that it lacks at their defaults."""
    for path, default in added_fields(ExperimentSpec).items():
        stored = _with_default(stored, path.split("."), default)
    return stored


def value_at(stored: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path of a stored spec, the default where the spec is older than the field.

    None where an object around the value is null, as in `early_stopping.patience` without early stopping.
    """
    value: Any = stored
    names = path.split(".")
    for depth, name in enumerate(names, 1):
        if value is None:
            return None
        value = value[name] if name in value else added_fields(ExperimentSpec)[".".join(names[:depth])]
    return value


def hash_of(stored: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a stored spec, or of a part of one, without the added fields that have their defaults."""
    fields = complete(stored)
    for path, default in added_fields(ExperimentSpec).items():
        fields = _without_default(fields, path.split("."), default)
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def fields_of(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the dotted path and the definition of each field of a spec, outer fields first.

    An activation is one field.
    """
    for name, field in model.model_fields.items():
        yield above + name, field
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, ActivationSpec):
                yield from fields_of(kind, f"{above}{name}.")


def _with_default(fields: Mapping[str, Any], path: Sequence[str], default: Any) -> Mapping[str, Any]:
    name, *rest = path
    if not rest:
        return {**fields, name: fields.get(name, default)}
    inner = fields.get(name)
    return {**fields, name: _with_default(inner, rest, default)} if isinstance(inner, Mapping) else fields


def _without_default(fields: Mapping[str, Any], path: Sequence[str], default: Any) -> Mapping[str, Any]:
    name, *rest = path
    if not rest:
        return {key: value for key, value in fields.items() if key != name or value != default}
    inner = fields.get(name)
    return {**fields, name: _without_default(inner, rest, default)} if isinstance(inner, Mapping) else fields


EXAMPLES: list[Any] = [
    {"activation": "relu", "dataset": "mnist_5k", "epochs": 3, "seed": 0, "name": "a first look", "tags": ["quick"]},
    {
        "activation": {"name": "swish", "parameters": {"beta": {"value": 1.5, "learnable": True}}},
        "dataset": "mnist",
        "dropout": {"conv": 0.25, "dense": 0.5},
        "optimizer": {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
        "early_stopping": {"patience": 5},
        "priority": 5,
        "notes": "Does beta move?",
    },
    {"activation": FORMULA_EXAMPLE, "dataset": "mnist_5k", "epochs": 3, "name": "a formula of my own"},
]


class ExperimentSubmission(ExperimentSpec):
    """A spec, with the fields that file the experiment."""

    model_config = ConfigDict(json_schema_extra={"examples": EXAMPLES})

    priority: Priority = 0
    name: Name | None = None
    tags: Tags = []
    notes: Notes | None = None

    @field_validator("activation")
    @classmethod
    def _finite_somewhere(cls, activation: ActivationSpec, info: ValidationInfo) -> ActivationSpec:
        registry: Registry | None = (info.context or {}).get(REGISTRY)
        if registry is not None and not registry.archived:
            check_finite_somewhere(activation)
        return activation

    @property
    def spec(self) -> ExperimentSpec:
        # Valid already, and nothing in it changes: no copy and no second validation, which took 0.1 ms.
        return ExperimentSpec.model_construct(**{name: getattr(self, name) for name in ExperimentSpec.model_fields})

    @property
    def but_seed(self) -> str:
        """All of it but the seed as JSON, which is equal for repetitions."""
        return self.model_dump_json(exclude={"seed"})

    def with_seed(self, seed: int) -> Self:
        """Return the same with another seed, which must be a valid one."""
        return self.model_copy(update={"seed": seed})

    @classmethod
    def of(cls, spec: ExperimentSpec, **filing: Any) -> Self:
        return cls.model_validate({**spec.model_dump(), **filing})
