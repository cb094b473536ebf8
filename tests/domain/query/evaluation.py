"""The meaning of a query in plain Python, over records as mappings of fields to values."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from service.domain.query.conditions import AllOf, AnyOf, Condition, Never, Not, Term

Record = Mapping[str, Any]
"""The value of each field; None without one, a set of a field with several, and a tuple where all must comply."""

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(condition: Condition, record: Record) -> bool:
    """Return whether a record meets a condition."""
    match condition:
        case AllOf(parts):
            return all(holds(part, record) for part in parts)
        case AnyOf(parts):
            return any(holds(part, record) for part in parts)
        case Not(part):
            return not holds(part, record)
        case Never():
            return False
        case Term():
            return _term(condition, record[condition.field])


def _term(term: Term, value: Any) -> bool:
    if isinstance(value, set | frozenset):
        return _of_set(term, value)
    if isinstance(value, tuple):
        return all(_compared(part, term.operator, term.values) for part in value)
    return _compared(value, term.operator, term.values)


def _of_set(term: Term, members: Any) -> bool:
    if "NULL" in term.operator:
        return bool(members) == (term.operator == "IS NOT NULL")
    plain = term.operator.removeprefix("NOT ").replace("!=", "=")
    found = any(_compared(member, plain, term.values) for member in members)
    return found == (plain == term.operator)


def _compared(value: Any, word: str, values: Sequence[Any]) -> bool:
    if "NULL" in word:
        return (value is None) == (word == "IS NULL")
    if value is None:
        return False
    if word in ORDER:
        return ORDER[word](value, values[0])
    plain = word.removeprefix("NOT ")
    found = value in values if plain == "IN" else _like(value, values[0], plain)
    return found == (plain == word)


def _like(value: str, pattern: str, word: str) -> bool:
    wild = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_", "\\\\": r"\\"}
    tokens = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    expression = "".join(wild.get(token) or re.escape(token) for token in tokens)
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if word == "ILIKE" else 0)) is not None
