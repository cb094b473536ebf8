"""Fields within fields, as JSON has them: merging them, and reading and setting a value by its path."""

from collections.abc import Mapping, Sequence
from typing import Any


def merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return both merged, objects within objects too; `own` has precedence. An activation is taken whole."""
    fields = dict(shared)
    for name, value in own.items():
        shared_value = as_object(name, fields.get(name))
        are_objects = isinstance(shared_value, dict) and isinstance(value, dict) and name != "activation"
        fields[name] = merged(shared_value, value) if are_objects else value
    return fields


def has(values: Any, path: Sequence[str]) -> bool:
    """True if these fields hold a value at the path, or within it."""
    if not path or not isinstance(values, dict):
        return True
    return path[0] in values and has(as_object(path[0], values[path[0]]), path[1:])


def without(values: Mapping[str, Any], paths: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a copy without the values at these paths."""
    rest: dict[str, Any] = {}
    for name, value in values.items():
        inner = [path[1:] for path in paths if path[0] == name]
        if not inner:
            rest[name] = value
        elif all(inner) and isinstance(fields := as_object(name, value), dict):
            rest[name] = without(fields, inner)
    return rest


def with_value(values: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """Return a copy with `value` at the path."""
    head, *rest = path
    inner = values.get(head)
    return {**values, head: with_value(as_object(head, {} if inner is None else inner), rest, value) if rest else value}


def as_object(field: str, value: Any) -> Any:
    """Return a field that has a short form as an object, so that a factor can reach into it."""
    if field == "activation" and isinstance(value, str):
        return {"name": value}
    if field == "dropout" and isinstance(value, int | float):
        return {"conv": value, "dense": value}
    return value
