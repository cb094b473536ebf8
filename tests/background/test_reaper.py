"""The reaper: when it takes an experiment from a silent worker, and when that counts as a loss."""

from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from service.background import reaper
from service.background.reaper import Reaper
from service.domain.status import Cause, Status
from service.process import attempt_log
from service.settings import Settings
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import attempts
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment, read_experiment
from tests.waiting import await_true

LEASE = 10.0

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Clock:
    """The reaper's own clock, moved by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", lease_seconds=LEASE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(database: Database, settings: Settings, clock: Clock) -> Reaper:
    return Reaper(database, settings, clock)


@pytest.fixture
def fence(database: Database) -> Fence:
    database.run("make", make_experiment)
    (claim,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, LEASE))
    return claim.fence


def set_lease(database: Database, seconds: float) -> None:
    database.run("lease", lambda s: s.execute(update(Experiment).values(lease_until=after(seconds))))


def test_look_requeues_a_lease_watched_while_expired(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence
) -> None:
    assert watcher.look() == []
    set_lease(database, -1)  # a changed lease restarts the watch
    assert watcher.look() == []
    clock.now += LEASE - 0.1
    assert watcher.look() == []
    clock.now += 0.2
    assert watcher.look() == [fence]
    assert read_experiment(database, fence.id).status == Status.QUEUED


def test_look_counts_a_loss_of_a_lease_seen_alive(database: Database, settings: Settings, fence: Fence) -> None:
    watcher = Reaper(database, settings.model_copy(update={"lease_seconds": 0.5}))
    set_lease(database, 0.3)
    watcher.look()
    await_true(watcher.look)
    assert read_experiment(database, fence.id).lost_count == 1


def test_look_counts_no_loss_of_a_lease_that_expired_unseen(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence
) -> None:
    """After an outage of all processes, no worker has renewed the lease and no reaper has watched it."""
    set_lease(database, -60)
    watcher.look()
    clock.now += LEASE
    assert watcher.look() == [fence]
    assert read_experiment(database, fence.id).lost_count == 0


def test_renewal_restarts_the_watch(database: Database, watcher: Reaper, clock: Clock, fence: Fence) -> None:
    watcher.look()
    clock.now += LEASE
    set_lease(database, LEASE)
    assert watcher.look() == []
    clock.now += LEASE / 2
    assert watcher.look() == []


def test_lease_that_expires_again_is_watched_for_a_whole_lease(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence
) -> None:
    set_lease(database, -1)
    watcher.look()
    clock.now += LEASE
    set_lease(database, -0.5)
    assert watcher.look() == []
    clock.now += LEASE
    assert watcher.look() == [fence]


def test_database_outage_restarts_the_watch(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_lease(database, -1)
    watcher.look()
    with monkeypatch.context() as patched:
        patched.setattr("service.background.reaper.leases.running", _away)
        with pytest.raises(OperationalError):
            watcher.look()
    clock.now += LEASE
    assert watcher.look() == []
    clock.now += LEASE
    assert watcher.look() == [fence]


def _away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))


@pytest.mark.parametrize("how", ["refuses", "is slow"])
def test_database_that_takes_no_writes_restarts_the_watch(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The worker could not have renewed its lease either."""

    def touched(*_: object) -> None:
        clock.now += LEASE / 4
        if how == "refuses":
            _away()

    set_lease(database, -1)
    watcher.look()
    clock.now += LEASE - 1
    with monkeypatch.context() as patched:
        patched.setattr("service.background.reaper.leases.touch", touched)
        if how == "refuses":
            with pytest.raises(OperationalError):
                watcher.look()
        else:
            assert watcher.look() == []
    assert watcher.look() == []
    clock.now += LEASE - 0.1
    assert watcher.look() == []
    clock.now += 0.2
    assert watcher.look() == [fence]
    assert read_experiment(database, fence.id).lost_count == 0


def test_look_requeues_a_lease_from_before_the_clock_was_set_back(
    database: Database, watcher: Reaper, clock: Clock, fence: Fence
) -> None:
    """A live worker would have renewed its lease by the clock that was set back."""
    set_lease(database, LEASE + 3600)
    watcher.look()
    clock.now += LEASE - 0.1
    assert watcher.look() == []
    clock.now += 0.2
    assert watcher.look() == [fence]


def test_look_leaves_an_unexpired_lease(database: Database, watcher: Reaper, clock: Clock, fence: Fence) -> None:
    """The database's clock decides, because the clock of this process may have jumped."""
    watcher.look()
    clock.now += 100 * LEASE
    assert watcher.look() == []


def test_look_keeps_the_log_of_the_lost_attempt(
    database: Database, settings: Settings, watcher: Reaper, clock: Clock, fence: Fence
) -> None:
    file = attempt_log.path(settings.logs, fence.id, fence.attempt)
    file.parent.mkdir(parents=True)
    file.write_text("Fatal Python error: Timeout\n")
    set_lease(database, -1)
    watcher.look()
    clock.now += LEASE
    watcher.look()
    with database.read() as session:
        newest = attempts.newest(session, fence.id)
    assert newest is not None
    assert (newest.cause, newest.log_tail) == (Cause.WORKER_LOST, "Fatal Python error: Timeout\n")


def test_requeue_from_dead_requeues_at_once(database: Database, settings: Settings, fence: Fence) -> None:
    assert reaper.requeue_from_dead(database, settings, "another", "signal 9") == []
    assert reaper.requeue_from_dead(database, settings, "w1", "signal 9") == [fence]
    assert read_experiment(database, fence.id).lost_count == 1
