"""Values of comparisons: their kinds, the words that they are written as, and the operators of each kind."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from lark import Token

from service.domain.query.conditions import Operator, Value
from service.domain.query.errors import QueryError, shortened
from service.domain.query.fields import Field, Kind

_EQUAL: tuple[Operator, ...] = ("=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL")
_ORDERED: tuple[Operator, ...] = (*_EQUAL, "<", "<=", ">", ">=")
_PATTERN: tuple[Operator, ...] = (*_EQUAL, "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE")

OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    "text": _PATTERN, "choice": _PATTERN, "list": _PATTERN, "labels": _PATTERN, "number": _ORDERED, "time": _ORDERED,
    "boolean": _EQUAL, "id": _EQUAL, "studies": _EQUAL,
}  # fmt: skip


def unquoted(word: str) -> str:
    """Return the text of a quoted word, in which a doubled quotation mark stands for one."""
    quote = word[0]
    return word[1:-1].replace(quote * 2, quote) if quote in "'\"" else word[1:-1]


def value_of(field: Field, operator: Operator, word: Token) -> Value:
    """Return the value that a word is for a field. Raises QueryError where it is of another kind."""
    if "LIKE" in operator:
        return _text(word)
    match field.kind:
        case "number":
            return _number(field, word)
        case "time":
            return _time(field, word)
        case "boolean":
            return _boolean(field, word)
        case "id" | "studies":
            return _id(field, word)
        case "choice":
            return _choice(field, word)
        case "list":
            return _quoted(field, word).replace(" ", "")
        case "text" | "labels":
            return _quoted(field, word)


def _wrong(field: Field, word: Token, expected: str) -> QueryError:
    reason = f"{field.name} is compared with {expected}, not with {shortened(str(word))}"
    return QueryError((word.start_pos or 0) + 1, reason, "query_value")


def _quoted(field: Field, word: Token) -> str:
    if word.type != "STRING":
        raise _wrong(field, word, f"a text; quote it, as in '{word}'")
    return _text(word)


def _text(word: Token) -> str:
    text = unquoted(word)
    if any((ord(char) < 32 and char not in "\n\t") or 0xD800 <= ord(char) <= 0xDFFF for char in text):
        reason = "A text has no control characters and no half of a surrogate pair; leave them out"
        raise QueryError((word.start_pos or 0) + 1, reason, "query_value")
    return text


def _number(field: Field, word: Token) -> float:
    text = unquoted(word).strip() if word.type == "STRING" else str(word)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(field, word, "a number, such as 0.001")
    return number


def _time(field: Field, word: Token) -> datetime:
    """Read ISO 8601, in UTC where no zone is named, or milliseconds since 1970."""
    try:
        if word.type == "NUMBER":
            return datetime.fromtimestamp(float(word) / 1000, UTC)
        time = datetime.fromisoformat(unquoted(word).strip() if word.type == "STRING" else "")
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise _wrong(field, word, "a time, such as '2026-01-31' or '2026-01-31T12:00:00Z'") from None


def _boolean(field: Field, word: Token) -> bool:
    text = (unquoted(word) if word.type == "STRING" else str(word)).lower()
    if text not in ("true", "false"):
        raise _wrong(field, word, "true or false")
    return text == "true"


def _id(field: Field, word: Token) -> UUID:
    try:
        return UUID(unquoted(word) if word.type == "STRING" else "")
    except ValueError:
        raise _wrong(field, word, "an id, a UUID in quotes") from None


def _choice(field: Field, word: Token) -> str:
    text = _quoted(field, word)
    choice = field.choices.get(text) or field.choices.get(text.lower())
    if choice is None:
        raise _wrong(field, word, f"one of {', '.join(dict.fromkeys(field.choices.values()))}")
    return choice
