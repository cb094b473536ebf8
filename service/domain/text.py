"""Types and escapes for texts of clients: of limited length, with Unix line ends, without other control characters."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError


def _with_unix_line_ends(text: Any) -> Any:
    """Replace the line ends of Windows and of old Macs by a newline. Forms of browsers send the first."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


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


# Before any other check, so that a limit counts the characters that are stored.
_UnixLineEnds = BeforeValidator(_with_unix_line_ends)

Text = Annotated[str, AfterValidator(_storable), _UnixLineEnds]
LONGEST_NAME = 200
Name = Annotated[str, Field(max_length=LONGEST_NAME), AfterValidator(_storable), _UnixLineEnds]
Tag = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_storable), _UnixLineEnds]
MOST_TAGS = 20
Tags = Annotated[list[Tag], Field(max_length=MOST_TAGS), AfterValidator(_without_duplicates)]
Notes = Annotated[str, Field(max_length=10_000), AfterValidator(_storable), _UnixLineEnds]
