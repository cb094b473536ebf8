"""Submitting, extending, cancelling, retrying and deleting studies."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from service.domain.errors import IllegalTransition, Invalid
from service.domain.status import Cause, Status
from service.domain.study import StudyPatch
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.records.experiments import Locked
from service.storage.studies import progress
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.studies import Study
from service.usecases import studies as usecases
from tests.making import make_run
from tests.storage.steps import claim
from tests.usecases.conftest import CODE, MakeStudy, make_spec
from tests.usecases.observing import commits, run_and_crash, stored

TUNING = {"rates": [0.001, 0.01], "seeds": [1000]}


def locked(session: UnitOfWork, id: UUID) -> Study:
    study = studies.find_locked(session, id)
    assert study is not None
    return study


def run(database: Database, id: UUID, use_case: Callable[[UnitOfWork, Study], Any]) -> Any:
    """Run a use case on the locked study, as a route does."""
    return database.run("use_case", lambda session: use_case(session, locked(session, id)))


def edit(database: Database, id: UUID, limit: int = 100, **fields: Any) -> tuple[Study, int]:
    patch = StudyPatch.model_validate(fields)
    edited: tuple[Study, int] = run(
        database, id, lambda session, study: usecases.edit(session, study, patch, CODE, limit)
    )
    return edited


def counts(database: Database, id: UUID) -> dict[Status, int]:
    with database.read() as session:
        counted = progress.of_study(session, id).counts
    return {status: number for status, number in counted.items() if number}


def finish_all(database: Database) -> None:
    for claimed in claim(database, limit=100):
        with database.write("succeed") as session:
            transitions.succeed(session, claimed.fence, make_run())


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_retry_passes_over_what_another_request_has_just_retried(
    database: Database, make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time."""
    id = make_study()
    failed = [claimed.fence for claimed in claim(database, limit=2)]
    for fence in failed:
        database.run("fail", lambda s, fence=fence: transitions.fail(s, fence, Cause.INVALID_DATA, "d"))  # type: ignore[misc]
    lock = experiments.lock

    def overtaken(session: Session, ids: Sequence[UUID]) -> list[Locked]:
        monkeypatch.setattr(experiments, "lock", lock)
        database.run("retry", lambda s: experiments.retry_all(s, "local", [failed[0].id]))
        return lock(session, ids)

    monkeypatch.setattr(experiments, "lock", overtaken)
    block = run(database, id, lambda session, study: usecases.retry(session, "local", study, None, new_id()))
    assert (block.count, block.last) == (1, None)
    assert counts(database, id) == {Status.FAILED: 2, Status.QUEUED: 4}


def test_stage_expands_the_grid_and_wakes_a_worker_for_each_experiment(database: Database) -> None:
    with database.write("stage") as session:
        staged = usecases.stage(session, make_spec(), CODE, limit=4)
    assert (len(staged.ranking), len(staged.trials), len(staged.queued), staged.wakes) == (4, 0, 4, 4)


def test_stage_of_a_study_that_tunes_queues_its_trials_first(database: Database) -> None:
    with database.write("stage") as session:
        staged = usecases.stage(session, make_spec(tuning=TUNING), CODE, limit=100)
    assert (len(staged.ranking), len(staged.trials), staged.wakes) == (4, 4, 4)
    assert list(staged.queued) == list(staged.trials)


def test_stage_does_not_queue_reused_experiments(database: Database, make_study: MakeStudy) -> None:
    make_study(seeds=[0])
    finish_all(database)
    with database.write("stage") as session:
        staged = usecases.stage(session, make_spec(reuse=True), CODE, limit=100)
    assert (staged.wakes, len(staged.reused)) == (2, 2)


def test_stage_refuses_a_study_over_the_limit(database: Database) -> None:
    with database.write("stage") as session, pytest.raises(Invalid, match="the limit is 3"):
        usecases.stage(session, make_spec(), CODE, limit=3)


def test_submit_stores_study_and_experiments_in_one_transaction(database: Database, make_study: MakeStudy) -> None:
    with commits(database) as committed:
        study = make_study(name="depth")
    assert len(committed) == 1
    assert counts(database, study) == {Status.QUEUED: 4}


def test_submit_keeps_nothing_when_the_transaction_fails(database: Database) -> None:
    before = stored(database)

    def submit(session: UnitOfWork) -> None:
        staged = usecases.stage(session, make_spec(tuning=TUNING), CODE, limit=100)
        usecases.submit(session, "local", staged, new_id())

    run_and_crash(database, submit)
    assert stored(database) == before


def test_edit_of_the_name_wakes_no_worker(database: Database, make_study: MakeStudy) -> None:
    study, wakes = edit(database, make_study(), name="new")
    assert (study.name, wakes) == ("new", 0)


