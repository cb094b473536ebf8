"""Clients of the API: one for tests that change something, and one that tests of what changes nothing share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from tests.api.serving import serving


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """The default shows every variable, at seconds a traceback."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[renderer])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody reaps what a test has claimed and, on a slow machine, not ended in time."""
    return settings.model_copy(update={"reap_seconds": 600})


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client of one empty SQLite database for a whole module, whose tests must leave it empty."""
    home: Path = tmp_path_factory.mktemp("steady")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'actlab.db'}")
    database = Database(settings.database)
    migrate.upgrade(database)
    database.close()
    with serving(settings) as opened:
        yield opened
