"""INSERT ... ON CONFLICT in the dialect of the session's database."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert(session: Session, table: type[DeclarativeBase] | Table) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT with the methods `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _insert(dialect_of(session), table)


def dialect_of(session: Session) -> str:
    return session.get_bind().dialect.name


def upsert_rows(
    session: Session, table: Table, rows: Sequence[dict[str, Any]], key: tuple[str, ...], *, unless_newer: str | None
) -> None:
    """Insert rows with the same columns; replace the stored row with the same key.

    A stored row stays if its value of the column `unless_newer` is the greater one.
    """
    session.execute(_upsert(dialect_of(session), table, tuple(rows[0]), key, unless_newer), rows)


@cache
def _upsert(
    dialect: str, table: Table, columns: tuple[str, ...], key: tuple[str, ...], unless_newer: str | None
) -> postgresql.Insert | sqlite.Insert:
    statement = _insert(dialect, table)
    replaced = {name: statement.excluded[name] for name in columns if name not in key}
    where = None if unless_newer is None else table.c[unless_newer] <= statement.excluded[unless_newer]
    return statement.on_conflict_do_update(index_elements=list(key), set_=replaced, where=where)


def _insert(dialect: str, table: type[DeclarativeBase] | Table) -> postgresql.Insert | sqlite.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
