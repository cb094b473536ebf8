"""The grammar of queries: MLflow's filters, with OR, NOT, parentheses and IN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from service.domain.query.errors import QueryError, shortened

GRAMMAR = r"""
?start: any_of
any_of: all_of (_OR all_of)*
all_of: _condition (_AND _condition)*
_condition: negation | group | comparison
negation: NOT _condition
!group: "(" any_of ")"
comparison: FIELD COMPARISON _value
          | FIELD LIKE STRING
          | FIELD IN "(" _value ("," _value)* ")"
          | FIELD NULL
_value: STRING | NUMBER | BOOLEAN

_OR.2: /or(?![\w.])/i
_AND.2: /and(?![\w.])/i
NOT.2: /not(?![\w.])/i
FIELD: /(?:[^\W\d]\w*|`[^`]*`)(?:\.\w+)*(?:\.(?:"[^"]*"|`[^`]*`))?/
COMPARISON: /!=|<=|>=|=(?!=)|<(?!>)|>/
LIKE.2: /(?:not\s+)?i?like(?![\w.])/i
IN.2: /(?:not\s+)?in(?![\w.])/i
NULL.2: /is\s+(?:not\s+)?null(?![\w.])/i
STRING: /'(?:[^']|'')*'/ | /"(?:[^"]|"")*"/
NUMBER: /[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])/
BOOLEAN: /(?:true|false)(?![\w.])/i
%ignore /\s+/
"""
"""The grammar, in lark's notation. The words of the language are written in upper or lower case."""

LONGEST_QUERY = 4_000
MOST_TERMS = 100
DEEPEST = 20
"""The most characters of a query, its most comparisons, and the most levels of NOT and parentheses."""


@dataclass(frozen=True)
class RawTerm:
    """A comparison as it is written, with the positions of its words."""

    field: Token
    operator: Token
    values: Sequence[Token]


@dataclass(frozen=True)
class RawGroup:
    """Conditions joined by a word, or one after NOT."""

    word: str
    parts: Sequence[Raw]


Raw: TypeAlias = RawTerm | RawGroup


@dataclass(frozen=True)
class _Part:
    condition: Raw
    depth: int


class _Tree(Transformer[Token, _Part]):
    """Makes the tree from the bottom up while a text is read, so that no depth of a text is a depth of calls."""

    def comparison(self, words: Sequence[Token]) -> _Part:
        field, operator, *values = words
        return _Part(RawTerm(field, operator, values), 0)

    def negation(self, parts: Sequence[Any]) -> _Part:
        word, part = parts
        return _Part(RawGroup("NOT", [part.condition]), _deeper(word, part))

    def group(self, parts: Sequence[Any]) -> _Part:
        bracket, part, _ = parts
        return _Part(part.condition, _deeper(bracket, part))

    def all_of(self, parts: Sequence[_Part]) -> _Part:
        return _joined("AND", parts)

    def any_of(self, parts: Sequence[_Part]) -> _Part:
        return _joined("OR", parts)


def _deeper(word: Token, part: _Part) -> int:
    if part.depth == DEEPEST:
        reason = f"NOT and parentheses may be nested {DEEPEST} deep; leave out those that change nothing"
        raise QueryError(_column(word), reason, "query_too_deep")
    return part.depth + 1


def _joined(word: str, parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    return _Part(RawGroup(word, [part.condition for part in parts]), max(part.depth for part in parts))


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=_Tree())


def read(text: str) -> Raw:
    """Return the tree of a text. Raises QueryError for one that the grammar does not have, or that is too large."""
    if len(text) > LONGEST_QUERY:
        reason = f"A query has at most {LONGEST_QUERY} characters; this one has {len(text)}"
        raise QueryError(LONGEST_QUERY + 1, reason, "query_too_long")
    try:
        part: _Part = _parser().parse(text)  # type: ignore[assignment]  # typed as a tree, which the transformer replaces
    except UnexpectedInput as error:
        raise _unreadable(text, error) from None
    return part.condition


def _column(word: Token) -> int:
    return (word.start_pos or 0) + 1


_EXPECTED = [
    ({"FIELD"}, "a field, such as test_accuracy"),
    ({"COMPARISON"}, "an operator: =, !=, <, <=, >, >=, LIKE, ILIKE, IN (...) or IS NULL"),
    ({"NUMBER"}, "a value: a text in quotes, a number, true or false"),
    ({"STRING"}, "a pattern in quotes, such as 'sw%'"),
    ({"COMMA"}, "',' or ')'"),
    ({"_AND", "RPAR"}, "AND, OR or ')'"),
    ({"_AND"}, "AND, OR or the end"),
    ({"RPAR"}, "')'"),
    ({"LPAR"}, "'(' and values, as in activation IN ('relu', 'swish')"),
]
"""By words of the grammar that may follow, what to write; the first that fits counts."""

_REMEDIES = {
    "==": "= to compare",
    "<>": "!= for what differs",
    "&&": "AND between two conditions",
    "||": "OR between two conditions",
    "!": "NOT before a condition",
    "~": "NOT before a condition, or LIKE for a pattern",
    ";": "the end",
    "'": "a second quotation mark at the end of the text",
    '"': "a second quotation mark at the end of the text",
    "`": "a second backtick at the end of the name",
    "\N{LEFT SINGLE QUOTATION MARK}": "the ASCII quotation mark '",
    "\N{RIGHT SINGLE QUOTATION MARK}": "the ASCII quotation mark '",
    "\N{LEFT DOUBLE QUOTATION MARK}": 'the ASCII quotation mark "',
    "\N{RIGHT DOUBLE QUOTATION MARK}": 'the ASCII quotation mark "',
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
}
"""By what other languages and word processors write, what a query writes."""


def _unreadable(text: str, error: UnexpectedInput) -> QueryError:
    match error:
        case UnexpectedToken() if error.token.type == "$END":
            place, found = len(text.rstrip()), "the end"
        case UnexpectedToken():
            place, found = error.token.start_pos or 0, shortened(str(error.token))
        case UnexpectedCharacters():
            place, found = error.pos_in_stream or 0, shortened(text[error.pos_in_stream or 0])
        case _:
            place, found = len(text), "the end"
    expected = _expected(text[place:], _following(error))
    return QueryError(place + 1, f"Found {found}, expected {expected}", "query_syntax")


def _following(error: UnexpectedInput) -> set[str]:
    return set(getattr(error, "allowed", None) or getattr(error, "accepts", None) or ())


def _expected(rest: str, following: set[str]) -> str:
    for written, remedy in _REMEDIES.items():
        if rest.startswith(written):
            return remedy
    if rest[:7].upper() == "BETWEEN":
        return "an operator; write x >= a AND x <= b"
    if rest[:1].isalpha() and "NUMBER" in following:
        return "a value; a text is quoted, as in 'relu'"
    return next((words for kinds, words in _EXPECTED if kinds <= following), "the end")