def test_edit_queues_added_seeds_in_every_cell(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    with commits(database) as committed:
        study, wakes = edit(database, id, seeds=[0, 1, 2])
    assert (study.seeds, wakes, len(committed)) == ([0, 1, 2], 2, 1)
    assert counts(database, id) == {Status.QUEUED: 6}


def test_edit_reuses_what_has_been_trained(database: Database, make_study: MakeStudy) -> None:
    make_study(seeds=[2])
    finish_all(database)
    _, wakes = edit(database, make_study(reuse=True), seeds=[0, 1, 2, 3])
    assert wakes == 2


def test_edit_of_a_study_that_tunes_queues_nothing_before_its_ranking(
    database: Database, make_study: MakeStudy
) -> None:
    _, wakes = edit(database, make_study(tuning=TUNING), seeds=[0, 1, 2])
    assert wakes == 0


@pytest.mark.parametrize(
    ("fields", "seeds", "message"),
    [
        ({}, list(range(51)), "the limit is 100"),
        ({"tuning": TUNING}, [0, 1, 1000], "seeds that tuning has not seen"),
        ({"grids": [{"name": "own", "seeds": [5]}]}, [0, 1, 2], "seeds of its own"),
    ],
    ids=["too many", "used by tuning", "fixed"],
)
def test_edit_refuses_seeds_that_the_study_cannot_take(
    database: Database, make_study: MakeStudy, fields: dict[str, Any], seeds: list[int], message: str
) -> None:
    id = make_study(**fields)
    before = stored(database)
    with pytest.raises(Invalid, match=message):
        edit(database, id, seeds=seeds)
    assert stored(database) == before


def test_edit_refuses_seeds_for_a_cancelled_study(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    run(database, id, usecases.cancel)
    with pytest.raises(IllegalTransition, match="cancelled"):
        edit(database, id, seeds=[0, 1, 2])
    assert counts(database, id) == {Status.CANCELLED: 4}


def test_edit_keeps_nothing_when_the_transaction_fails(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    before = stored(database)
    patch = StudyPatch(name="new", seeds=[0, 1, 2])
    run_and_crash(database, lambda session: usecases.edit(session, locked(session, id), patch, CODE, 100))
    assert stored(database) == before


def test_cancel_ends_the_queued_and_flags_the_running(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    claim(database)
    study = run(database, id, usecases.cancel)
    assert study.cancelled_at is not None
    assert counts(database, id) == {Status.RUNNING: 1, Status.CANCELLED: 3}
    assert stored(database)["experiments"].count((Status.RUNNING, True)) == 1


def test_cancel_ends_the_trials_of_a_study_that_tunes(database: Database, make_study: MakeStudy) -> None:
    run(database, make_study(tuning=TUNING), usecases.cancel)
    assert stored(database)["experiments"] == [(Status.CANCELLED, True)] * 4


def test_cancel_of_a_finished_study_is_refused(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    finish_all(database)
    with pytest.raises(IllegalTransition, match="nothing to cancel"):
        run(database, id, usecases.cancel)


def test_cancel_keeps_nothing_when_the_transaction_fails(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    before = stored(database)
    run_and_crash(database, lambda session: usecases.cancel(session, locked(session, id)))
    assert stored(database) == before


def test_delete_removes_the_study_and_its_experiments(database: Database, make_study: MakeStudy) -> None:
    id, other = make_study(), make_study(seeds=[9])
    run(database, id, usecases.cancel)
    run(database, id, usecases.delete)
    assert [study[0] for study in stored(database)["studies"]] == [other]
    assert counts(database, other) == {Status.QUEUED: 2}


def test_delete_of_an_active_study_is_refused(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    before = stored(database)
    with pytest.raises(IllegalTransition, match="cancel it first"):
        run(database, id, usecases.delete)
    assert stored(database)["experiments"] == before["experiments"]


def test_delete_keeps_everything_when_the_transaction_fails(database: Database, make_study: MakeStudy) -> None:
    id = make_study()
    run(database, id, usecases.cancel)
    before = stored(database)
    run_and_crash(database, lambda session: usecases.delete(session, locked(session, id)))
    assert stored(database) == before


@pytest.mark.parametrize("use_case", [usecases.cancel, usecases.delete])
def test_study_that_tries_rates_is_not_changed_by_itself(
    database: Database, make_study: MakeStudy, use_case: Callable[[UnitOfWork, Study], Any]
) -> None:
    id = make_study(tuning=TUNING)
    with database.read() as session:
        tuner = studies.tuners(session, [id])[id]
    with pytest.raises(IllegalTransition, match=str(id)):
        run(database, tuner, use_case)
