"""Clients of the API: `client` has a database of its own, `steady` is shared by tests that store nothing."""

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
    """Log plain tracebacks: the default shows every variable and takes seconds for each."""
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[renderer])


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings under which the reaper never takes an experiment from a slow test."""
    return settings.model_copy(update={"reap_seconds": 600})


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client of an empty SQLite database, shared by a module whose tests must leave it empty."""
    home: Path = tmp_path_factory.mktemp("steady")
    settings = Settings(home=home, database_url=f"sqlite:///{home / 'actlab.db'}")
    database = Database(settings.database)
    migrate.upgrade(database)
    database.close()
    with serving(settings) as opened:
        yield opened
