"""The tree of a query that has been read: its names and values are checked, and every name is the field's own.

Every condition is true or false of a record, never unknown: a comparison with a field that has no value is false, and
NOT of it is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "IN", "NOT IN",
                   "IS NULL", "IS NOT NULL"]  # fmt: skip
Value: TypeAlias = str | float | bool | datetime | UUID
"""The value that a field is compared with; of a number, a float."""


@dataclass(frozen=True)
class Term:
    """A comparison of one field: with one value, with several for IN and NOT IN, and with none for IS (NOT) NULL."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True)
class AllOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    condition: Condition


@dataclass(frozen=True)
class Never:
    """A condition that no record meets."""


Condition: TypeAlias = Term | AllOf | AnyOf | Not | Never


@dataclass(frozen=True)
class Query:
    """A query: its text, and the condition that the text stands for."""

    text: str
    condition: Condition
