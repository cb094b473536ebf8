"""Migrating the schema, which one process does at a time, and checking its revision, which every process does."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from filelock import FileLock
from sqlalchemy import Connection, text

import migrations
from service.domain.errors import ConfigurationError, SchemaOutdated
from service.storage.engine.database import Database
from service.storage.tables.base import Base

ADVISORY_LOCK = 0x0AC71AB  # an arbitrary number that nothing else in the database locks


def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate the schema in one transaction, while no other process does; on SQLite after a backup beside the file."""
    with _alone(database):
        if revision == "head" and current(database) == head():
            return
        with _migrating(database) as connection:
            command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    with _alone(database), _migrating(database) as connection:
        command.downgrade(_config(connection), revision)


def check(database: Database) -> None:
    """Raise SchemaOutdated, with the remedy, unless the database is at the revision that this code needs."""
    revision, needed = current(database), head()
    if revision == needed:
        return
    known = revision is None or revision in revisions()
    remedy = "run `actlab db upgrade`" if known else "install the version that made it"
    raise SchemaOutdated(f"The database is at revision {revision or 'none'}, this version needs {needed}: {remedy}.")


def back_up(database: Database, file: Path) -> None:
    """Copy a SQLite database to a new file, while others write.

    Raises ConfigurationError for PostgreSQL, and for a file that exists.
    """
    if not database.sqlite:
        raise ConfigurationError("This is PostgreSQL: back it up with `pg_dump --format=custom`.")
    if file.exists():
        raise ConfigurationError(f"{file} exists already; a backup overwrites nothing.")
    with database.engine.connect() as connection:
        _copy(connection, file)


def current(database: Database) -> str | None:
    with database.read() as session:  # a writing transaction would make /readyz wait for every writer
        return MigrationContext.configure(session.connection()).get_current_revision()


def revisions() -> set[str]:
    """Return the revisions that this version knows."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files(migrations)))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = Base.metadata
    return config


@contextmanager
def _alone(database: Database) -> Iterator[None]:
    """Keep other migrating processes out: by a lock file on SQLite, by an advisory lock on PostgreSQL."""
    if database.sqlite:
        with FileLock(f"{database.engine.url.database}.migrate.lock"):
            yield
        return
    with database.engine.connect() as connection:
        _driver(connection).answer_seconds = None
        connection.execute(text("SET lock_timeout = 0"))
        connection.execute(text("SET idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        try:
            yield
        finally:
            connection.invalidate()  # ends the session with its lock and settings


@contextmanager
def _migrating(database: Database) -> Iterator[Connection]:
    with database.engine.connect() as connection:
        if database.sqlite:
            _prepare_sqlite(connection, Path(str(database.engine.url.database)))
        else:
            _driver(connection).answer_seconds = None
        with connection.begin():
            if not database.sqlite:
                connection.execute(text("SET LOCAL statement_timeout = 0"))  # migrating a large table takes long
            yield connection
            if database.sqlite:
                _check_references(connection)
        connection.invalidate()  # its foreign keys may be off


def _prepare_sqlite(connection: Connection, file: Path) -> None:
    """Back up the database and switch foreign keys off; both must happen before BEGIN.

    SQLite alters a table by copying it, and dropping the old copy would delete the rows that refer to it.
    """
    with closing(_driver(connection).cursor()) as cursor:
        filled = cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        cursor.execute("PRAGMA foreign_keys=OFF")
    if filled:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        _copy(connection, Path(f"{file}.{stamp}.backup"))


def _copy(connection: Connection, file: Path) -> None:
    """Copy the database outside any transaction, as VACUUM requires. It reads one snapshot and blocks no writer."""
    with closing(_driver(connection).cursor()) as cursor:
        cursor.execute("VACUUM INTO ?", (str(file),))


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise SchemaOutdated(
            f"The migration would leave {len(broken)} rows without what they refer to; nothing is changed."
        )
