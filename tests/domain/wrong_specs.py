"""Values of every field of a submission that are refused: below, above, of a wrong type, or not a number."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel

from service.domain.spec import LARGEST_SAFE_INTEGER


@dataclass(frozen=True)
class Wrong:
    """A wrong body. `says` is part of the reason; `at` is the pointer, where it is not that of the field."""

    path: str
    value: Any
    says: str
    at: str | None = None

    @property
    def pointer(self) -> str:
        return self.at or "/" + self.path.replace(".", "/")

    @property
    def body(self) -> dict[str, Any]:
        """A submission that is right but for this."""
        value: Any = self.value
        for name in reversed(self.path.split(".")):
            value = {name: value}
        complete: dict[str, Any] = {"activation": {"name": "swish"}, "early_stopping": {}}
        if self.path == "activation":
            return {"activation": self.value}
        return complete | {name: _merged(complete.get(name), fields) for name, fields in value.items()}

    def __str__(self) -> str:
        return f"{self.path}={self.value!r}"[:60]


def _merged(complete: Any, value: Any) -> Any:
    return complete | value if isinstance(complete, dict) and isinstance(value, dict) else value


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield dotted paths of the fields that hold no further object."""
    for name, field in model.model_fields.items():
        parts = [part for part in get_args(field.annotation) if part is not NoneType]
        kind = parts[0] if len(parts) == 1 else field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def _integers(path: str, least: int, most: int) -> list[Wrong]:
    below, above = f"greater than or equal to {least}, got {least - 1}", f"less than or equal to {most}, got {most + 1}"
    return [
        Wrong(path, least - 1, below),
        Wrong(path, most + 1, above),
        Wrong(path, 10**400, "an integer of 1329 bits"),
        *(Wrong(path, value, "valid integer") for value in ("3", 2.5, True, [3], {"value": 3})),
        Wrong(path, math.nan, "got NaN"),
        Wrong(path, math.inf, "got an infinite number"),
    ]


def _numbers(path: str, below: float, above: float) -> list[Wrong]:
    return [
        Wrong(path, below, f"got {below}"),
        Wrong(path, above, f"less than{'' if above == 1.0 else ' or equal to'}"),
        Wrong(path, 10**400, "an integer of 1329 bits"),
        *(Wrong(path, value, "valid number") for value in ("0.5", True, [0.5])),
        Wrong(path, math.nan, "finite number, got NaN"),
        Wrong(path, -math.inf, "finite number, got an infinite number"),
    ]


def _flags(path: str) -> list[Wrong]:
    return [Wrong(path, value, "valid boolean") for value in (1, "true", [True], 0.0)]


def _choices(path: str, some: str) -> list[Wrong]:
    return [Wrong(path, value, f"'{some}'") for value in ("", "nothing", some.upper(), f"{some} ", 1, [some], True)]


def _texts(path: str, most: int) -> list[Wrong]:
    return [
        Wrong(path, "x" * (most + 1), f"at most {most} characters"),
        Wrong(path, "a\0b", "Control characters"),
        Wrong(path, "\x1b[31m", "Control characters"),
        Wrong(path, "\ud800", "surrogate"),
        *(Wrong(path, value, "valid string") for value in (1, True, ["x"], {"x": 1})),
    ]


