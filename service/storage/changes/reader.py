"""Changes of a SQLite database as the event loop of a process reads them: in microseconds, and without a thread."""

import sqlite3
from typing import Self
from uuid import UUID

from service.storage.engine.database import Database

NEWEST = "SELECT value FROM change_counter"
CHANGED = " UNION ALL ".join(
    f"SELECT id, revision FROM {table} WHERE revision > ?1" for table in ("experiments", "studies", "tombstones")
)


class ChangeReader:
    """A connection of its own to a SQLite database, for callers that must not wait.

    Its statements are a few lookups by index. A reader waits for no writer in WAL mode; where the file is locked all
    the same, as during a recovery, the methods raise sqlite3.OperationalError at once. Call them from one thread at a
    time.
    """

    def __init__(self, file: str) -> None:
        self._connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=ON")

    @classmethod
    def of(cls, database: Database) -> Self | None:
        """Return a reader of a SQLite database; None for PostgreSQL, whose answer takes a round trip."""
        file = database.engine.url.database
        return cls(file) if database.sqlite and file else None

    def newest(self) -> int:
        """Return the revision of the newest committed change."""
        value: int = self._connection.execute(NEWEST).fetchone()[0]
        return value

    def since(self, revision: int, limit: int) -> dict[UUID, int] | None:
        """Return the new revision of everything that changed or was deleted after a revision, by id.

        Returns None where there are more than `limit`.
        """
        rows = self._connection.execute(f"{CHANGED} LIMIT ?2", (revision, limit + 1)).fetchall()
        return None if len(rows) > limit else {UUID(id): revision for id, revision in rows}

    def close(self) -> None:
        self._connection.close()
