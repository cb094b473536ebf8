"""The pool of workers under `actlab up`, with processes that only seem to run."""

import signal
import time

import pytest

from actlab import pool
from actlab.pool import WorkerPool, most_workers
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import workers
from tests.conftest import make_experiment
from tests.making import make_heartbeat


class FakeProcess:
    """A process that runs until it is terminated."""

    def __init__(self, command: list[str], **_: object) -> None:
        self.command = command
        self.status: int | None = None

    @property
    def id(self) -> str:
        return self.command[self.command.index("--id") + 1]

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.status = -signal.SIGTERM


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[FakeProcess]:
    processes: list[FakeProcess] = []

    def start(command: list[str], **options: object) -> FakeProcess:
        processes.append(FakeProcess(command, **options))
        return processes[-1]

    monkeypatch.setattr("actlab.child.subprocess.Popen", start)
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(pool, "usable_processors", lambda: 2)
    return processes


@pytest.fixture
def workers_of(database: Database, settings: Settings, started: list[FakeProcess]) -> WorkerPool:
    made = WorkerPool(database, settings)
    made.start()
    return made


def report(database: Database, process: FakeProcess, *experiments: str, device: str = "cpu") -> None:
    heartbeat = make_heartbeat(process.id, device=device, experiments=list(experiments))
    database.run("beat", lambda s: workers.beat(s, heartbeat))


def queue(database: Database, count: int) -> None:
    for _ in range(count):
        database.run("make", make_experiment)


def running(started: list[FakeProcess]) -> list[FakeProcess]:
    return [process for process in started if process.status is None]


def test_tend_starts_a_second_worker_for_waiting_experiments(
    database: Database, workers_of: WorkerPool, started: list[FakeProcess]
) -> None:
    workers_of.tend()
    queue(database, 1)
    workers_of.tend()
    assert len(started) == 1  # it has not reported yet, and is about to take the experiment
    report(database, started[0])
    for _ in range(2):
        workers_of.tend()
    assert len(started) == 1
    report(database, started[0], "an experiment")
    for _ in range(3):
        workers_of.tend()
    assert [process.command[-4:-2] for process in started] == [["--share", "2"]] * 2
    queue(database, 9)
    report(database, started[1], "another")
    workers_of.tend()
    assert len(started) == 2  # no more than cores


def test_tend_starts_no_further_worker_on_a_gpu(
    database: Database, workers_of: WorkerPool, started: list[FakeProcess]
) -> None:
    queue(database, 5)
    report(database, started[0], "an experiment", device="cuda")
    workers_of.tend()
    assert len(started) == 1


def test_tend_stops_a_further_worker_after_idle_minutes(
    database: Database, workers_of: WorkerPool, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    report(database, started[0], "an experiment")
    queue(database, 1)
    for _ in range(2):
        workers_of.tend()
    (claim,) = database.run("claim", lambda s: transitions.claim(s, started[1].id, 1, 30))
    for process in started:
        report(database, process)
    workers_of.tend()
    assert len(running(started)) == 2
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
    time.sleep(0.01)
    for _ in range(3):
        workers_of.tend()
    assert running(started) == started[:1]
    with database.read() as session:  # what it had is requeued, and it is no worker any more
        assert list(workers.presences(session, [process.id for process in started])) == [started[0].id]
        assert transitions.flags(session, [claim.fence]) == {}


def test_tend_restarts_a_worker_that_ended(
    workers_of: WorkerPool, started: list[FakeProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_of.children[0], "longest_pause", 0.0)
    started[0].status = 1
    for _ in range(2):
        workers_of.tend()
    assert len(running(started)) == 1
    assert started[0].id != started[1].id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "processors", "most"),
    [
        ({}, 2, 2),
        ({}, 64, pool.MOST_WORKERS),
        ({"threads": 4}, 8, 2),
        ({"threads": 4}, 2, 1),
        ({"device": "cuda"}, 8, 1),
        ({"workers": 3, "device": "cuda"}, 8, 3),
    ],
)
def test_most_workers_keeps_each_core_to_one_worker(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, fields: dict[str, object], processors: int, most: int
) -> None:
    monkeypatch.setattr(pool, "usable_processors", lambda: processors)
    assert most_workers(settings.model_copy(update=fields)) == most
