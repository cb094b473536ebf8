"""Formulas cut into tokens, and the errors that point into their text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

Kind = Literal["number", "name", "symbol", "end"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|<=|>=|[-+*/<>(),]))",
    re.ASCII,
)

_MEANT = {
    "^": "** for a power",
    "=": "<, <=, > or >= to compare",
    "!": "<, <=, > or >= to compare",
    "&": "the product of two comparisons, where both must hold",
    "|": "maximum of two comparisons, where either may hold",
    "[": "'('",
    "]": "')'",
    "{": "'('",
    "}": "')'",
    "\N{MINUS SIGN}": "the ASCII '-'",
    "\N{MULTIPLICATION SIGN}": "'*'",
    "\N{MIDDLE DOT}": "'*'",
    "\N{DIVISION SIGN}": "'/'",
}


class FormulaError(ValueError):
    """What is wrong with a formula, at which column (from 1), what stands there and what could have stood there."""

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
    """Every token and then the end. FormulaError for a character that begins none."""
    at = 0
    while match := _TOKEN.match(text, at):
        kind = cast(Kind, match.lastgroup)
        yield Token(kind, match[kind], match.start(kind) + 1)
        at = match.end()
    rest = text[at:].lstrip()
    column = len(text) - len(rest) + 1
    if rest:
        expected = _MEANT.get(rest[0], "a number, a name, an operator or a parenthesis")
        raise FormulaError(column, ascii(rest[0]), expected)
    yield Token("end", "", column)


def shortened(text: str) -> str:
    """A piece of the text, quoted, in ASCII and no longer than is good to read."""
    return ascii(text if len(text) <= 30 else f"{text[:30]}...")
