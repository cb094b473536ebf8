"""Types and escapes for texts of clients: of limited length, without control characters and lone surrogates."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError


def _storable(text: str) -> str:
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in text):
        raise PydanticCustomError("control_character", "Control characters other than newline and tab are not allowed")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise PydanticCustomError("lone_surrogate", "Half a surrogate pair is not a character")
    return text


def _without_duplicates(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


def printable(text: str) -> str:
    """Escape lone surrogates, which cannot be encoded in UTF-8."""
    return text.encode("utf-8", errors="backslashreplace").decode()


def storable(text: str) -> str:
    """Escape lone surrogates and NUL, which PostgreSQL does not store."""
    return printable(text).replace("\0", "\\x00")


Text = Annotated[str, AfterValidator(_storable)]
LONGEST_NAME = 200
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_storable)]
Tag = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_storable)]
Tags = Annotated[list[Tag], Field(max_length=20), AfterValidator(_without_duplicates)]
Notes = Annotated[str, Field(max_length=10_000), AfterValidator(_storable)]
