"""Factors: dotted paths into a spec, and the values that a comparison groups by."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from service.domain.activations.selection import ActivationSpec
from service.domain.comparisons.cells import Factor, Factors
from service.domain.errors import FieldProblem, Invalid
from service.domain.spec import ExperimentSpec, complete, value_at


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and not issubclass(kind, ActivationSpec):
            yield from _paths(kind, f"{prefix}{name}.")


FACTORS = tuple(path for path in _paths(ExperimentSpec) if path != "seed")
"""Every path to group by. The seed is no factor, since a group repeats its experiments over seeds."""


ALL_PAIRS = "all"
"""The value of `versus=` that asks for all pairs of groups."""

NO_EFFECT = frozenset({"seed", "diagnostics", "max_seconds"})
"""Fields that change no figure of a run that ends; the seed changes them only by chance."""


def check(paths: list[str], parameter: str) -> None:
    """Check paths to group by. Raises Invalid, naming the parameter, for a path that no spec has or that is given
    twice."""
    for index, path in enumerate(paths):
        if path in paths[:index]:
            reason = "Give each path once"
            raise Invalid(f"{parameter}: {reason}.", errors=[FieldProblem(parameter, reason, "repeated_value", path)])
        if path not in FACTORS:
            reason = f"{path!r} is not a spec field to group by; there are {', '.join(FACTORS)}"
            raise Invalid(f"{parameter}: {reason}.", errors=[FieldProblem(parameter, reason, "unknown_factor", path)])


def groupable(path: str) -> str:
    """Return the path to group by for a study's factor: itself, or the field around it.

    A part without grouping of its own (a parameter of an activation, the patience of early stopping) is grouped by its
    field.
    """
    while path not in FACTORS:
        path = path.rpartition(".")[0]
    return path


def value(spec: Mapping[str, Any], path: str) -> Factor:
    """Return the value at a path of a stored spec as a factor.

    An activation is its label, one dropout for both places that number, and any other object or list its JSON text.
    """
    stored = value_at(spec, path)
    if path == "activation":
        return ActivationSpec.model_validate(stored).label
    if path == "dropout" and stored["conv"] == stored["dense"]:
        return plain(stored["conv"])
    return plain(stored)


def group_named(name: Any, paths: Sequence[str], parameter: str, also: Sequence[str] = ()) -> Factors:
    """Return the factors that a group is named by: an object of them, or the value alone of the only factor.

    Either may be JSON text; text that is no JSON is a value. Raises Invalid, naming the parameter, for a name that is
    neither. `also` are factors that an object may have and that are no fields of the spec.
    """
    value = _decoded(name) if isinstance(name, str) else name
    if isinstance(value, dict) and value.keys() <= {*paths, *also}:
        return {path: plain(level) for path, level in value.items()}
    if len(paths) == 1:
        return {paths[0]: plain(value)}
    field = parameter.lstrip("/")
    reason = f"With {len(paths)} factors, give {field} as a JSON object of factors and values ({', '.join(paths)})"
    raise Invalid(f"{reason}.", errors=[FieldProblem(parameter, reason, "not_a_group", name)])


def versus_named(
    text: str | None, paths: Sequence[str], reference: Factors | None, also: Sequence[str] = ()
) -> Factors | None:
    """Return the group to compare the others with: the one that `versus=` names, else the reference.

    None stands for all pairs, which `all` asks for. Raises Invalid for the parameter. `also` as in `group_named`.
    """
    if text is None:
        return reference
    return None if text == ALL_PAIRS else group_named(text, paths, "versus", also)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def plain(value: Any) -> Factor:
    """Return a value as a factor: a list or an object as JSON text."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def without(spec: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return a stored spec without the values at these paths. The values that stay are not copied."""
    rest: dict[str, Any] = dict(spec)
    for path in paths:
        first, _, inner = path.partition(".")
        if not inner:
            rest.pop(first, None)
        elif isinstance(rest.get(first), Mapping):
            rest[first] = without(rest[first], [inner])
    return rest


def shared(specs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values that all of these stored specs have in common, by path."""
    if not specs:
        return {}
    first = {path: value_at(specs[0], path) for path in FACTORS}
    return {path: value for path, value in first.items() if all(value_at(spec, path) == value for spec in specs)}


def differing(spec: Mapping[str, Any], other_spec: Mapping[str, Any]) -> list[str]:
    """Return the top-level fields in which two stored specs, or parts of them, differ, except those that change no
    figure."""
    spec, other_spec = complete(spec), complete(other_spec)
    return [name for name in {**spec, **other_spec} if name not in NO_EFFECT and spec.get(name) != other_spec.get(name)]
