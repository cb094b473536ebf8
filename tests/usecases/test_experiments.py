"""Submitting, retrying, cancelling and deleting single experiments."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from service.domain.errors import IllegalTransition
from service.domain.status import Cause, Status
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.usecases import experiments as usecases
from tests.conftest import make_experiment, make_submission, read_experiment
from tests.making import make_run
from tests.storage.steps import claimed
from tests.usecases.conftest import MakeStudy
from tests.usecases.observing import commits, run_and_crash, stored

UseCase = Callable[[UnitOfWork, Experiment], Any]


def run(database: Database, id: UUID, use_case: UseCase) -> Any:
    """Run a use case on the locked experiment, as a route does."""
    return database.run("use_case", lambda session: use_case(session, locked(session, id)))


def locked(session: UnitOfWork, id: UUID) -> Experiment:
    experiment = experiments.find_locked(session, id)
    assert experiment is not None
    return experiment


def retry(session: UnitOfWork, experiment: Experiment) -> Experiment:
    return usecases.retry(session, "local", experiment, new_id())


@pytest.fixture
def queued(database: Database) -> UUID:
    return database.run("make", make_experiment).id


@pytest.fixture
def failed(database: Database, queued: UUID) -> UUID:
    fence = claimed(database)
    database.run("fail", lambda session: transitions.fail(session, fence, Cause.DIVERGED, "NaN"))
    return queued


@pytest.fixture
def succeeded(database: Database, queued: UUID) -> UUID:
    fence = claimed(database)
    database.run("succeed", lambda session: transitions.succeed(session, fence, make_run()))
    return queued


def test_submit_queues_one_experiment_in_one_transaction(database: Database) -> None:
    id = new_id()
    with commits(database) as committed:
        database.run("submit", lambda session: usecases.submit(session, "local", make_submission(seed=7), id))
    assert len(committed) == 1
    experiment = read_experiment(database, id)
    assert (experiment.status, experiment.seed, experiment.principal) == (Status.QUEUED, 7, "local")


def test_submit_keeps_nothing_when_the_transaction_fails(database: Database) -> None:
    before = stored(database)
    run_and_crash(database, lambda session: usecases.submit(session, "local", make_submission(), new_id()))
    assert stored(database) == before


def test_retry_queues_the_same_spec_and_points_to_the_first(database: Database, failed: UUID) -> None:
    again = run(database, failed, retry)
    first, second = read_experiment(database, failed), read_experiment(database, again.id)
    assert (second.status, second.retry_of, second.spec) == (Status.QUEUED, failed, first.spec)


def test_retry_of_a_queued_experiment_is_refused(database: Database, queued: UUID) -> None:
    before = stored(database)
    with pytest.raises(IllegalTransition, match="queued"):
        run(database, queued, retry)
    assert stored(database) == before


def test_cancel_ends_a_queued_experiment(database: Database, queued: UUID) -> None:
    assert run(database, queued, usecases.cancel).status == Status.CANCELLED


def test_cancel_flags_a_running_experiment(database: Database, queued: UUID) -> None:
    claimed(database)
    experiment = run(database, queued, usecases.cancel)
    assert (experiment.status, experiment.cancel_requested) == (Status.RUNNING, True)


def test_cancel_twice_changes_nothing(database: Database, queued: UUID) -> None:
    revision = run(database, queued, usecases.cancel).revision
    assert run(database, queued, usecases.cancel).revision == revision


def test_cancel_of_a_succeeded_experiment_is_refused(database: Database, succeeded: UUID) -> None:
    before = stored(database)
    with pytest.raises(IllegalTransition, match="succeeded"):
        run(database, succeeded, usecases.cancel)
    assert stored(database) == before


def test_delete_removes_an_experiment_that_has_ended(database: Database, succeeded: UUID) -> None:
    run(database, succeeded, usecases.delete)
    assert stored(database)["experiments"] == []


def test_delete_of_a_queued_experiment_is_refused(database: Database, queued: UUID) -> None:
    before = stored(database)
    with pytest.raises(IllegalTransition, match="cancel it first"):
        run(database, queued, usecases.delete)
    assert stored(database) == before


def test_delete_of_an_experiment_that_another_study_counts_is_refused(
    database: Database, succeeded: UUID, make_study: MakeStudy
) -> None:
    experiment = read_experiment(database, succeeded)
    study = make_study(factors={"activation": ["relu"]}, seeds=[experiment.seed], reuse=True)
    with pytest.raises(IllegalTransition, match=str(study)):
        run(database, succeeded, usecases.delete)
    assert read_experiment(database, succeeded).status == Status.SUCCEEDED


@pytest.mark.parametrize("use_case", [retry, usecases.delete])
def test_failed_transaction_keeps_an_ended_experiment(database: Database, failed: UUID, use_case: UseCase) -> None:
    before = stored(database)
    run_and_crash(database, lambda session: use_case(session, locked(session, failed)))
    assert stored(database) == before


def test_failed_transaction_keeps_an_experiment_from_being_cancelled(database: Database, queued: UUID) -> None:
    before = stored(database)
    run_and_crash(database, lambda session: usecases.cancel(session, locked(session, queued)))
    assert stored(database) == before
