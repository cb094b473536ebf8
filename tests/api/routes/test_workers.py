import re
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from service.dashboard.assets import DASHBOARD
from service.settings import Settings
from service.storage.analysis import pace
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import downloads, workers
from service.storage.tables.workers import Worker
from tests.api import states
from tests.api.serving import serving
from tests.making import make_epoch, make_heartbeat
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
        "started_at", "last_seen", "problem",
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


@pytest.mark.parametrize(("renew_seconds", "age", "alive"), [(60.0, 100, True), (60.0, 190, False), (0.5, 14, True)])
def test_list_workers_counts_as_alive_by_the_renewals_that_the_worker_reports(
    client: TestClient, database: Database, settings: Settings, renew_seconds: float, age: float, alive: bool
) -> None:
    slow = settings.model_copy(update={"device": "cpu", "renew_seconds": renew_seconds, "lease_seconds": 300.0})
    heartbeat = Identity.of_this_process("slow", slow).heartbeat([])
    database.run("beat", lambda session: workers.beat(session, heartbeat))
    with database.write("age") as session:
        session.execute(update(Worker).values(last_seen=after(-age)))
    (worker,) = client.get(WORKERS).json()["items"]
    assert worker["alive"] is alive
    assert client.get("/readyz").json()["workers_alive"] == int(alive)
    states.queue(database)
    (queued,) = client.get("/api/v1/experiments").json()["items"]
    assert ("No worker is alive" in queued["waiting_reason"]) is not alive


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_list_workers_counts_renewals_by_the_settings_of_the_api(settings: Settings, database: Database) -> None:
    """A worker of 0.1.0 does not report them."""
    states.heartbeat(database, "old")
    with database.write("age") as session:
        session.execute(update(Worker).values(last_seen=after(-100)))
    with serving(settings.model_copy(update={"renew_seconds": 60.0, "lease_seconds": 300.0})) as client:
        (worker,) = client.get(WORKERS).json()["items"]
    assert worker["alive"] is True


def test_waiting_reason_says_why_the_last_worker_could_not_start(client: TestClient, database: Database) -> None:
    report = make_heartbeat("w1", device="cuda")
    database.run("problem", lambda session: workers.report_problem(session, report, "ACTLAB_DEVICE=cuda fails."))
    (worker,) = client.get(WORKERS).json()["items"]
    assert (worker["status"], worker["alive"], worker["problem"]) == ("unusable", False, "ACTLAB_DEVICE=cuda fails.")
    states.queue(database)
    (queued,) = client.get("/api/v1/experiments").json()["items"]
    assert "ACTLAB_DEVICE=cuda fails." in queued["waiting_reason"]
    states.heartbeat(database, "w2")
    (queued,) = client.get("/api/v1/experiments").json()["items"]
    assert queued["waiting_reason"] == "It is next in line."


def test_waiting_reason_says_why_a_data_set_cannot_be_downloaded(client: TestClient, database: Database) -> None:
    states.heartbeat(database, "w1", hostname="host")
    states.queue(database, dataset="mnist")
    database.run("fail", lambda session: downloads.record(session, "mnist", "host", "No mirror sends it now."))
    (queued,) = client.get("/api/v1/experiments").json()["items"]
    assert re.fullmatch(
        r"The data set mnist could not be downloaded; it is tried again in (60|5\d) s\. No mirror sends it now\.",
        queued["waiting_reason"],
    )


def test_get_queue_of_empty_database(client: TestClient) -> None:
    assert client.get(WORKERS).json() == {"items": []}
    assert client.get(QUEUE).json() == {
        "queued": 0, "running": 0, "oldest_queued_seconds": None, "eta_seconds": 0.0, "by_priority": {},
    }  # fmt: skip


def trained(database: Database, seconds: float, **fields: Any) -> None:
    """Let an experiment succeed whose epoch took so many seconds."""
    fence = states.start(database, epochs=1, **fields)
    begin(database, fence, seconds)
    states.succeed(database, fence)


def begin(database: Database, fence: Fence, seconds: float, epochs: int = 1) -> None:
    with database.write("epochs") as session:
        transitions.keep_execution(session, fence, {"device": "cpu"})
        for epoch in range(1, epochs + 1):
            transitions.record_epoch(session, fence, make_epoch(epoch, seconds=seconds))


def test_get_queue_counts_by_priority_and_estimates_its_end(client: TestClient, database: Database) -> None:
    trained(database, 10.0)
    for priority in (0, 0, 5):
        states.queue(database, priority=priority, epochs=2)
    assert client.get(QUEUE).json()["eta_seconds"] is None
    states.heartbeat(database, "one")
    states.heartbeat(database, "two")
    depth = client.get(QUEUE).json()
    assert (depth["queued"], depth["running"], depth["by_priority"]) == (3, 0, {"5": 1, "0": 2})
    assert list(depth["by_priority"]) == ["5", "0"]
    assert depth["eta_seconds"] == 3 * 2 * 10.0 / 2
    assert 0 <= depth["oldest_queued_seconds"] < 60


def test_get_queue_estimates_by_what_is_queued(client: TestClient, database: Database) -> None:
    """Twenty short experiments just ended; those that wait are longer, on another data set."""
    for seed in range(20):
        trained(database, 1.0, dataset="digits", seed=seed)
    trained(database, 100.0, dataset="mnist_5k", batch_size=64)
    states.heartbeat(database)
    for seed in range(3):
        states.queue(database, epochs=5, dataset="mnist_5k", batch_size=64, seed=seed)
    assert client.get(QUEUE).json()["eta_seconds"] == pytest.approx(3 * 5 * 100.0)
    states.queue(database, batch_size=7)  # nothing alike has been trained
    assert client.get(QUEUE).json()["eta_seconds"] is None


def test_get_queue_leaves_out_what_running_experiments_have_done(client: TestClient, database: Database) -> None:
    trained(database, 10.0)
    states.heartbeat(database)
    running = states.start(database, epochs=10)
    assert client.get(QUEUE).json()["eta_seconds"] == 100.0
    begin(database, running, 10.0, epochs=8)
    assert client.get(QUEUE).json()["eta_seconds"] == 20.0
    states.queue(database, epochs=10)
    assert client.get(QUEUE).json()["eta_seconds"] == 120.0


@states.on_sqlite
def test_get_queue_takes_further_cells_as_those_with_the_most(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MOST_CELLS", 1)
    trained(database, 10.0)
    states.heartbeat(database)
    for fields in ({"seed": 0}, {"seed": 1}, {"seed": 0, "activation": "tanh"}):
        states.queue(database, epochs=1, **fields)
    assert client.get(QUEUE).json()["eta_seconds"] == pytest.approx(30.0)
