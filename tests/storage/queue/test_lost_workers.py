"""Requeueing the experiments of lost workers, and counting the losses."""

from uuid import UUID

from sqlalchemy import update

from service.domain.status import Cause, Outcome, Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import leases, lost_workers, transitions
from service.storage.queue.leases import Checkpoint
from service.storage.queue.lost_workers import LostWorker
from service.storage.records import attempts
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.storage.steps import COUNTED, claim, claimed, do, expire, lose


def test_loss_requeues_until_the_third_fails(database: Database, experiment: UUID) -> None:
    for count in (1, 2):
        claimed(database, f"w{count}")
        assert lose(database, experiment)
        now = read_experiment(database, experiment)
        assert (now.status, now.lost_count) == (Status.QUEUED, count)
        database.run("due", lambda s: s.execute(update(Experiment).values(not_before=None)))
    claimed(database, "w3")
    assert lose(database, experiment)
    now = read_experiment(database, experiment)
    assert (now.status, now.cause, now.lost_count, now.detail) == (Status.FAILED, Cause.WORKER_LOST, 3, "gone")
    with database.read() as session:
        assert [a.outcome for a in attempts.of_experiment(session, experiment)] == [Outcome.LOST] * 3


def test_back_off_begins_with_the_second_loss(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment)
    claimed(database)  # at once
    lose(database, experiment)
    assert claim(database) == []


def test_record_checkpoint_resets_losses_on_progress(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment)
    fence = claimed(database)
    before = read_experiment(database, experiment).revision
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    assert read_experiment(database, experiment).lost_count == 0
    assert read_experiment(database, experiment).revision > before  # a GET shows it
    lose(database, experiment)
    fence = claimed(database)
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    assert read_experiment(database, experiment).lost_count == 1  # the same step again is no progress


def test_start_over_is_no_progress(database: Database, experiment: UUID) -> None:
    """An experiment that kills its worker, and whose checkpoints can never be read, fails too."""
    for owner in ("w1", "w2", "w3"):
        fence = claimed(database, owner)
        if owner != "w1":
            do(database, transitions.start_over, fence)
        do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
        lose(database, experiment)
        database.run("due", lambda s: s.execute(update(Experiment).values(not_before=None)))
    now = read_experiment(database, experiment)
    assert (now.status, now.cause, now.lost_count) == (Status.FAILED, Cause.WORKER_LOST, 3)


def test_start_over_keeps_the_furthest_step(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    lose(database, experiment)
    fence = claimed(database)
    do(database, transitions.start_over, fence)
    do(database, transitions.record_checkpoint, fence, Checkpoint(0, 5, "file", "sha"))
    assert read_experiment(database, experiment).lost_count == 1
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 11, "file", "sha"))
    assert read_experiment(database, experiment).lost_count == 0


def test_uncounted_loss_requeues_without_counting(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment, LostWorker(max_losses=1, counted=False, detail="the database was away"))
    now = read_experiment(database, experiment)
    assert (now.status, now.lost_count) == (Status.QUEUED, 0)


def test_requeue_expired_skips_a_renewed_lease(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    expire(database, experiment)
    with database.read() as session:
        (seen,) = leases.running(session)
    do(database, transitions.renew, [fence], 30)
    assert not do(database, lost_workers.requeue_expired, seen.fence, seen.until, COUNTED)
    assert read_experiment(database, experiment).status == Status.RUNNING


def test_requeue_expired_skips_a_lease_renewed_since_it_was_watched(database: Database, experiment: UUID) -> None:
    claimed(database)
    expire(database, experiment)
    with database.read() as session:
        (seen,) = leases.running(session)
    database.run("later", lambda s: s.execute(update(Experiment).values(lease_until=after(-0.5))))
    assert not do(database, lost_workers.requeue_expired, seen.fence, seen.until, COUNTED)


def test_requeue_expired_skips_an_unexpired_lease(database: Database, experiment: UUID) -> None:
    claimed(database)
    with database.read() as session:
        (lease,) = leases.running(session)
    assert not do(database, lost_workers.requeue_expired, lease.fence, lease.until, COUNTED)


def test_requeue_owned_requeues_only_the_dead_workers_experiments(database: Database, experiment: UUID) -> None:
    fence = claimed(database, "w1")
    other = database.run("make", make_experiment).id
    claimed(database, "w2")
    assert do(database, lost_workers.requeue_owned, "w1", COUNTED) == [fence]
    assert read_experiment(database, experiment).status == Status.QUEUED
    assert read_experiment(database, other).status == Status.RUNNING
