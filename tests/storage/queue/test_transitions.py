"""Transitions that a worker makes, their trace, and the constraints of the tables; on both databases."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Checkpoint, FenceLost
from service.storage.records import attempts, epochs, results
from service.storage.tables.experiments import Experiment, Trace
from tests.conftest import read_experiment
from tests.making import make_epoch, make_run
from tests.storage.steps import WRITES, cancel, claim, claimed, do, lose


def test_renew_prolongs_the_lease_without_a_revision(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    before = read_experiment(database, experiment)
    assert do(database, transitions.renew, [fence], 300) == {experiment}
    now = read_experiment(database, experiment)
    assert now.lease_until is not None
    assert before.lease_until is not None
    assert now.lease_until > before.lease_until
    assert now.revision == before.revision


def test_record_epoch_takes_a_new_revision(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    before = read_experiment(database, experiment).revision
    do(database, transitions.record_epoch, fence, make_epoch(1, train_loss=None, non_finite=["train_loss"]))
    now = read_experiment(database, experiment)
    with database.read() as session:
        (epoch,) = epochs.of_experiment(session, experiment)
    assert (epoch.train_loss, epoch.non_finite, epoch.attempt) == (None, ["train_loss"], 1)
    assert before < now.revision == epoch.revision
    assert now.epochs_done == 1


def test_record_epoch_twice_keeps_one_row(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1, train_loss=0.7))
    do(database, transitions.record_epoch, fence, make_epoch(1, train_loss=0.6))
    with database.read() as session:
        assert [epoch.train_loss for epoch in epochs.of_experiment(session, experiment)] == [0.6]


def test_older_attempt_does_not_overwrite_epochs(database: Database, experiment: UUID) -> None:
    do(database, epochs.upsert, experiment, 2, make_epoch(1, train_loss=0.2))
    do(database, epochs.upsert, experiment, 1, make_epoch(1, train_loss=0.1))
    with database.read() as session:
        assert [epoch.train_loss for epoch in epochs.of_experiment(session, experiment)] == [0.2]


@pytest.mark.parametrize("write", WRITES)
def test_write_after_a_lost_lease_raises_fence_lost(database: Database, experiment: UUID, write: str) -> None:
    stale = claimed(database, "w1")
    assert lose(database, experiment)
    claim(database, "w2")
    before = read_experiment(database, experiment)
    with pytest.raises(FenceLost):
        database.run("stale", lambda s: WRITES[write](s, stale))
    now = read_experiment(database, experiment)
    assert (now.revision, now.attempt, now.owner) == (before.revision, 2, "w2")
    assert do(database, transitions.renew, [stale], 30) == set()


def test_start_over_deletes_checkpoint_and_epochs(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1))
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    do(database, transitions.start_over, fence)
    now = read_experiment(database, experiment)
    assert (now.checkpoint_path, now.epochs_done) == (None, 0)
    with database.read() as session:
        assert epochs.of_experiment(session, experiment) == []


def test_succeed_stores_the_result_and_copies_its_figures(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.succeed, fence, make_run(0.97))
    now = read_experiment(database, experiment)
    assert (now.status, now.test_accuracy, now.best_epoch, now.cause) == (Status.SUCCEEDED, 0.97, 3, None)
    assert now.finished_at is not None
    assert (now.owner, now.lease_until) == (None, None)
    with database.read() as session:
        result = results.of_experiment(session, experiment)
        (attempt,) = attempts.of_experiment(session, experiment)
    assert result is not None
    assert result.last_correct == b"\xff\xc0"
    assert attempt.outcome == Outcome.SUCCEEDED


def test_succeed_copies_early_loss_and_median_pace(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    for epoch, pace in enumerate([1000.0, 40.0, 1010.0], start=1):
        do(database, transitions.record_epoch, fence, make_epoch(epoch, images_per_second=pace))
    do(database, transitions.succeed, fence, make_run(early_loss=0.25))
    now = read_experiment(database, experiment)
    assert (now.early_loss, now.images_per_second) == (0.25, 1000.0)


def test_succeed_copies_validation_figures_of_last_and_best_epoch(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    for epoch, (accuracy, loss) in enumerate([(0.7, 0.6), (0.8, 0.2), (0.9, 0.3)], start=1):
        figures = make_epoch(epoch, validation_accuracy=accuracy, validation_loss=loss)
        do(database, transitions.record_epoch, fence, figures)
    do(database, transitions.succeed, fence, make_run(best_epoch=2))
    now = read_experiment(database, experiment)
    assert (now.validation_accuracy, now.validation_loss) == (0.9, 0.3)
    assert (now.best_validation_accuracy, now.best_validation_loss) == (0.8, 0.2)


def test_succeed_copies_the_machine_of_the_fingerprint(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.succeed, fence, make_run(device_name="a GPU", threads=5))
    now = read_experiment(database, experiment)
    assert (now.device, now.device_name, now.threads) == ("cpu", "a GPU", 5)


@pytest.mark.parametrize("write", ["succeed", "fail", "cancelled"])
def test_repeated_end_changes_nothing(database: Database, experiment: UUID, write: str) -> None:
    """After a COMMIT whose answer got lost, the worker writes the end again, which must change nothing."""
    fence = claimed(database)
    if write == "cancelled":
        cancel(database, experiment)
    database.run("end", lambda s: WRITES[write](s, fence))
    before = read_experiment(database, experiment)
    database.run("end", lambda s: WRITES[write](s, fence))
    assert read_experiment(database, experiment).revision == before.revision


def test_fail_keeps_cause_and_epochs(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1))
    do(database, transitions.fail, fence, Cause.DIVERGED, "loss became NaN in epoch 2")
    now = read_experiment(database, experiment)
    assert (now.status, now.cause, now.detail) == (Status.FAILED, Cause.DIVERGED, "loss became NaN in epoch 2")
    assert now.remedy is not None
    assert "learning_rate" in now.remedy
    with database.read() as session:
        assert len(epochs.of_experiment(session, experiment)) == 1


def test_release_counts_no_loss_and_keeps_the_checkpoint(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_checkpoint, fence, Checkpoint(0, 5, "file", "sha"))
    do(database, transitions.release, fence)
    now = read_experiment(database, experiment)
    assert (now.status, now.lost_count, now.checkpoint_step, now.owner) == (Status.QUEUED, 0, 5, None)
    assert claimed(database, "w2").attempt == 2


INCONSISTENT: dict[str, dict[str, Any]] = {
    "running without a lease": {"status": "running"},
    "failed without a cause": {"status": "failed", "finished_at": after(0)},
    "terminal without an end": {"status": "failed", "cause": "diverged"},
    "queued with a cause": {"cause": "diverged"},
    "success without figures": {"status": "succeeded", "finished_at": after(0)},
    "success after a cancel": {
        "status": "succeeded", "finished_at": after(0), "test_accuracy": 0.5, "cancel_requested": True,
    },
    "accuracy above 1": {"test_accuracy": 1.5},
    "unknown status": {"status": "done"},
    "priority above 9": {"priority": 10},
    "half a checkpoint": {"checkpoint_path": "file"},
}  # fmt: skip


@pytest.mark.parametrize("row", INCONSISTENT)
def test_constraints_refuse_inconsistent_rows(database: Database, experiment: UUID, row: str) -> None:
    with pytest.raises(IntegrityError):
        database.run("break", lambda s: s.execute(update(Experiment).values(**INCONSISTENT[row])))


def test_trace_holds_transitions_in_order(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1))
    do(database, transitions.succeed, fence, make_run())
    with database.read() as session:
        traced = session.execute(select(Trace.attempt, Trace.transition).order_by(Trace.seq)).all()
    assert [tuple(line) for line in traced] == [(1, "claim"), (1, "epoch"), (1, "succeed")]
