"""Records of worker processes and their heartbeats."""

from sqlalchemy import update

from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import workers
from service.storage.records.workers import ALIVE_SECONDS, FORGET_SECONDS
from service.storage.tables.workers import Worker
from tests.making import make_heartbeat
from tests.storage.steps import do


def age(database: Database, id: str, seconds: float) -> None:
    last_seen = update(Worker).where(Worker.id == id).values(last_seen=after(-seconds))
    database.run("age", lambda session: session.execute(last_seen))


def listed(database: Database) -> dict[str, bool]:
    with database.read() as session:
        return {row.worker.id: row.alive for row in workers.listed(session)}


def test_beat_registers_a_worker_and_refreshes_it(database: Database) -> None:
    do(database, workers.beat, make_heartbeat("w1"))
    age(database, "w1", ALIVE_SECONDS + 1)
    assert listed(database) == {"w1": False}
    do(database, workers.beat, make_heartbeat("w1", experiments=["x"]))
    assert listed(database) == {"w1": True}
    assert (do(database, workers.count_alive), do(database, workers.count_idle)) == (1, 0)


def test_first_beat_deletes_workers_not_seen_for_a_day(database: Database) -> None:
    for id in ("old", "recent"):
        do(database, workers.beat, make_heartbeat(id))
    age(database, "old", FORGET_SECONDS + 1)
    age(database, "recent", FORGET_SECONDS - 60)
    do(database, workers.beat, make_heartbeat("new"))
    assert listed(database) == {"new": True, "recent": False}


def test_heartbeat_from_before_the_clock_was_set_back_is_not_alive(database: Database) -> None:
    do(database, workers.beat, make_heartbeat("w1"))
    age(database, "w1", -3600)
    assert listed(database) == {"w1": False}


def test_machines_and_devices_are_those_of_live_workers(database: Database) -> None:
    for id, device in (("w1", "cpu"), ("w2", "cuda")):
        do(database, workers.beat, make_heartbeat(id, device=device))
    age(database, "w2", ALIVE_SECONDS + 1)
    assert do(database, workers.devices) == {"cpu"}
    assert do(database, workers.machines) == {("cpu", "2.13.0")}


def test_leave_deletes_the_worker(database: Database) -> None:
    do(database, workers.beat, make_heartbeat("w1"))
    do(database, workers.leave, "w1")
    assert listed(database) == {}
