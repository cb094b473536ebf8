"""Finding finished experiments that a study may count instead of training the same again."""

from typing import Any
from uuid import UUID

from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import workers
from service.storage.studies import reuse
from service.storage.tables.base import new_id
from service.storage.tables.studies import Study
from tests.conftest import make_experiment, make_submission
from tests.making import make_heartbeat, make_run
from tests.storage.steps import claimed, do

CODE = "0.1.0"


def finish(database: Database, seed: int = 0, **run: Any) -> UUID:
    id = database.run("make", lambda session: make_experiment(session, seed=seed)).id
    do(database, transitions.succeed, claimed(database), make_run(**run))
    return id


def untrained(database: Database, *seeds: int, code: str = CODE, enabled: bool = True) -> tuple[list[int], list[UUID]]:
    submissions = [make_submission(seed=seed) for seed in seeds]
    with database.write("reuse") as session:
        left, reused = reuse.untrained(session, submissions, code, enabled=enabled)
    return [submission.seed for submission in left], reused


def test_untrained_leaves_what_no_experiment_stands_for(database: Database) -> None:
    id = finish(database, seed=0)
    assert untrained(database, 0, 1) == ([1], [id])


def test_untrained_leaves_everything_unless_reuse_is_asked_for(database: Database) -> None:
    finish(database, seed=0)
    assert untrained(database, 0, 1, enabled=False) == ([0, 1], [])


def test_untrained_ignores_experiments_of_another_version(database: Database) -> None:
    finish(database)
    assert untrained(database, 0, code="9.9.9") == ([0], [])


def test_untrained_ignores_experiments_that_have_not_succeeded(database: Database, experiment: UUID) -> None:
    claimed(database)
    assert untrained(database, 0) == ([0], [])


def test_untrained_takes_the_newest_of_equal_experiments(database: Database) -> None:
    finish(database)
    newest = finish(database)
    assert untrained(database, 0) == ([], [newest])


def test_untrained_takes_one_fingerprint_for_all(database: Database) -> None:
    first, second = (finish(database, seed=seed, device_name="a") for seed in (0, 1))
    finish(database, seed=2, device_name="b")
    left, reused = untrained(database, 0, 1, 2)
    assert (left, set(reused)) == ([2], {first, second})


def test_untrained_ignores_fingerprints_that_no_live_worker_has(database: Database) -> None:
    id = finish(database)
    do(database, workers.beat, make_heartbeat("w1", device="cuda"))
    assert untrained(database, 0) == ([0], [])
    do(database, workers.beat, make_heartbeat("w2", device="cpu"))
    assert untrained(database, 0) == ([], [id])


def test_referring_names_the_studies_that_count_an_experiment(database: Database) -> None:
    id, study = finish(database), new_id()
    with database.write("refer") as session:
        session.add(Study(id=study, principal="local", base={}, factors={}, grids=[], seeds=[0]))
        session.flush()
        reuse.refer(session, study, [id])
    with database.read() as session:
        assert reuse.referring(session, id) == [study]