WRONG: list[Wrong] = [
    *(Wrong("activation", value, says, at) for value, says, at in (
        ("sigmoidal", "choose one of", "/activation/name"), ("", "choose one of", "/activation/name"),
        (1, "an object, got 1", "/activation"), (["relu"], "an object", "/activation"),
        ({"parameters": {}}, "required", "/activation/name"), ({"name": "relu", "x": 1}, "no such", "/activation/x"),
    )),
    Wrong("activation.name", 1, "valid string"),
    *_integers("activation.version", 1, 2**31 - 1),
    Wrong("activation.version", 1, "No formula is registered", "/activation/name"),
    Wrong("activation", {"version": 1, "formula": "x"}, "required", "/activation/name"),
    *(Wrong("activation", value, says, f"/activation/{at}") for value, says, at in (
        ({"formula": "x +"}, "Column 4: found the end", "formula"),
        ({"formula": ""}, "Column 1: found the end", "formula"),
        ({"formula": "a * x"}, "the unknown name 'a'", "formula"),
        ({"formula": "x * x.__class__"}, "Column 6: found '.'", "formula"),
        ({"formula": "\ud800"}, "Column 1: found '\\ud800'", "formula"),
        ({"formula": "x", "parameters": {"a": 1}}, "does not use a", "parameters"),
        ({"formula": "x", "parameters": {"exp": 1}}, "cannot name a parameter", "parameters/exp"),
        ({"formula": "x * a", "parameters": {"a": 10**7}}, "must lie from", "parameters/a"),
        ({"formula": "x * a", "parameters": {"a": {"value": math.nan}}}, "finite", "parameters/a/value"),
        ({"formula": "x", "parameters": {f"a{i}": 1 for i in range(9)}}, "at most 8", "parameters"),
    )),
    *(Wrong("activation.formula", value, "valid string") for value in (1, True, ["x"])),
    Wrong("activation.formula", "x", "not both"),
    *(Wrong("activation.parameters", value, says, at) for value, says, at in (
        ([1], "an object", None),
        ({"gamma": 1}, "swish has no parameter gamma, got 1", "/activation/parameters/gamma"),
        ({"beta": "1"}, "an object, got '1'", "/activation/parameters/beta"),
        ({"beta": -10**6}, "must lie from", "/activation/parameters/beta"),
        ({"beta": 10**6}, "must lie from", "/activation/parameters/beta"),
        ({"beta": math.nan}, "finite number", "/activation/parameters/beta/value"),
        ({"beta": 10**400}, "1329 bits", "/activation/parameters/beta/value"),
        ({"beta": {"value": 1, "learnable": 1}}, "valid boolean", "/activation/parameters/beta/learnable"),
        ({"\ud800": 1}, "surrogate", "/activation"),
    )),
    *_choices("dataset", "mnist"),
    *_integers("epochs", 1, 1000),
    *(Wrong("model.conv_channels", value, says, at) for value, says, at in (
        ([32], "two numbers of channels, or an empty list", None), ([32, 64, 128], "at most 2", None),
        (32, "valid list", None),
        ([0, 64], "greater than or equal to 1", "/model/conv_channels/0"),
        ([32, 513], "less than or equal to 512", "/model/conv_channels/1"),
        ([32, "64"], "valid integer", "/model/conv_channels/1"),
    )),
    *_integers("model.dense_units", 1, 4096),
    *_integers("model.dense_layers", 0, 20),
    *_flags("model.batch_norm"),
    *_choices("model.pool", "max"),
    *_choices("model.init", "he_normal"),
    *_integers("batch_size", 1, 8192),
    Wrong("batch_size", 1, "Batch normalisation needs at least 2"),
    *_numbers("dropout.conv", -0.1, 1.0),
    *_numbers("dropout.dense", -0.1, 1.0),
    Wrong("dropout", "0.5", "an object, got '0.5'"),
    Wrong("dropout", True, "an object, got True"),
    Wrong("dropout", {"both": 0.5}, "no such field", "/dropout/both"),
    *_integers("seed", 0, LARGEST_SAFE_INTEGER),
    *_numbers("validation_fraction", 0, 0.6),
    Wrong("train_samples", 19, "greater than or equal to 20"),
    Wrong("train_samples", 60_000, "mnist has 54000 training images"),
    *(Wrong("train_samples", value, "valid integer") for value in ("100", 100.5, True)),
    Wrong("train_samples", 10**400, "an integer of 1329 bits"),
    *(Wrong("classes", value, says, at) for value, says, at in (
        ([1], "at least 2", None), ([0, 10], "less than or equal to 9", "/classes/1"),
        ([0, 1] * 6, "at most 10", None), ([1, 1], "once", None), ("01", "valid list", None),
        ([-1, 1], "greater than or equal to 0", "/classes/0"), ([1, "2"], "valid integer", "/classes/1"),
    )),
    *_choices("optimizer.name", "adam"),
    *_numbers("optimizer.learning_rate", 0, 100.5),
    *_numbers("optimizer.momentum", -0.1, 1.0),
    Wrong("optimizer.momentum", 0.5, "Only sgd"),
    *_numbers("optimizer.l2", -1e-9, 1.1),
    *_choices("schedule", "cosine"),
    *_numbers("max_seconds", 0, 31_536_001),
    *_choices("output", "softmax"),
    *_integers("early_stopping.patience", 1, 1000),
    *_numbers("early_stopping.min_delta", -1.0, 101),
    *_choices("precision", "bfloat16"),
    *_flags("diagnostics"),
    *_integers("priority", 0, 9),
    *_texts("name", 200),
    *_texts("notes", 10_000),
    *(Wrong("tags", value, says, at) for value, says, at in (
        ("a", "valid list", None), (["x"] * 21, "at most 20", None), ([""], "at least 1", "/tags/0"),
        (["ok", "x" * 61], "at most 60", "/tags/1"), (["\0"], "Control", "/tags/0"), ([1], "string", "/tags/0"),
        (["\udfff"], "surrogate", "/tags/0"),
    )),
]  # fmt: skip
