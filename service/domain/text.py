"""Text that clients send, bounded and storable in every database."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _storable(text: str) -> str:
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in text):
        raise PydanticCustomError("control_character", "Control characters other than newline and tab are not allowed")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
    return text


def _once(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def printable(text: str) -> str:
    """Return the text with halves of surrogate pairs, which have no UTF-8, as escapes."""
    return text.encode("utf-8", errors="backslashreplace").decode()


def storable(text: str) -> str:
    """Return the text with escapes for what no database takes: halves of surrogate pairs, and NUL, which PostgreSQL
    refuses."""
    return printable(text).replace("\0", "\\x00")


Text = Annotated[str, AfterValidator(_storable)]
LONGEST_NAME = 200
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_storable)]
Tag = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_storable)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_once)]
Notes = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
