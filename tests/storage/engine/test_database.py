"""The two kinds of transaction, alone and under several threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from service.domain.errors import ConfigurationError
from service.storage.changes import revisions
from service.storage.engine import database as engine_module
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment

WRITERS = 4
WRITES = 50


def counter(database: Database) -> int:
    with database.read() as session:
        return session.execute(select(ChangeCounter.value)).scalar_one()


def test_run_commits_and_rolls_back_on_an_error(database: Database) -> None:
    database.run("raise", revisions.next_revision)

    def fail(session: Session) -> None:
        revisions.next_revision(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.run("raise", fail)
    assert counter(database) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_read_refuses_writes(database: Database) -> None:
    with pytest.raises(DBAPIError), database.read() as session:
        revisions.next_revision(session)


def test_concurrent_writers_lose_no_update(database: Database) -> None:
    """Each transaction reads and then writes, which fails under a deferred BEGIN."""

    def raise_often() -> None:
        for _ in range(WRITES):
            with database.write("raise") as session:
                seen = session.execute(select(ChangeCounter.value).with_for_update()).scalar_one()
                session.execute(update(ChangeCounter).values(value=seen + 1))

    with ThreadPoolExecutor(WRITERS) as pool:
        for future in [pool.submit(raise_often) for _ in range(WRITERS)]:
            future.result()
    assert counter(database) == WRITERS * WRITES


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_writers_of_one_process_begin_one_after_another(database: Database) -> None:
    """SQLite would let the second one try again and again, with pauses of up to 100 ms."""
    begun: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *values: begun.append(values[2]))
    with ThreadPoolExecutor(1) as pool:
        with database.write("first") as session:
            revisions.next_revision(session)
            second = pool.submit(database.run, "second", revisions.next_revision)
            time.sleep(0.1)
            assert begun.count("BEGIN IMMEDIATE") == 1
        assert second.result(timeout=5) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_writer_whose_turn_does_not_come_finds_the_database_locked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_SECONDS", 0.05)
    with database.write("first") as session:
        revisions.next_revision(session)
        with pytest.raises(OperationalError, match="database is locked"):
            database.run("second", revisions.next_revision)
    assert database.run("third", revisions.next_revision) == 2


def test_read_does_not_wait_for_a_writer(database: Database) -> None:
    with database.write("raise") as session:
        revisions.next_revision(session)
        assert counter(database) == 0


def test_revisions_become_visible_in_order(database: Database) -> None:
    """A poller that has seen a revision never finds a lower one that is new."""
    done = threading.Event()
    seen: list[int] = []

    def poll() -> None:
        while not done.is_set():
            seen.append(max([0, *all_revisions(database)]))
            known = len(all_revisions(database))
            assert known >= seen[-1], "a revision below the highest visible one is still missing"

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        poller = pool.submit(poll)
        writers = [
            pool.submit(lambda: [database.run("make", make_experiment) for _ in range(10)]) for _ in range(WRITERS)
        ]
        for writer in writers:
            writer.result()
        done.set()
        poller.result()
    assert sorted(all_revisions(database)) == list(range(1, WRITERS * 10 + 1))


def all_revisions(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Experiment.revision)))


def test_concurrent_claims_share_the_queue_without_overlap(database: Database) -> None:
    for _ in range(20):
        database.run("make", make_experiment)

    def take(owner: str) -> list[UUID]:
        taken: list[UUID] = []
        for number in range(20):
            with database.write("claim") as session:
                taken += [claim.fence.id for claim in transitions.claim(session, f"{owner}.{number}", 1, 30)]
        return taken

    with ThreadPoolExecutor(WRITERS) as pool:
        taken = [id for ids in pool.map(take, "abcd") for id in ids]
    assert len(taken) == len(set(taken)) == 20


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_run_retries_a_deadlock(database: Database) -> None:
    first, second = (database.run("make", make_experiment).id for _ in range(2))
    meet = threading.Barrier(2, timeout=10)
    tries = 0

    def lock(first: UUID, second: UUID) -> None:
        def work(session: Session) -> None:
            nonlocal tries
            tries += 1
            session.execute(update(Experiment).where(Experiment.id == first).values(lost_count=1))
            if tries <= 2:
                meet.wait()
            session.execute(update(Experiment).where(Experiment.id == second).values(lost_count=1))

        database.run("lock", work)

    with ThreadPoolExecutor(2) as pool:
        for future in (pool.submit(lock, first, second), pool.submit(lock, second, first)):
            future.result(30)
    assert tries > 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_connections_have_safe_pragmas(database: Database) -> None:
    with database.read() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 10_000}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_readers_begin_deferred_and_writers_immediate(database: Database) -> None:
    begun: list[str] = []

    def note(_c: Connection, _k: object, statement: str, *_: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    with database.read() as session:
        session.execute(text("SELECT 1"))
    with database.write("w") as session:
        session.execute(text("SELECT 1"))
    assert begun == ["BEGIN", "BEGIN IMMEDIATE"]


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite+aiosqlite:///x", "nonsense"])
def test_unsupported_database_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="ACTLAB_DATABASE_URL"):
        Database(url)
