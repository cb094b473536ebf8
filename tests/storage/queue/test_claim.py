"""transitions.claim: the experiments that a worker gets, their order, and the checkpoint that they start from."""

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.domain.status import Status
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import leases, order, transitions
from service.storage.queue.leases import Checkpoint, Fence
from service.storage.records import attempts, epochs
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.making import make_epoch
from tests.storage.steps import claim, claimed, do, lose


def test_claim_takes_a_lease_and_opens_an_attempt(database: Database, experiment: UUID) -> None:
    (first,) = claim(database, "w1")
    assert first.fence == Fence(experiment, 1)
    assert first.spec["activation"] == {"name": "relu", "parameters": {}}
    now = read_experiment(database, experiment)
    assert (now.status, now.owner, now.attempt) == (Status.RUNNING, "w1", 1)
    assert now.started_at is not None
    with database.read() as session:
        (attempt,) = attempts.of_experiment(session, experiment)
        (lease,) = leases.running(session)
    assert (attempt.worker, attempt.outcome) == ("w1", None)
    assert not lease.expired


def test_claim_skips_running_experiments(database: Database, experiment: UUID) -> None:
    claim(database, "w1")
    assert claim(database, "w2") == []


def test_claim_returns_running_experiments_of_the_same_owner(database: Database, experiment: UUID) -> None:
    """After a commit whose answer got lost, the worker claims again and must get the experiments that it owns."""
    assert claim(database, "w1") == claim(database, "w1")


def test_claim_of_a_running_experiment_starts_from_its_checkpoint(database: Database, experiment: UUID) -> None:
    """Epochs past the checkpoint are trained again; until then their rows would not belong to the run."""
    fence = claimed(database)
    for epoch in (1, 2, 3):
        do(database, transitions.record_epoch, fence, make_epoch(epoch))
    do(database, transitions.record_checkpoint, fence, Checkpoint(1, 10, "file", "sha"))
    before = read_experiment(database, experiment).revision
    assert claimed(database) == fence
    with database.read() as session:
        assert [epoch.epoch for epoch in epochs.of_experiment(session, experiment)] == [1]
    now = read_experiment(database, experiment)
    assert now.epochs_done == 1
    assert now.revision > before


def test_claim_skips_experiments_with_a_cancel_request(database: Database, experiment: UUID) -> None:
    """No transition leaves such a row; if one ever does, the row must not be run."""
    database.run("ask", lambda s: s.execute(update(Experiment).values(cancel_requested=True)))
    assert claim(database) == []


def test_claim_orders_by_priority_then_age(database: Database) -> None:
    ids = [do(database, lambda s, priority: make_experiment(s, priority=priority), p).id for p in (0, 9, 0, 5)]
    assert [claimed(database, f"w{n}").id for n in range(4)] == [ids[1], ids[3], ids[0], ids[2]]


def test_claim_skips_back_offs_and_unknown_spec_versions(database: Database, experiment: UUID) -> None:
    def change(session: Session, **values: Any) -> None:
        session.execute(update(Experiment).where(Experiment.id == experiment).values(**values))

    database.run("later", lambda s: change(s, not_before=after(60)))
    assert claim(database) == []
    database.run("set back", lambda s: change(s, not_before=after(3600)))  # more than any back-off
    assert do(database, order.count_due) == 1
    database.run("newer", lambda s: change(s, not_before=None, spec_version=99))
    assert claim(database) == []
    database.run("due", lambda s: change(s, not_before=after(-1), spec_version=1))
    assert len(claim(database)) == 1


def test_claim_takes_at_most_its_limit(database: Database) -> None:
    for _ in range(3):
        database.run("make", make_experiment)
    assert len(claim(database, "w1", limit=2)) == 2
    assert len(claim(database, "w2", limit=2)) == 1


def test_claim_deletes_epochs_past_the_checkpoint(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    for epoch in (1, 2, 3):
        do(database, transitions.record_epoch, fence, make_epoch(epoch))
    do(database, transitions.record_checkpoint, fence, Checkpoint(2, 20, "file", "sha"))
    assert lose(database, experiment)
    (again,) = claim(database, "w2")
    assert again.checkpoint == Checkpoint(2, 20, "file", "sha")
    with database.read() as session:
        assert [epoch.epoch for epoch in epochs.of_experiment(session, experiment)] == [1, 2]
    assert read_experiment(database, experiment).epochs_done == 2
