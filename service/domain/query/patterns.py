"""Patterns of LIKE: `%` is any text and `_` any character. A backslash makes a `%`, `_` or backslash after it plain."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Piece(NamedTuple):
    """A character of a pattern, and whether it is a wildcard."""

    char: str
    wild: bool


def pieces(pattern: str) -> Iterator[Piece]:
    """Yield the characters of a pattern. A backslash before another character is a plain one."""
    place = 0
    while place < len(pattern):
        char, after = pattern[place], pattern[place + 1 : place + 2]
        escaped = char == "\\" and after != "" and after in "%_\\"
        yield Piece(after, False) if escaped else Piece(char, char in "%_")
        place += 2 if escaped else 1


def as_like(pattern: str) -> str:
    """Return a pattern for SQL's LIKE with a backslash as the escape, in which every backslash escapes."""
    return "".join(
        piece.char if piece.wild or piece.char not in "%_\\" else f"\\{piece.char}" for piece in pieces(pattern)
    )


def as_glob(pattern: str) -> str:
    """Return a pattern for SQLite's GLOB, which heeds case."""
    wild = {"%": "*", "_": "?"}
    return "".join(
        wild[piece.char] if piece.wild else f"[{piece.char}]" if piece.char in "*?[" else piece.char
        for piece in pieces(pattern)
    )


def matches(pattern: str, text: str, *, ignore_case: bool) -> bool:
    """Return whether a text matches a pattern."""
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild[piece.char] if piece.wild else re.escape(piece.char) for piece in pieces(pattern))
    return re.fullmatch(expression, text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None
