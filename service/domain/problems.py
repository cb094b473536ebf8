"""Pydantic's validation errors as field problems: the place, the reason with its bound, and the value."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.domain.errors import FieldProblem


def pointer(location: Sequence[str | int]) -> str:
    """Return the JSON pointer (RFC 6901) of a path into a body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def field_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """Return one problem an error. A validator that checks a member of its field names it in the context as `at`."""
    return [_problem(error) for error in errors]


def _problem(error: Mapping[str, Any]) -> FieldProblem:
    location = tuple(error["loc"])
    context = error.get("ctx", {})
    at = context.get("at")
    value = error["input"]
    if at is not None:
        location = (*location, at)
        value = value.get(at) if isinstance(value, dict) else value
    missing = error["type"] == "missing"
    shown = None if missing else value
    return FieldProblem(pointer(location), _reason(error), error["type"], shown, column=context.get("column"))


_WORDS = {
    "extra_forbidden": "There is no such field",
    "missing": "This field is required",
    "model_type": "Should be an object",
    "model_attributes_type": "Should be an object",
    "dict_type": "Should be an object",
    "string_unicode": "Half a surrogate pair is not a character",
}


def _reason(error: Mapping[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ").replace("Input should be", "Should be")
    return _WORDS.get(error["type"], message)
