"""The thread beside the training step: renewals, heartbeats, flags, and an outage that it sits out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from service.observability.work import WorkMetrics
from service.settings import Settings
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Claim
from service.storage.records import attempts, workers
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.waiting import await_true
from worker.identity import Identity
from worker.lease import LeaseRenewer

IDENTITY = Identity("w1", "cpu", "test")


@pytest.fixture
def renewer(database: Database, settings: Settings) -> Iterator[LeaseRenewer]:
    opened = LeaseRenewer(database, settings, IDENTITY, WorkMetrics())
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def claim(database: Database) -> Claim:
    database.run("make", make_experiment)
    (claimed,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, 1.0))
    return claimed


def listed(database: Database) -> dict[str, list[str]]:
    with database.read() as session:
        return {row.worker.id: row.worker.experiments for row in workers.listed(session)}


def test_lease_renewer_lists_an_idle_worker_until_it_stops(database: Database, settings: Settings) -> None:
    renewer = LeaseRenewer(database, settings, IDENTITY, WorkMetrics())
    renewer.start()
    await_true(lambda: listed(database) == {"w1": []})
    renewer.stop()
    assert listed(database) == {}


def test_lease_renewer_renews_and_reports_a_held_lease(
    database: Database, renewer: LeaseRenewer, claim: Claim, tmp_path: Path
) -> None:
    before = read_experiment(database, claim.fence.id).lease_until
    with renewer.holding(claim.fence, tmp_path / "log"):
        await_true(lambda: read_experiment(database, claim.fence.id).lease_until != before)
        await_true(lambda: listed(database)["w1"] == [str(claim.fence.id)])
    await_true(lambda: listed(database)["w1"] == [])


def test_lease_renewer_stores_the_log_while_it_grows(
    database: Database, renewer: LeaseRenewer, claim: Claim, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    with renewer.holding(claim.fence, file):
        file.write_text("epoch 1\n")
        await_true(lambda: stored_log(database, claim) == "epoch 1\n")


def stored_log(database: Database, claim: Claim) -> str:
    with database.read() as session:
        newest = attempts.newest(session, claim.fence.id)
        assert newest is not None
        return newest.log_tail


def test_lease_renewer_sets_the_flag_of_a_cancel(
    database: Database, renewer: LeaseRenewer, claim: Claim, tmp_path: Path
) -> None:
    with renewer.holding(claim.fence, tmp_path / "log") as lease:
        assert not lease.cancel_requested
        database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == claim.fence.id))
        await_true(lambda: lease.cancel_requested, seconds=1.0)
        assert not lease.lost


def test_lease_renewer_sets_the_flag_of_a_lost_lease(
    database: Database, renewer: LeaseRenewer, claim: Claim, tmp_path: Path
) -> None:
    with renewer.holding(claim.fence, tmp_path / "log") as lease:
        database.run("steal", lambda s: s.execute(update(Experiment).values(attempt=9, lease_until=after(60))))
        await_true(lambda: lease.lost, seconds=1.0)


def test_lease_renewer_sets_no_flag_in_an_outage_and_renews_after_it(
    database: Database, renewer: LeaseRenewer, claim: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with renewer.holding(claim.fence, tmp_path / "log") as lease:
        failures = 0

        def fail(*_: object) -> None:
            nonlocal failures
            failures += 1
            raise OperationalError("SELECT", {}, Exception("away"))

        with monkeypatch.context() as patched:
            patched.setattr(transitions, "flags", fail)
            await_true(lambda: failures > 1)
            assert not lease.lost
        before = read_experiment(database, claim.fence.id).lease_until
        await_true(lambda: read_experiment(database, claim.fence.id).lease_until != before)
