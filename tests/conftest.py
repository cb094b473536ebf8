"""Fixtures that all parts of the tests share: databases, servers, settings, scenarios."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import pytest
from hypothesis import settings as hypothesis_settings

from service.domain.spec import ExperimentSubmission
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from tests.databases import LentDatabase
from tests.faults.scenario import Scenario, recording
from tests.servers import PostgresServer, RedisServer, can_run_as_postgres, missing

# A pause of the machine is no defect; pytest's own timeout ends what hangs.
hypothesis_settings.register_profile("actlab", deadline=None)
hypothesis_settings.load_profile("actlab")

ROOT = Path(__file__).parents[1]
"""The folder of the project."""

REQUIRED = "ACTLAB_REQUIRE_SERVICES"
"""The variable that is 1 in CI: a test that would be skipped for want of a server or of data then fails."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out nightly tests, and run tests that share an installation in one process, so that none starts twice."""
    if leaves_out_nightly(config.option.markexpr):
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        items[:] = [item for item in items if item not in nightly]
        config.hook.pytest_deselected(items=nightly)
    for item in items:
        group = _shares(item)
        if group is not None:
            item.add_marker(pytest.mark.xdist_group(group))


def leaves_out_nightly(expression: str) -> bool:
    """Return whether a run with this `-m` expression leaves out nightly tests: it does unless it names them."""
    return "nightly" not in expression


def _shares(item: pytest.Item) -> str | None:
    """Return the name of the installation that this test shares with others."""
    callspec = getattr(item, "callspec", None)
    stack = callspec.params.get("stack") if callspec else None
    if stack is not None:
        return f"faults {stack}"
    shared = {
        "tests/browser": "browser",
        "tests/stack/test_server_install.py": "server install",
        "tests/stack/test_client_install.py": "client install",
        "tests/stack/test_mlflow.py": "mlflow",
    }
    return next((group for start, group in shared.items() if item.nodeid.startswith(start)), None)


@pytest.fixture(scope="session", autouse=True)
def no_configuration_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the configuration file of the user who runs the tests, from this process and those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("configuration")))
        yield


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep messages of commands on one line, however long the path of a temporary folder is."""
    monkeypatch.setenv("COLUMNS", "200")


def do_without(reason: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{reason}, and {REQUIRED}=1")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    absent = missing(*PostgresServer.PROGRAMS)
    if absent or not can_run_as_postgres():
        do_without(f"PostgreSQL is not installed ({', '.join(absent) or 'no user postgres'})")
    server = PostgresServer().start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def lent_database(postgres: PostgresServer) -> LentDatabase:
    return LentDatabase(postgres)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    absent = missing(*RedisServer.PROGRAMS)
    if absent:
        do_without("Redis is not installed (redis-server)")
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file, to be copied."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{file}")
    migrate.upgrade(database)
    database.close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty, migrated database for every test, on each kind in turn."""
    if request.param == "sqlite":
        file = tmp_path / "actlab.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    lent: LentDatabase = request.getfixturevalue("lent_database")
    yield lent.url
    lent.empty()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url, trace=True)
    yield opened
    opened.close()


@pytest.fixture
def scenario(request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The record of a test marked `proves(promise, fault)`, which becomes a row of docs/reliability.md."""
    yield from recording(request)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Timings short enough for tests; nothing outside tmp_path is touched."""
    return Settings(
        home=tmp_path / "home",
        data_dir=None,
        database_url=database_url,
        lease_seconds=2,
        renew_seconds=0.2,
        reap_seconds=0.2,
        reconcile_seconds=0.1,
        poll_seconds=0.1,
        rate_per_minute=0,
        submits_per_hour=0,
        trace=True,
    )


def make_submission(**fields: Any) -> ExperimentSubmission:
    """Make a small valid submission with these fields."""
    return ExperimentSubmission.model_validate({"activation": "relu", "dataset": "mnist_5k", "epochs": 3} | fields)


def make_experiment(session: UnitOfWork, **fields: Any) -> Experiment:
    return experiments.create(session, "local", make_submission(**fields), id=new_id())


def read_experiment(database: Database, id: UUID) -> Experiment:
    """Return the row as it is in the database now."""
    with database.read() as session:
        experiment = experiments.find(session, id)
        assert experiment is not None
        return experiment
