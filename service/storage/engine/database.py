"""The database of a process, with its two kinds of transaction: one that writes and one that only reads."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import tenacity
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from service.domain.errors import ConfigurationError
from service.process.faults import Faults
from service.settings import Settings
from service.storage.engine.aggregates import Packing
from service.storage.engine.connection import MARGIN_SECONDS, TimeLimitedConnection
from service.storage.engine.unit_of_work import UnitOfWork

T = TypeVar("T")

# Serialisation failures and deadlocks: the transaction has been rolled back whole and may be run again.
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})

STATEMENT_SECONDS = 30.0
RENEW_SECONDS = 5.0
BUSY_SECONDS = 10.0
"""The time that a writer waits for others on SQLite."""


def _postgresql_timeouts(statement_seconds: float) -> dict[str, Any]:
    """Return connection arguments that limit each wait of a client or server.

    Without them a lost packet or a forgotten lock blocks for minutes or for ever. A session that goes silent within a
    transaction loses its locks after ten seconds.
    """
    options = {
        "statement_timeout": round(statement_seconds * 1000),
        "lock_timeout": 10_000,
        "idle_in_transaction_session_timeout": 10_000,
        "timezone": "UTC",
    }
    flags = " ".join(f"-c {name}={value}" for name, value in options.items())
    return {"connect_timeout": 5, "tcp_user_timeout": 10_000, "options": flags}


class Database:
    """The connections of one process to the database. Threads share it; forked children must open their own."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        statement_seconds: float = STATEMENT_SECONDS,
        faults: Faults | None = None,
        trace: bool = False,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        self.engine = _engine(url, pool_size, statement_seconds)
        self.pool_size = pool_size
        self.faults = faults or Faults()
        # Under PostgreSQL's default, each statement of a reader would see commits made since the one before.
        snapshot = {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        reading = {"begin": "BEGIN"} if self.sqlite else snapshot
        # What counts as a live worker depends on it.
        options: dict[str, Any] = {"expire_on_commit": False, "info": {"renew_seconds": renew_seconds}}
        self._writers = sessionmaker(self.engine, class_=UnitOfWork, trace=trace, **options)
        self._readers = sessionmaker(self.engine.execution_options(**reading), **options)

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self, name: str) -> Iterator[UnitOfWork]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        `name` names its crash points: `<name>.before_commit` and `<name>.after_commit`.
        """
        with self._writers() as session, session.begin():
            yield session
            session.flush()
            self.faults.reach(f"{name}.before_commit")
        self.faults.reach(f"{name}.after_commit")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads, in one consistent snapshot. On SQLite it blocks no writer."""
        with self._readers() as session, session.begin():
            yield session

    def run(self, name: str, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in a writing transaction and return its value; retry deadlocks and serialisation failures."""
        for attempt in tenacity.Retrying(
            retry=tenacity.retry_if_exception(_retryable),
            stop=tenacity.stop_after_attempt(5),
            wait=tenacity.wait_random_exponential(0.01, max=0.5),
            reraise=True,
        ):
            with attempt, self.write(name) as session:
                value = work(session)
        return value

    def close(self) -> None:
        self.engine.dispose()


def open_database(settings: Settings) -> Database:
    return Database(
        settings.database,
        pool_size=settings.pool_size,
        statement_seconds=settings.statement_seconds,
        faults=Faults.parse(settings.fault, settings.home / "faults"),
        trace=settings.trace,
        renew_seconds=settings.renew_seconds,
    )


def _retryable(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES


def _engine(text: str, pool_size: int, statement_seconds: float) -> Engine:
    url = _parse_url(text)
    return (
        _sqlite(url, pool_size)
        if url.get_backend_name() == "sqlite"
        else _postgresql(url, pool_size, statement_seconds)
    )


def _postgresql(url: URL, pool_size: int, statement_seconds: float) -> Engine:
    timeouts = _postgresql_timeouts(statement_seconds)
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=10, pool_pre_ping=True, connect_args=timeouts
    )

    def connect(_dialect: object, _record: object, arguments: Any, options: Any) -> TimeLimitedConnection:
        connection = TimeLimitedConnection.connect(*arguments, **options)
        connection.answer_seconds = statement_seconds + MARGIN_SECONDS
        return connection

    event.listen(engine, "do_connect", connect)
    return engine


def _parse_url(text: str) -> URL:
    """Raises ConfigurationError for text that is not a URL of a supported database."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ConfigurationError("ACTLAB_DATABASE_URL is not a database URL") from error
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ConfigurationError(
            f"ACTLAB_DATABASE_URL: {url.drivername} is not supported; use sqlite:///file or postgresql+psycopg://..."
        )
    return url


def _sqlite(url: URL, pool_size: int) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=10)
    turns = _Turns()
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", turns.begin)
    event.listen(engine, "checkin", turns.end)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions itself: _begin_sqlite opens them, of either kind.
    connection.isolation_level = None
    connection.create_aggregate("packed", 1, Packing)
    cursor = connection.cursor()
    busy = f"busy_timeout={BUSY_SECONDS * 1000:.0f}"
    for pragma in (busy, "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _Turns:
    """Begins the transactions of a process on SQLite, of which one writes at a time.

    SQLite waits for another writer by trying again after pauses of up to 100 ms, in which the database may be idle. A
    thread that waits here goes on as soon as the one before has finished. Writers of other processes wait as before.
    """

    def __init__(self) -> None:
        self._turn = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Raises OperationalError where the turn does not come."""
        # A deferred BEGIN that later writes fails at once with "database is locked"; IMMEDIATE waits for the lock.
        statement = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
        if statement == "BEGIN IMMEDIATE":
            if not self._turn.acquire(timeout=BUSY_SECONDS):
                raise OperationalError(statement, {}, sqlite3.OperationalError("database is locked"))
            connection.info["turn"] = True
        connection.exec_driver_sql(statement)

    def end(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """Pass the turn on; a connection comes back to the pool when its transaction has ended, in whatever way."""
        if record.info.pop("turn", False):
            self._turn.release()
