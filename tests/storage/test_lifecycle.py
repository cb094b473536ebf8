"""Every transition of architecture.md's table, its guard, and what it leaves behind, on both databases."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.domain.status import Cause, Outcome, Status
from service.storage import attempts, experiments, leases, lifecycle, metrics, results
from service.storage.base import new_id
from service.storage.clock import after
from service.storage.database import Database
from service.storage.leases import CancelRequested, Checkpoint, Claim, Fence, FenceLost, Loss
from service.storage.tables import Experiment, Study, Trace
from tests.conftest import make_experiment
from tests.making import make_epoch, make_run

COUNTED = Loss(max_losses=3, counted=True, detail="gone")


@pytest.fixture
def experiment(database: Database) -> UUID:
    return database.run("make", make_experiment).id


def claim(database: Database, owner: str = "w1", limit: int = 1) -> list[Claim]:
    return database.run("claim", lambda s: lifecycle.claim(s, owner, limit, 30))


def claimed(database: Database, owner: str = "w1") -> Fence:
    (found,) = claim(database, owner)
    return found.fence


def do(database: Database, transition: Callable[..., Any], *arguments: Any) -> Any:
    return database.run("do", lambda s: transition(s, *arguments))


def row(database: Database, id: UUID) -> Experiment:
    with database.read() as session:
        found = experiments.find(session, id)
        assert found is not None
        return found


def cancel(database: Database, id: UUID) -> None:
    do(database, lifecycle.request_cancel, Experiment.id == id)


def expire(database: Database, id: UUID) -> None:
    database.run(
        "expire", lambda s: s.execute(update(Experiment).where(Experiment.id == id).values(lease_until=after(-1)))
    )


def lose(database: Database, id: UUID, loss: Loss = COUNTED) -> bool:
    """As the reaper does it, once the lease has expired."""
    expire(database, id)
    with database.read() as session:
        (lease,) = leases.running(session)
    return bool(do(database, lifecycle.lose_expired, lease.fence, lease.until, loss))


# --- claim ---------------------------------------------------------------------------------------------------------


def test_a_claim_takes_a_lease_and_opens_an_attempt(database: Database, experiment: UUID) -> None:
    (found,) = claim(database, "w1")
    assert found.fence == Fence(experiment, 1)
    assert found.spec["activation"] == {"name": "relu", "parameters": {}}
    now = row(database, experiment)
    assert (now.status, now.owner, now.attempt) == (Status.RUNNING, "w1", 1)
    assert now.started_at is not None
    with database.read() as session:
        (attempt,) = attempts.of_experiment(session, experiment)
        (lease,) = leases.running(session)
    assert (attempt.worker, attempt.outcome) == ("w1", None)
    assert not lease.expired


def test_nothing_is_claimed_twice(database: Database, experiment: UUID) -> None:
    claim(database, "w1")
    assert claim(database, "w2") == []


def test_what_the_owner_already_holds_is_claimed_again(database: Database, experiment: UUID) -> None:
    """After a commit whose answer got lost, the worker asks again and must learn of what it holds."""
    assert claim(database, "w1") == claim(database, "w1")


def test_what_is_claimed_again_starts_from_its_checkpoint(database: Database, experiment: UUID) -> None:
    """Epochs past it will be measured again; until then they would be figures of a run that did not happen."""
    fence = claimed(database)
    for epoch in (1, 2, 3):
        do(database, lifecycle.record_epoch, fence, make_epoch(epoch))
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    before = row(database, experiment).revision
    assert claimed(database) == fence
    with database.read() as session:
        assert [epoch.epoch for epoch in metrics.of_experiment(session, experiment)] == [1]
    now = row(database, experiment)
    assert now.epochs_done == 1
    assert now.revision > before


def test_whatever_is_asked_to_be_cancelled_is_not_claimed(database: Database, experiment: UUID) -> None:
    """No move leaves such a row behind; if one ever does, it must not cost a run."""
    database.run("ask", lambda s: s.execute(update(Experiment).values(cancel_requested=True)))
    assert claim(database) == []


def test_a_claim_goes_by_priority_then_age(database: Database) -> None:
    ids = [do(database, lambda s, priority: make_experiment(s, priority=priority), p).id for p in (0, 9, 0, 5)]
    assert [claimed(database, f"w{n}").id for n in range(4)] == [ids[1], ids[3], ids[0], ids[2]]


def test_a_study_with_fewer_running_goes_first(database: Database) -> None:
    busy, idle = new_id(), new_id()

    def make(session: Session, study: UUID) -> UUID:
        if session.get(Study, study) is None:
            session.add(Study(id=study, principal="local", base={}, factors={}, seeds=[0]))
        made = make_experiment(session)
        made.study_id = study
        return made.id

    first, second, other = (do(database, make, study) for study in (busy, busy, idle))
    assert claimed(database, "w1").id == first
    assert claimed(database, "w2").id == other  # younger than `second`, but its study has nothing running
    assert claimed(database, "w3").id == second


def test_a_claim_waits_for_not_before_and_knows_its_spec_versions(database: Database, experiment: UUID) -> None:
    def change(session: Session, **values: Any) -> None:
        session.execute(update(Experiment).where(Experiment.id == experiment).values(**values))

    database.run("later", lambda s: change(s, not_before=after(60)))
    assert claim(database) == []
    database.run("newer", lambda s: change(s, not_before=None, spec_version=99))
    assert claim(database) == []
    database.run("due", lambda s: change(s, not_before=after(-1), spec_version=1))
    assert len(claim(database)) == 1


def test_a_claim_takes_up_to_its_limit(database: Database) -> None:
    for _ in range(3):
        database.run("make", make_experiment)
    assert len(claim(database, "w1", limit=2)) == 2
    assert len(claim(database, "w2", limit=2)) == 1


def test_a_claim_forgets_epochs_past_the_checkpoint(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    for epoch in (1, 2, 3):
        do(database, lifecycle.record_epoch, fence, make_epoch(epoch))
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(2, 20, "file", "sha"))
    assert lose(database, experiment)
    (again,) = claim(database, "w2")
    assert again.checkpoint == Checkpoint(2, 20, "file", "sha")
    with database.read() as session:
        assert [epoch.epoch for epoch in metrics.of_experiment(session, experiment)] == [1, 2]
    assert row(database, experiment).epochs_done == 2


# --- while running -------------------------------------------------------------------------------------------------


def test_renewing_moves_the_lease_and_no_revision(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    before = row(database, experiment)
    assert do(database, lifecycle.renew, [fence], 300) == {experiment}
    now = row(database, experiment)
    assert now.lease_until is not None
    assert before.lease_until is not None
    assert now.lease_until > before.lease_until
    assert now.revision == before.revision


def test_an_epoch_is_recorded_under_a_new_revision(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    before = row(database, experiment).revision
    do(database, lifecycle.record_epoch, fence, make_epoch(1, train_loss=None, non_finite=["train_loss"]))
    now = row(database, experiment)
    with database.read() as session:
        (epoch,) = metrics.of_experiment(session, experiment)
    assert (epoch.train_loss, epoch.non_finite, epoch.attempt) == (None, ["train_loss"], 1)
    assert before < now.revision == epoch.revision
    assert now.epochs_done == 1


def test_recording_an_epoch_twice_keeps_one_row(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.record_epoch, fence, make_epoch(1, train_loss=0.7))
    do(database, lifecycle.record_epoch, fence, make_epoch(1, train_loss=0.6))
    with database.read() as session:
        assert [epoch.train_loss for epoch in metrics.of_experiment(session, experiment)] == [0.6]


def test_an_older_attempt_overwrites_no_metrics(database: Database, experiment: UUID) -> None:
    do(database, metrics.upsert, experiment, 2, make_epoch(1, train_loss=0.2))
    do(database, metrics.upsert, experiment, 1, make_epoch(1, train_loss=0.1))
    with database.read() as session:
        assert [epoch.train_loss for epoch in metrics.of_experiment(session, experiment)] == [0.2]


STALE: dict[str, Callable[[Session, Fence], Any]] = {
    "epoch": lambda s, fence: lifecycle.record_epoch(s, fence, make_epoch()),
    "checkpoint": lambda s, fence: lifecycle.move_checkpoint(s, fence, Checkpoint(1, 1, "f", "s")),
    "execution": lambda s, fence: lifecycle.keep_execution(s, fence, {}),
    "start_over": lifecycle.start_over,
    "succeed": lambda s, fence: lifecycle.succeed(s, fence, make_run()),
    "fail": lambda s, fence: lifecycle.fail(s, fence, Cause.DIVERGED, "d"),
    "release": lifecycle.release,
    "cancelled": lifecycle.end_cancelled,
}


@pytest.mark.parametrize("write", STALE)
def test_a_worker_that_lost_its_lease_writes_nothing(database: Database, experiment: UUID, write: str) -> None:
    stale = claimed(database, "w1")
    assert lose(database, experiment)
    claim(database, "w2")
    before = row(database, experiment)
    with pytest.raises(FenceLost):
        database.run("stale", lambda s: STALE[write](s, stale))
    now = row(database, experiment)
    assert (now.revision, now.attempt, now.owner) == (before.revision, 2, "w2")
    assert do(database, lifecycle.renew, [stale], 30) == set()


def test_starting_over_forgets_the_checkpoint_and_the_epochs(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.record_epoch, fence, make_epoch(1))
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    do(database, lifecycle.start_over, fence)
    now = row(database, experiment)
    assert (now.checkpoint_path, now.epochs_done) == (None, 0)
    with database.read() as session:
        assert metrics.of_experiment(session, experiment) == []


# --- the end -------------------------------------------------------------------------------------------------------


def test_success_stores_the_result_and_copies_its_figures(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.succeed, fence, make_run(0.97))
    now = row(database, experiment)
    assert (now.status, now.test_accuracy, now.best_epoch, now.cause) == (Status.SUCCEEDED, 0.97, 3, None)
    assert now.finished_at is not None
    assert (now.owner, now.lease_until) == (None, None)
    with database.read() as session:
        result = results.of_experiment(session, experiment)
        (attempt,) = attempts.of_experiment(session, experiment)
    assert result is not None
    assert result.last_correct == b"\xff\xc0"
    assert attempt.outcome == Outcome.SUCCEEDED


@pytest.mark.parametrize("write", ["succeed", "fail", "cancelled"])
def test_an_end_written_twice_is_written_once(database: Database, experiment: UUID, write: str) -> None:
    """The database died in COMMIT: the worker cannot know, writes again, and must find that it is done."""
    fence = claimed(database)
    if write == "cancelled":
        cancel(database, experiment)
    database.run("end", lambda s: STALE[write](s, fence))
    before = row(database, experiment)
    database.run("end", lambda s: STALE[write](s, fence))
    assert row(database, experiment).revision == before.revision


def test_a_failure_keeps_its_cause_and_its_metrics(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.record_epoch, fence, make_epoch(1))
    do(database, lifecycle.fail, fence, Cause.DIVERGED, "loss became NaN in epoch 2")
    now = row(database, experiment)
    assert (now.status, now.cause, now.detail) == (Status.FAILED, Cause.DIVERGED, "loss became NaN in epoch 2")
    assert now.remedy is not None
    assert "learning_rate" in now.remedy
    with database.read() as session:
        assert len(metrics.of_experiment(session, experiment)) == 1


def test_a_release_costs_no_loss_and_keeps_the_checkpoint(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(0, 5, "file", "sha"))
    do(database, lifecycle.release, fence)
    now = row(database, experiment)
    assert (now.status, now.lost_count, now.checkpoint_step, now.owner) == (Status.QUEUED, 0, 5, None)
    assert claimed(database, "w2").attempt == 2


# --- losses --------------------------------------------------------------------------------------------------------


def test_a_loss_requeues_and_the_third_fails(database: Database, experiment: UUID) -> None:
    for count in (1, 2):
        claimed(database, f"w{count}")
        assert lose(database, experiment)
        now = row(database, experiment)
        assert (now.status, now.lost_count) == (Status.QUEUED, count)
        database.run("due", lambda s: s.execute(update(Experiment).values(not_before=None)))
    claimed(database, "w3")
    assert lose(database, experiment)
    now = row(database, experiment)
    assert (now.status, now.cause, now.lost_count, now.detail) == (Status.FAILED, Cause.WORKER_LOST, 3, "gone")
    with database.read() as session:
        assert [a.outcome for a in attempts.of_experiment(session, experiment)] == [Outcome.LOST] * 3


def test_the_first_loss_is_retried_at_once_and_later_ones_wait(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment)
    claimed(database)  # at once
    lose(database, experiment)
    assert claim(database) == []


def test_progress_forgives_losses(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment)
    fence = claimed(database)
    before = row(database, experiment).revision
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    assert row(database, experiment).lost_count == 0
    assert row(database, experiment).revision > before  # a GET shows it
    lose(database, experiment)
    fence = claimed(database)
    do(database, lifecycle.move_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    assert row(database, experiment).lost_count == 1  # the same step again is no progress


def test_a_loss_that_is_nobodys_fault_is_not_counted(database: Database, experiment: UUID) -> None:
    claimed(database)
    lose(database, experiment, Loss(max_losses=1, counted=False, detail="the database was away"))
    now = row(database, experiment)
    assert (now.status, now.lost_count) == (Status.QUEUED, 0)


def test_a_lease_that_was_renewed_is_not_taken(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    expire(database, experiment)
    with database.read() as session:
        (seen,) = leases.running(session)
    do(database, lifecycle.renew, [fence], 30)
    assert not do(database, lifecycle.lose_expired, seen.fence, seen.until, COUNTED)
    assert row(database, experiment).status == Status.RUNNING


def test_a_lease_that_was_renewed_and_ran_out_again_is_watched_again(database: Database, experiment: UUID) -> None:
    claimed(database)
    expire(database, experiment)
    with database.read() as session:
        (seen,) = leases.running(session)
    database.run("later", lambda s: s.execute(update(Experiment).values(lease_until=after(-0.5))))
    assert not do(database, lifecycle.lose_expired, seen.fence, seen.until, COUNTED)


def test_a_lease_that_runs_is_not_taken(database: Database, experiment: UUID) -> None:
    claimed(database)
    with database.read() as session:
        (lease,) = leases.running(session)
    assert not do(database, lifecycle.lose_expired, lease.fence, lease.until, COUNTED)


def test_a_dead_worker_gives_up_what_it_held_at_once(database: Database, experiment: UUID) -> None:
    fence = claimed(database, "w1")
    other = database.run("make", make_experiment).id
    claimed(database, "w2")
    assert do(database, lifecycle.lose_owned, "w1", COUNTED) == [fence]
    assert row(database, experiment).status == Status.QUEUED
    assert row(database, other).status == Status.RUNNING


# --- cancel --------------------------------------------------------------------------------------------------------


def test_a_queued_experiment_is_cancelled_at_once(database: Database, experiment: UUID) -> None:
    cancel(database, experiment)
    now = row(database, experiment)
    assert (now.status, now.cause) == (Status.CANCELLED, Cause.CANCELLED)
    assert claim(database) == []


@pytest.mark.parametrize("write", ["epoch", "checkpoint", "execution", "start_over", "succeed"])
def test_after_a_cancel_no_write_of_the_worker_counts(database: Database, experiment: UUID, write: str) -> None:
    fence = claimed(database)
    cancel(database, experiment)
    assert row(database, experiment).status == Status.RUNNING
    with pytest.raises(CancelRequested):
        database.run("late", lambda s: STALE[write](s, fence))


@pytest.mark.parametrize("write", ["fail", "release", "cancelled"])
def test_after_a_cancel_every_end_is_cancelled(database: Database, experiment: UUID, write: str) -> None:
    fence = claimed(database)
    cancel(database, experiment)
    database.run("end", lambda s: STALE[write](s, fence))
    now = row(database, experiment)
    assert (now.status, now.cause) == (Status.CANCELLED, Cause.CANCELLED)
    with database.read() as session:
        (attempt,) = attempts.of_experiment(session, experiment)
    assert attempt.outcome == Outcome.CANCELLED


def test_a_loss_after_a_cancel_ends_in_cancelled(database: Database, experiment: UUID) -> None:
    claimed(database)
    cancel(database, experiment)
    assert lose(database, experiment)
    assert row(database, experiment).status == Status.CANCELLED


def test_a_terminal_experiment_is_not_cancelled(database: Database, experiment: UUID) -> None:
    do(database, lifecycle.succeed, claimed(database), make_run())
    cancel(database, experiment)
    now = row(database, experiment)
    assert (now.status, now.cancel_requested) == (Status.SUCCEEDED, False)


# --- the law, and the trace ----------------------------------------------------------------------------------------

LAWLESS: dict[str, dict[str, Any]] = {
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


@pytest.mark.parametrize("law", LAWLESS)
def test_the_tables_refuse_what_the_law_forbids(database: Database, experiment: UUID, law: str) -> None:
    with pytest.raises(IntegrityError):
        database.run("break", lambda s: s.execute(update(Experiment).values(**LAWLESS[law])))


def test_transitions_are_traced_in_order(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, lifecycle.record_epoch, fence, make_epoch(1))
    do(database, lifecycle.succeed, fence, make_run())
    with database.read() as session:
        traced = session.execute(select(Trace.attempt, Trace.transition).order_by(Trace.seq)).all()
    assert [tuple(line) for line in traced] == [(1, "claim"), (1, "epoch"), (1, "succeed")]
