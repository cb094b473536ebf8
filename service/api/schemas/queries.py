"""The parameter `query`: a text in the query language, which is read when it is validated."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from service.domain.query.conditions import Query
from service.domain.query.errors import QueryError
from service.domain.query.fields import EXPERIMENTS, STUDIES, Catalogue
from service.domain.query.grammar import LONGEST_QUERY
from service.domain.query.parser import parse

ABOUT = (
    "A condition in the query language, which docs/query.md describes: comparisons joined by AND, OR, NOT and"
    " parentheses. It holds together with the other filters."
)


@dataclass(frozen=True)
class _TextOf:
    """Validates a text into a query over the fields of a catalogue; the schema describes the text."""

    catalogue: Catalogue
    example: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        text = {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY, "examples": [self.example]}
        return {"anyOf": [text, {"type": "null"}], "description": ABOUT}

    def _read(self, value: Any) -> Query | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "Should be a text")
        try:
            return parse(value, self.catalogue)
        except QueryError as error:
            context = {"reason": error.reason, "column": error.column}
            raise PydanticCustomError(error.code, "{reason} (column {column})", context) from error


ExperimentQuery = Annotated[
    Query | None, _TextOf(EXPERIMENTS, "test_accuracy > 0.9 AND activation IN ('relu', 'swish')")
]
StudyQuery = Annotated[Query | None, _TextOf(STUDIES, "name LIKE 'depth%' AND NOT tag = 'draft'")]
