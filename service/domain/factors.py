"""Factors: dotted paths into a spec, and the values that a comparison groups by."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.domain.activations.selection import ActivationSpec
from service.domain.comparisons.cells import Factor
from service.domain.errors import FieldProblem, Invalid
from service.domain.spec import ExperimentSpec, complete, value_at


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, ActivationSpec):
            yield from _paths(kind, f"{prefix}{name}.")


FACTORS = tuple(path for path in _paths(ExperimentSpec) if path != "seed")
"""Every path to group by. Seeds are no factor: they are what a group repeats."""


NO_EFFECT = frozenset({"seed", "diagnostics", "max_seconds"})
"""Fields that change no figure of a run that ends, or, the seed, only by chance."""


def check(paths: list[str], parameter: str) -> None:
    """Invalid, naming the parameter, for a path that no spec has or that is given twice."""
    for index, path in enumerate(paths):
        if path in paths[:index]:
            reason = "Give each path once"
            raise Invalid(f"{parameter}: {reason}.", errors=[FieldProblem(parameter, reason, "repeated_value", path)])
        if path not in FACTORS:
            reason = f"{path!r} is not a spec field to group by; there are {', '.join(FACTORS)}"
            raise Invalid(f"{parameter}: {reason}.", errors=[FieldProblem(parameter, reason, "unknown_factor", path)])


def groupable(path: str) -> str:
    """What to group by for a study's factor: the path itself, or the field that it is a part of where there is no
    grouping by the part (a parameter of an activation, the patience of early stopping)."""
    while path not in FACTORS:
        path = path.rpartition(".")[0]
    return path


def value(spec: Mapping[str, Any], path: str) -> Factor:
    """The value at a path of a stored spec: an activation by its label, one dropout for both places as that number,
    and what else is not a single value as JSON text."""
    stored = value_at(spec, path)
    if path == "activation":
        return ActivationSpec.model_validate(stored).label
    if path == "dropout" and stored["conv"] == stored["dense"]:
        return plain(stored["conv"])
    return plain(stored)


def plain(value: Any) -> Factor:
    """A value as a factor: what is not a single value becomes JSON text."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def without(spec: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """A stored spec without the values at these paths; what it keeps is the spec's own."""
    rest: dict[str, Any] = dict(spec)
    for path in paths:
        first, _, inner = path.partition(".")
        if not inner:
            rest.pop(first, None)
        elif isinstance(rest.get(first), Mapping):
            rest[first] = without(rest[first], [inner])
    return rest


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The top-level fields in which two stored specs, or parts of them, differ, except those that change no figure."""
    one, other = complete(one), complete(other)
    return [name for name in {**one, **other} if name not in NO_EFFECT and one.get(name) != other.get(name)]
