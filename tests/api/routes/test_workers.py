import re
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.dashboard.assets import DASHBOARD
from service.settings import Settings
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import workers
from service.storage.tables.workers import Worker
from tests.api import states
from worker.identity import Identity

WORKERS = "/api/v1/workers"
QUEUE = "/api/v1/queue"


def test_list_workers_shows_each_worker_and_its_experiments(client: TestClient, database: Database) -> None:
    id = str(states.queue(database))
    states.heartbeat(database, "idle")
    states.heartbeat(database, "busy", experiments=[id])
    busy, idle = sorted(client.get(WORKERS).json()["items"], key=lambda worker: worker["id"])
    assert busy.keys() == {
        "id", "hostname", "pid", "device", "device_name", "memory", "status", "alive", "experiments", "versions",
        "started_at", "last_seen",
    }  # fmt: skip
    assert (busy["status"], busy["experiments"], idle["status"]) == ("busy", [id], "idle")
    assert busy["memory"] == {"total": 8_000_000_000, "used": None}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(busy["last_seen"])).total_seconds()) < 60


def test_list_workers_shows_memory_of_a_real_heartbeat(
    client: TestClient, database: Database, settings: Settings
) -> None:
    identity = Identity.of_this_process("w1", settings.model_copy(update={"device": "cpu"}))
    database.run("beat", lambda session: workers.beat(session, identity.heartbeat([])))
    (worker,) = client.get(WORKERS).json()["items"]
    assert worker["memory"].keys() == names_the_page_reads()
    assert 0 < worker["memory"]["used"] < worker["memory"]["total"]


def names_the_page_reads() -> set[str]:
    """Return the keys of `memory` that the module of the workers' page reads."""
    module = (DASHBOARD / "app" / "pages" / "workers" / "page.js").read_text()
    (names,) = re.findall(r"\{([\w, ]+)\} = worker\.memory\b", module)
    return {name.strip() for name in names.split(",")}


def test_list_workers_reads_memory_stored_by_the_first_release(client: TestClient, database: Database) -> None:
    states.heartbeat(database, "old")
    stored = {"process": 1_000, "machine_total": 8_000, "device_free": None, "device_total": None}
    with database.write("age") as session:
        session.execute(update(Worker).values(memory=stored))
    (worker,) = client.get(WORKERS).json()["items"]
    assert worker["memory"] == {"total": 8_000, "used": 1_000}


@pytest.mark.parametrize("age", [16, -3600], ids=["silent", "before the clock was set back"])
def test_list_workers_shows_silent_worker_as_not_alive(client: TestClient, database: Database, age: float) -> None:
    states.heartbeat(database, "gone")
    with database.write("age") as session:
        session.execute(update(Worker).values(last_seen=after(-age)))
    (gone,) = client.get(WORKERS).json()["items"]
    assert gone["alive"] is False
    assert client.get("/readyz").json()["workers_alive"] == 0


def test_get_queue_of_empty_database(client: TestClient) -> None:
    assert client.get(WORKERS).json() == {"items": []}
    assert client.get(QUEUE).json() == {
        "queued": 0, "running": 0, "oldest_queued_seconds": None, "eta_seconds": 0.0, "by_priority": {},
    }  # fmt: skip


def test_get_queue_counts_by_priority_and_estimates_its_end(client: TestClient, database: Database) -> None:
    states.finish(database, run={"seconds": 10.0})
    states.start(database)
    for priority in (0, 0, 5):
        states.queue(database, priority=priority)
    assert client.get(QUEUE).json()["eta_seconds"] is None
    states.heartbeat(database, "one")
    states.heartbeat(database, "two")
    depth = client.get(QUEUE).json()
    assert (depth["queued"], depth["running"], depth["by_priority"]) == (3, 1, {"5": 1, "0": 2})
    assert list(depth["by_priority"]) == ["5", "0"]
    assert depth["eta_seconds"] == 4 * 10.0 / 2
    assert 0 <= depth["oldest_queued_seconds"] < 60
