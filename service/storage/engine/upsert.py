"""INSERT ... ON CONFLICT in the dialect of the session's database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session


def insert(session: Session, table: type[DeclarativeBase]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT with the methods `on_conflict_do_nothing` and `on_conflict_do_update`."""
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return make(table)


def upsert_rows(
    session: Session,
    table: type[DeclarativeBase],
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    where: ColumnElement[bool],
) -> None:
    """Insert rows with the same columns; replace a stored row with the same key where the condition `where` holds."""
    statement = insert(session, table).values(list(rows))
    replaced = {name: statement.excluded[name] for name in rows[0] if name not in key}
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=replaced, where=where))
