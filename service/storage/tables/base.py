"""The base of all tables: names of constraints, column types, ids."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import JSON, CheckConstraint, MetaData, Table, Text, text
from sqlalchemy.orm import DeclarativeBase

from service.access.roles import Role
from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import UtcDateTime

# JSON, not JSONB: a spec and the factors of a study are shown in the order in which they were written.
Json = JSON(none_as_null=True)


def new_id() -> UUID:
    """Return a UUIDv7: unique without a query, and sorted by time of creation."""
    return uuid_utils.compat.uuid7()


def one_of(column: str, values: type[Status] | type[Cause] | type[Outcome] | type[Role]) -> CheckConstraint:
    """Return the constraint that a column holds a value of an enumeration."""
    allowed = ", ".join(f"'{value.value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def only(condition: str) -> dict[str, Any]:
    """Return the arguments of a partial index over the rows that meet a condition."""
    return {f"{dialect}_where": text(condition) for dialect in ("postgresql", "sqlite")}


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json, str: Text}


def table_of(model: type[Base]) -> Table:
    """Return the table of a model, for statements that are made once and executed often.

    Such a statement finds what SQLAlchemy compiled for it before, and nothing of the ORM runs: recording an epoch takes
    a quarter of the processor time (`python -m benchmarks.records`).
    """
    return cast(Table, model.__table__)
