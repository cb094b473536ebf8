"""Restoring a backup of a SQLite database, which nothing may use meanwhile."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from service.domain.errors import ConfigurationError
from service.storage import migrate

HOLDING_DATA = ("experiments", "studies", "activations", "api_keys")
"""Tables whose rows clients have made. A database without any is empty."""


def restore(url: str, file: Path, *, force: bool = False) -> Path | None:
    """Put a backup in the place of the database; return where the one before it is kept, if there was one.

    The restored database has an id of its own, so that no client takes what it has seen since the backup for current.
    Raises ConfigurationError for a PostgreSQL URL, a file that is no whole backup of a known revision, a database that
    a process has open, and without `force` one that is not empty.
    """
    target = _target(url)
    _check_backup(file)
    if target.exists():
        if file.samefile(target):
            raise ConfigurationError(f"{file} is the database itself.")
        _check_replaceable(target, force=force)
    target.parent.mkdir(parents=True, exist_ok=True)
    copy = target.with_name(f"{target.name}.restoring")
    copy.unlink(missing_ok=True)
    try:
        _copy(file, copy)
        return _replace(target, copy)
    finally:
        copy.unlink(missing_ok=True)


def _target(url: str) -> Path:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ConfigurationError("This is PostgreSQL: restore it with `pg_restore --clean --if-exists --dbname=...`.")
    return Path(parsed.database)


def _check_backup(file: Path) -> None:
    """Check that a file is a whole database of ActLab at a revision that this version knows."""
    if not file.is_file():
        raise ConfigurationError(f"{file} is no file.")
    try:
        with _reading(file) as connection:
            (whole,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError as error:
        raise ConfigurationError(f"{file} is no backup of ActLab: {error}.") from error
    if whole != "ok" or broken is not None:
        raise ConfigurationError(f"{file} is damaged ({whole if whole != 'ok' else 'rows refer to missing rows'}).")
    revision = rows[0][0] if len(rows) == 1 else "none"
    if revision not in migrate.revisions():
        raise ConfigurationError(f"{file} is at revision {revision}, which this version of ActLab does not know.")


def _check_replaceable(target: Path, *, force: bool) -> None:
    try:
        with closing(sqlite3.connect(target, timeout=0.5)) as connection:
            # Each process that has the database open holds a lock while its journal is a log, and a change of the
            # journal needs that there is none. It also writes the log into the file.
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            filled = _holds_data(connection)
    except sqlite3.OperationalError as error:
        raise ConfigurationError(f"{target} is in use: stop the API and all workers first ({error}).") from error
    except sqlite3.DatabaseError:  # damaged, which is why one restores
        filled = True
    if filled and not force:
        raise ConfigurationError(f"{target} is not empty. With --force it is replaced, and kept beside the new one.")


def _holds_data(connection: sqlite3.Connection) -> bool:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    present = [table for table in HOLDING_DATA if table in tables]
    return any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in present)


def _copy(file: Path, copy: Path) -> None:
    """Copy a backup, and give the copy an id of its own."""
    with _reading(file) as source, closing(sqlite3.connect(copy)) as connection:
        source.backup(connection)
        connection.execute("UPDATE change_counter SET database_id = ?", (uuid4().hex,))
        connection.commit()


def _replace(target: Path, copy: Path) -> Path | None:
    """Put the copy in the place of the database, whose old files are kept."""
    kept = None
    if target.exists():
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        kept = target.with_name(f"{target.name}.{stamp}.replaced")
        for suffix in ("", "-wal", "-shm"):  # a log of the old file would be applied to the new one
            old = Path(f"{target}{suffix}")
            if old.exists():
                old.rename(f"{kept}{suffix}")
    os.replace(copy, target)
    return kept


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        yield connection
