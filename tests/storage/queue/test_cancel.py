"""transitions.request_cancel: it ends queued experiments, and wins over every later write of a worker."""

from uuid import UUID

import pytest

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import CancelRequested
from service.storage.records import attempts
from tests.conftest import read_experiment
from tests.making import make_run
from tests.storage.steps import WRITES, cancel, claim, claimed, do, lose


def test_request_cancel_ends_a_queued_experiment(database: Database, experiment: UUID) -> None:
    cancel(database, experiment)
    now = read_experiment(database, experiment)
    assert (now.status, now.cause) == (Status.CANCELLED, Cause.CANCELLED)
    assert claim(database) == []


@pytest.mark.parametrize("write", ["epoch", "checkpoint", "execution", "start_over", "succeed"])
def test_write_after_a_cancel_raises_cancel_requested(database: Database, experiment: UUID, write: str) -> None:
    fence = claimed(database)
    cancel(database, experiment)
    assert read_experiment(database, experiment).status == Status.RUNNING
    with pytest.raises(CancelRequested):
        database.run("late", lambda s: WRITES[write](s, fence))


@pytest.mark.parametrize("write", ["fail", "release", "cancelled"])
def test_every_end_after_a_cancel_is_cancelled(database: Database, experiment: UUID, write: str) -> None:
    fence = claimed(database)
    cancel(database, experiment)
    database.run("end", lambda s: WRITES[write](s, fence))
    now = read_experiment(database, experiment)
    assert (now.status, now.cause) == (Status.CANCELLED, Cause.CANCELLED)
    with database.read() as session:
        (attempt,) = attempts.of_experiment(session, experiment)
    assert attempt.outcome == Outcome.CANCELLED


def test_loss_after_a_cancel_ends_as_cancelled(database: Database, experiment: UUID) -> None:
    claimed(database)
    cancel(database, experiment)
    assert lose(database, experiment)
    assert read_experiment(database, experiment).status == Status.CANCELLED


def test_request_cancel_skips_terminal_experiments(database: Database, experiment: UUID) -> None:
    do(database, transitions.succeed, claimed(database), make_run())
    cancel(database, experiment)
    now = read_experiment(database, experiment)
    assert (now.status, now.cancel_requested) == (Status.SUCCEEDED, False)
