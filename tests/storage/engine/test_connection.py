"""Connections to a server that stops answering: they fail after the time limit of a statement."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.storage.engine.connection import MARGIN_SECONDS
from service.storage.engine.database import Database
from tests.faults.proxy import Proxy
from tests.servers import PostgresServer

STATEMENT_SECONDS = 1.0


@pytest.fixture
def proxy(postgres: PostgresServer) -> Iterator[Proxy]:
    opened = Proxy(postgres.port).start()
    yield opened
    opened.stop()


@pytest.fixture
def database(postgres: PostgresServer, proxy: Proxy) -> Iterator[Database]:
    url = postgres.url().replace(f":{postgres.port}/", f":{proxy.port}/")
    opened = Database(url, statement_seconds=STATEMENT_SECONDS)
    yield opened
    opened.close()


def say(database: Database, *statements: str, before_the_last: Proxy | None = None) -> object:
    """Run statements in one transaction and return the answer of the last; the proxy may drop the packets after the
    others.
    """
    with database.read() as session:
        *first, last = statements
        for statement in first:
            session.execute(text(statement))
        if before_the_last is not None:
            before_the_last.drop()
        return session.execute(text(last)).scalar()


def test_statement_without_an_answer_times_out(database: Database, proxy: Proxy) -> None:
    started = time.monotonic()
    with pytest.raises(OperationalError, match="timeout"):
        say(database, "SELECT 1", "SELECT 2", before_the_last=proxy)
    assert time.monotonic() - started < STATEMENT_SECONDS + MARGIN_SECONDS + 1


def test_commit_without_an_answer_times_out(database: Database, proxy: Proxy) -> None:
    writing = database.write("w")
    writing.__enter__().execute(text("SELECT 1"))
    proxy.drop()
    with pytest.raises(OperationalError, match="timeout"):
        writing.__exit__(None, None, None)


def test_pool_replaces_dead_connections_after_an_outage(database: Database, proxy: Proxy) -> None:
    assert say(database, "SELECT 1") == 1
    proxy.drop()
    proxy.restore()
    assert say(database, "SELECT 2") == 2


def test_server_ends_a_statement_that_takes_too_long(database: Database) -> None:
    with pytest.raises(OperationalError, match="statement timeout"):
        say(database, "SELECT pg_sleep(60)")
    assert say(database, "SELECT 3") == 3
