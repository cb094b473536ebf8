"""The facts that a monitoring system reads."""

from functools import partial
from uuid import UUID

from sqlalchemy import update

from service.domain.status import Cause, Status
from service.domain.study import StudySpec
from service.domain.workers import WorkerMemory
from service.storage.analysis import facts
from service.storage.analysis.facts import Facts
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import lost_workers
from service.storage.queue.lost_workers import LostWorker
from service.storage.records import experiments, workers
from service.storage.records.workers import Heartbeat
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.workers import Worker
from tests.api import states
from tests.conftest import make_submission

OLD_SECONDS = 3600.0


def read(database: Database) -> Facts:
    with database.read() as session:
        return facts.read(session)


def lose(database: Database, worker: str, max_losses: int) -> None:
    lost = LostWorker(max_losses, counted=True, detail="lost")
    database.run("lose", lambda session: lost_workers.requeue_owned(session, worker, lost))


def owner_of(database: Database, id: UUID) -> str:
    with database.read() as session:
        experiment = session.get(Experiment, id)
        assert experiment is not None
        assert experiment.owner is not None
        return experiment.owner


def test_read_of_an_empty_database_has_every_state_as_zero(database: Database) -> None:
    found = read(database)
    assert found.experiments == dict.fromkeys(Status, 0)
    assert found.ended[Status.FAILED, Cause.DIVERGED] == 0
    assert len(found.ended) == len(Cause) + 1
    assert set(found.ended.values()) == {0}
    assert (found.attempts_lost, found.queue, found.workers, found.last_seen) == (0, {}, {}, {})


def test_read_counts_states_ends_and_the_queue(database: Database) -> None:
    states.finish(database)
    states.fail(database, states.start(database))
    states.start(database)
    states.queue(database)
    states.queue(database, priority=3)
    states.queue(database, priority=3)
    found = read(database)
    assert found.experiments == {"queued": 3, "running": 1, "succeeded": 1, "failed": 1, "cancelled": 0}
    assert {end: number for end, number in found.ended.items() if number} == {
        (Status.SUCCEEDED, None): 1,
        (Status.FAILED, Cause.DIVERGED): 1,
    }
    assert {priority: queued.experiments for priority, queued in found.queue.items()} == {0: 1, 3: 2}
    assert all(0 <= queued.oldest_seconds < 60 for queued in found.queue.values())


def test_read_tells_workers_by_state(database: Database) -> None:
    states.heartbeat(database, "idle")
    states.heartbeat(database, "busy", experiments=[str(new_id())])
    states.heartbeat(database, "old")
    unusable = Heartbeat("broken", "other", 7, "cuda", "not usable", WorkerMemory(), {})
    with database.write("age") as session:
        session.execute(update(Worker).where(Worker.id == "old").values(last_seen=after(-OLD_SECONDS)))
        workers.report_problem(session, unusable, "no CUDA")
    found = read(database)
    assert found.workers == dict.fromkeys(facts.WORKER_STATES, 1)
    assert found.last_seen["lost"] < found.last_seen["idle"]


def test_totals_do_not_fall_when_experiments_are_deleted(database: Database) -> None:
    lost = states.start(database)
    lose(database, owner_of(database, lost.id), max_losses=1)
    ids = [states.finish(database), states.finish(database, seed=1), lost.id]
    before = read(database)
    assert (before.ended[Status.SUCCEEDED, None], before.ended[Status.FAILED, Cause.WORKER_LOST]) == (2, 1)
    assert before.attempts_lost == 1
    for id in (ids[0], ids[2]):
        assert database.run("delete", partial(experiments.remove, id=id))
    later = read(database)
    assert (later.ended, later.attempts_lost) == (before.ended, before.attempts_lost)
    assert later.experiments[Status.SUCCEEDED] == 1
    assert later.experiments[Status.FAILED] == 0
    assert database.run("delete", lambda session: experiments.remove(session, ids[1]))
    assert read(database).ended == before.ended


def test_totals_count_the_experiments_of_deleted_studies(database: Database) -> None:
    with database.write("study") as session:
        study = studies.create(session, "local", StudySpec(base={"activation": "relu"}), [make_submission()], new_id())
    states.finish_queued(database, lambda spec: 0.9)
    assert database.run("delete", lambda session: experiments.remove_of_studies(session, [study.id]))
    assert read(database).experiments[Status.SUCCEEDED] == 0
    assert read(database).ended[Status.SUCCEEDED, None] == 1
