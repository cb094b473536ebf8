"""The clock of the database, with which all leases, ages and back-offs are measured."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant in UTC. SQLite keeps it as text with microseconds, so that it sorts; PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _After(FunctionElement[datetime]):
    """The database's time plus a number of seconds. It advances within a transaction."""

    type = UtcDateTime()
    name = "after"
    inherit_cache = True


class _SecondsSince(FunctionElement[float]):
    type = Float()
    name = "seconds_since"
    inherit_cache = True


class _SecondsBetween(FunctionElement[float]):
    type = Float()
    name = "seconds_between"
    inherit_cache = True


def after(seconds: float | ColumnElement[Any]) -> _After:
    return _After(seconds)


def now() -> _After:
    return _After(0.0)


def seconds_since(instant: InstrumentedAttribute[Any]) -> _SecondsSince:
    """Return the seconds from an instant until now; null for null."""
    return _SecondsSince(instant)


def seconds_between(start: ColumnElement[Any], end: ColumnElement[Any] | InstrumentedAttribute[Any]) -> _SecondsBetween:
    """Return the seconds from one instant to another, which is the same number however often it is asked for."""
    return _SecondsBetween(start, end)


@compiles(_After, "sqlite")
def _after_sqlite(element: _After, compiler: SQLCompiler, **kw: Any) -> str:
    seconds = compiler.process(element.clauses, **kw)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', ({seconds}) || ' seconds')"


@compiles(_After, "postgresql")
def _after_postgresql(element: _After, compiler: SQLCompiler, **kw: Any) -> str:
    # now() would stand still inside a transaction.
    return f"(clock_timestamp() + make_interval(secs => ({compiler.process(element.clauses, **kw)})::double precision))"


@compiles(_SecondsSince, "sqlite")
def _seconds_sqlite(element: _SecondsSince, compiler: SQLCompiler, **kw: Any) -> str:
    return f"((julianday('now') - julianday({compiler.process(element.clauses, **kw)})) * 86400.0)"


@compiles(_SecondsSince, "postgresql")
def _seconds_postgresql(element: _SecondsSince, compiler: SQLCompiler, **kw: Any) -> str:
    return f"extract(epoch FROM clock_timestamp() - {compiler.process(element.clauses, **kw)})::double precision"


@compiles(_SecondsBetween, "sqlite")
def _between_sqlite(element: _SecondsBetween, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(_SecondsBetween, "postgresql")
def _between_postgresql(element: _SecondsBetween, compiler: SQLCompiler, **kw: Any) -> str:
    start, end = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"extract(epoch FROM {end} - {start})::double precision"
