"""Restoring backups of SQLite: what is restored, and what is refused."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from service.domain.errors import ConfigurationError
from service.domain.status import Status
from service.storage import migrate, restore
from service.storage.analysis import facts
from service.storage.changes import revisions
from service.storage.engine.database import Database
from tests.api import states


@pytest.fixture
def backup(tmp_path: Path, sqlite_template: Path) -> Path:
    """A backup with one experiment that has succeeded."""
    source = tmp_path / "source.db"
    shutil.copy(sqlite_template, source)
    with closing(Database(f"sqlite:///{source}")) as database:
        states.finish(database)
        migrate.back_up(database, tmp_path / "backup.db")
    return tmp_path / "backup.db"


@pytest.fixture
def target(tmp_path: Path, sqlite_template: Path) -> Path:
    """A database that holds nothing."""
    file = tmp_path / "home" / "actlab.db"
    file.parent.mkdir()
    shutil.copy(sqlite_template, file)
    return file


def url(file: Path) -> str:
    return f"sqlite:///{file}"


def read(file: Path) -> tuple[int, str]:
    """Return the number of successes, and the id of a database."""
    with closing(Database(url(file))) as database, database.read() as session:
        return facts.read(session).experiments[Status.SUCCEEDED], revisions.database_id(session)


def fill(file: Path) -> None:
    with closing(Database(url(file))) as database:
        states.queue(database)


def refused(file: Path, target: str | Path, match: str, *, force: bool = False) -> None:
    with pytest.raises(ConfigurationError, match=match):
        restore.restore(url(target) if isinstance(target, Path) else target, file, force=force)


def test_restore_makes_a_database_where_there_is_none(backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "actlab.db"
    assert restore.restore(url(target), backup) is None
    assert read(target)[0] == 1


def test_restore_gives_the_database_another_id(backup: Path, target: Path) -> None:
    """Revisions go back, so that what clients have seen since the backup must not count as current."""
    restore.restore(url(target), backup)
    assert read(target)[1] != read(backup)[1]


def test_restore_replaces_an_empty_database_and_keeps_it(backup: Path, target: Path) -> None:
    kept = restore.restore(url(target), backup)
    assert kept is not None
    assert (read(target)[0], read(kept)[0]) == (1, 0)
    assert sorted(file.name for file in target.parent.iterdir() if "-" not in file.name) == sorted(
        [target.name, kept.name]
    )


def test_restore_replaces_data_only_if_it_is_forced(backup: Path, target: Path) -> None:
    fill(target)
    refused(backup, target, "not empty")
    kept = restore.restore(url(target), backup, force=True)
    assert kept is not None
    with closing(Database(url(kept))) as database, database.read() as session:
        assert facts.read(session).experiments[Status.QUEUED] == 1
    assert read(target)[0] == 1


@pytest.mark.parametrize("force", [False, True])
def test_restore_refuses_a_database_in_use(backup: Path, target: Path, force: bool) -> None:
    with closing(Database(url(target))) as database:
        with database.read() as session:
            revisions.newest(session)
        refused(backup, target, "in use: stop the API", force=force)
        states.queue(database)  # it goes on
    assert read(target)[0] == 0


def test_restore_replaces_a_damaged_database_only_if_it_is_forced(backup: Path, target: Path) -> None:
    target.write_bytes(b"no database" * 1000)
    refused(backup, target, "not empty")
    restore.restore(url(target), backup, force=True)
    assert read(target)[0] == 1


def test_restore_refuses_a_damaged_backup(backup: Path, target: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[8192:-4096] = bytes(len(content) - 12_288)
    backup.write_bytes(content)
    refused(backup, target, "damaged|no backup")
    assert read(target)[0] == 0


@pytest.mark.parametrize("content", [b"", b"text", b"SQLite format 3\0"], ids=["empty", "text", "head"])
def test_restore_refuses_a_file_that_is_no_database(tmp_path: Path, target: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    refused(file, target, "no backup of ActLab")


def test_restore_refuses_a_database_of_another_program(tmp_path: Path, target: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    refused(tmp_path / "other.db", target, "no backup of ActLab")


def test_restore_refuses_a_revision_that_is_not_known(backup: Path, target: Path) -> None:
    with closing(sqlite3.connect(backup)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    refused(backup, target, "revision 9999")


def test_restore_takes_an_older_revision(backup: Path, target: Path) -> None:
    with closing(Database(url(backup))) as database:
        migrate.downgrade(database, "0023")
    restore.restore(url(target), backup)
    with closing(Database(url(target))) as database:
        assert migrate.current(database) == "0023"
        migrate.upgrade(database)
    assert read(target)[0] == 1


def test_restore_refuses_what_it_cannot_replace(backup: Path, tmp_path: Path) -> None:
    refused(backup, "postgresql+psycopg://actlab@127.0.0.1/actlab", "pg_restore")
    refused(tmp_path / "nothing.db", tmp_path / "actlab.db", "no file")
    refused(backup, backup, "the database itself")
