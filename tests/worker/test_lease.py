"""The thread beside the training step: renewals, heartbeats, flags, and an outage that it sits out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

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
from worker.lease import Keeper

IDENTITY = Identity("w1", "cpu", "test")


@pytest.fixture
def keeper(database: Database, settings: Settings) -> Iterator[Keeper]:
    opened = Keeper(database, settings, IDENTITY)
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def claim(database: Database) -> Claim:
    database.run("make", make_experiment)
    (found,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, 1.0))
    return found


def listed(database: Database) -> dict[str, list[str]]:
    with database.read() as session:
        return {found.worker.id: found.worker.experiments for found in workers.listed(session)}


def test_an_idle_worker_is_listed_and_leaves(database: Database, settings: Settings) -> None:
    keeper = Keeper(database, settings, IDENTITY)
    keeper.start()
    await_true(lambda: listed(database) == {"w1": []})
    keeper.stop()
    assert listed(database) == {}


def test_a_held_lease_is_renewed_and_reported(database: Database, keeper: Keeper, claim: Claim, tmp_path: Path) -> None:
    before = read_experiment(database, claim.fence.id).lease_until
    with keeper.holding(claim.fence, tmp_path / "log"):
        await_true(lambda: read_experiment(database, claim.fence.id).lease_until != before)
        await_true(lambda: listed(database)["w1"] == [str(claim.fence.id)])
    await_true(lambda: listed(database)["w1"] == [])


def test_the_log_is_stored_while_it_grows(database: Database, keeper: Keeper, claim: Claim, tmp_path: Path) -> None:
    file = tmp_path / "log"
    with keeper.holding(claim.fence, file):
        file.write_text("epoch 1\n")
        await_true(lambda: stored_log(database, claim) == "epoch 1\n")


def stored_log(database: Database, claim: Claim) -> str:
    with database.read() as session:
        newest = attempts.newest(session, claim.fence.id)
        assert newest is not None
        return newest.log_tail


def test_a_cancel_raises_the_flag(database: Database, keeper: Keeper, claim: Claim, tmp_path: Path) -> None:
    with keeper.holding(claim.fence, tmp_path / "log") as held:
        assert not held.cancel_requested
        database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == claim.fence.id))
        await_true(lambda: held.cancel_requested, seconds=1.0)
        assert not held.lost


def test_a_lost_lease_raises_the_flag(database: Database, keeper: Keeper, claim: Claim, tmp_path: Path) -> None:
    with keeper.holding(claim.fence, tmp_path / "log") as held:
        database.run("steal", lambda s: s.execute(update(Experiment).values(attempt=9, lease_until=after(60))))
        await_true(lambda: held.lost, seconds=1.0)


def test_an_outage_raises_no_flag_and_ends(
    database: Database, keeper: Keeper, claim: Claim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keeper.holding(claim.fence, tmp_path / "log") as held:
        with monkeypatch.context() as patched:
            patched.setattr(transitions, "flags", _away)
            await_true(lambda: keeper._away)
            assert not held.lost
        await_true(lambda: not keeper._away)
        before = read_experiment(database, claim.fence.id).lease_until
        await_true(lambda: read_experiment(database, claim.fence.id).lease_until != before)


def _away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))
