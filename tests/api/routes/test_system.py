"""Health, readiness, and answers while the database is away."""

import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from service.domain.errors import SchemaOutdated
from service.settings import Settings
from service.storage import migrate
from service.storage.changes import revisions
from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, EXPERIMENTS, STUDIES, serving
from tests.conftest import do_without
from tests.servers import PostgresServer, can_run_as_postgres, missing
from tests.waiting import await_true

READS = [EXPERIMENTS, COMPARISONS, "/api/v1/workers", "/api/v1/queue", f"{EXPERIMENTS}/{states.SOME_ID}",
         f"{STUDIES}/{states.SOME_ID}", "/readyz"]  # fmt: skip


def test_get_health_and_readiness(client: TestClient, database: Database) -> None:
    states.heartbeat(database)
    assert client.get("/healthz").json() == {"status": "ok", "version": version("actlab")}
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["database"]) == ("ready", database.engine.dialect.name)
    assert (ready["schema_revision"], ready["workers_alive"]) == (migrate.head(), 1)
    assert ready["disk_free_bytes"] > 0
    assert 0 < ready["disk_used_share"] <= 1


def test_list_activations_has_the_catalogue(steady: TestClient) -> None:
    items = {item["name"]: item for item in steady.get("/api/v1/activations").json()["items"]}
    assert items.keys() >= {"relu", "leaky_relu", "swish", "sigmoid", "tanh", "softmax", "softplus", "step", "linear"}
    assert items["swish"]["parameters"][0].keys() == {
        "name", "default", "minimum", "maximum", "learnable", "may_learn",
    }  # fmt: skip


# --- another revision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("revision", "remedy"), [("0000", "install the version"), (None, "actlab db upgrade")])
def test_get_readiness_is_503_at_another_revision(
    client: TestClient, settings: Settings, database: Database, revision: str | None, remedy: str
) -> None:
    with database.write("age") as session:
        session.execute(text("DELETE FROM alembic_version"))
        if revision is not None:
            session.execute(text(f"INSERT INTO alembic_version VALUES ('{revision}')"))
    problem = refused(client.get("/readyz"), 503, "schema_outdated")
    assert remedy in problem["detail"]
    assert client.get("/healthz").status_code == 200
    with pytest.raises(SchemaOutdated, match=remedy), serving(settings):
        pass


# --- a database that is away ---------------------------------------------------------------------------------------


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    if missing(*PostgresServer.PROGRAMS) or not can_run_as_postgres():
        do_without("PostgreSQL is not installed")
    server = PostgresServer().start()
    yield server
    server.remove()


def test_routes_answer_503_while_the_database_is_away(own_server: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=own_server.url())
    database = Database(settings.database)
    migrate.upgrade(database)
    database.close()
    with serving(settings) as client:
        assert client.get("/readyz").status_code == 200
        own_server.stop()
        for path in READS:
            answer = client.get(path)
            refused(answer, 503, "database_unavailable")
            assert answer.headers["retry-after"] == "5"
        refused(client.post(EXPERIMENTS, json={"activation": "relu"}), 503, "database_unavailable")
        assert client.get("/healthz").status_code == 200
        own_server.start()
        await_true(lambda: client.get("/readyz").status_code == 200)
        assert client.post(EXPERIMENTS, json={"activation": "relu"}).status_code == 202


@states.on_sqlite
def test_get_readiness_does_not_wait_for_a_writer(client: TestClient, database: Database) -> None:
    with database.write("long") as session:
        revisions.next_revision(session)
        started = time.monotonic()
        assert client.get("/readyz").status_code == 200
        assert time.monotonic() - started < 2


@states.on_sqlite
def test_missing_table_is_a_500(client: TestClient, database: Database) -> None:
    with database.write("break") as session:
        session.execute(text("ALTER TABLE workers RENAME TO others"))
    refused(client.get("/api/v1/workers"), 500, "internal_error")
