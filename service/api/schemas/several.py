"""Parameters that take one value or several, of which any may match."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

T = TypeVar("T")

MOST_VALUES = 100


class _OneOrSeveral:
    """Describes the list as one value, a list of values, or null, all of which it may be written as."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        several = handler(schema)
        return {"anyOf": [several["items"], several, {"type": "null"}]}


def _listed(value: Any) -> Any:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


Several = Annotated[list[T], Field(max_length=MOST_VALUES), BeforeValidator(_listed), _OneOrSeveral()]
"""A query parameter that may be repeated; in a body, a value or a list of values. Several values mean any of them."""


def distinct(values: Iterable[T]) -> tuple[T, ...]:
    """Return values without repetitions, in an order of their own, so that equal filters are equal."""
    return tuple(sorted(set(values)))  # type: ignore[type-var]
