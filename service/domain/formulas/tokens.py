"""Split formulas into tokens, and report errors with their column."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from service.domain.formulas import remedies

Kind = Literal["number", "name", "symbol", "end"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|<=|>=|[-+*/<>(),=]))"
)  # \s: all white space of Unicode, since pages and word processors separate by U+00A0


class FormulaError(ValueError):
    """An error in a formula: the column (from 1), the text that was found there, and the text that was expected."""

    def __init__(self, column: int, found: str, expected: str) -> None:
        super().__init__(f"Column {column}: found {found}, expected {expected}")
        self.column = column
        self.found = found
        self.expected = expected


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    column: int  # from 1

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else shortened(self.text)


def tokens(text: str) -> Iterator[Token]:
    """Iterate over the tokens of a text, the last of which is the end. Raises FormulaError for a character that begins
    no token."""
    position = 0
    name: str | None = None
    words: list[str] = []
    while match := _TOKEN.match(text, position):
        kind = cast(Kind, match.lastgroup)
        yield Token(kind, match[kind], match.start(kind) + 1)
        position, name = match.end(), match["name"]
        words += [name] if name in remedies.STATEMENTS else []
    rest = text[position:].lstrip()
    column = len(text) - len(rest) + 1
    if rest:
        remedy = remedies.WORDS[words[0]] if words else remedies.of_symbol(rest[0], name)
        raise FormulaError(column, ascii(rest[0]), remedy)
    yield Token("end", "", column)


def shortened(text: str) -> str:
    """Quote the first 30 characters of a text, in ASCII."""
    return ascii(text if len(text) <= 30 else f"{text[:30]}...")
