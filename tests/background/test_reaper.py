"""Who takes an experiment from a silent worker, when, and whose fault it is."""

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
def held(database: Database) -> Fence:
    database.run("make", make_experiment)
    (claim,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, LEASE))
    return claim.fence


def set_lease(database: Database, seconds: float) -> None:
    database.run("lease", lambda s: s.execute(update(Experiment).values(lease_until=after(seconds))))


def test_a_lease_seen_to_run_out_is_a_loss(database: Database, watcher: Reaper, clock: Clock, held: Fence) -> None:
    assert watcher.look() == []
    set_lease(database, -1)  # a changed lease starts the watch anew
    assert watcher.look() == []
    clock.now += LEASE - 0.1
    assert watcher.look() == []
    clock.now += 0.2
    assert watcher.look() == [held]
    assert read_experiment(database, held.id).status == Status.QUEUED


def test_a_loss_counts_where_the_lease_was_seen_alive(database: Database, settings: Settings, held: Fence) -> None:
    watcher = Reaper(database, settings.model_copy(update={"lease_seconds": 0.5}))
    set_lease(database, 0.3)
    watcher.look()
    await_true(watcher.look)
    assert read_experiment(database, held.id).lost_count == 1


def test_a_lease_that_ran_out_unseen_is_nobodys_fault(
    database: Database, watcher: Reaper, clock: Clock, held: Fence
) -> None:
    """The whole installation was away: nobody renewed, and nobody watched."""
    set_lease(database, -60)
    watcher.look()
    clock.now += LEASE
    assert watcher.look() == [held]
    assert read_experiment(database, held.id).lost_count == 0


def test_a_renewal_starts_the_watch_anew(database: Database, watcher: Reaper, clock: Clock, held: Fence) -> None:
    watcher.look()
    clock.now += LEASE
    set_lease(database, LEASE)
    assert watcher.look() == []
    clock.now += LEASE / 2
    assert watcher.look() == []


def test_a_lease_that_was_renewed_and_ran_out_again_is_watched_for_a_whole_lease(
    database: Database, watcher: Reaper, clock: Clock, held: Fence
) -> None:
    set_lease(database, -1)
    watcher.look()
    clock.now += LEASE
    set_lease(database, -0.5)
    assert watcher.look() == []
    clock.now += LEASE
    assert watcher.look() == [held]


def test_an_outage_of_the_database_starts_the_watch_anew(
    database: Database, watcher: Reaper, clock: Clock, held: Fence, monkeypatch: pytest.MonkeyPatch
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
    assert watcher.look() == [held]


def _away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("away"))


@pytest.mark.parametrize("how", ["refuses", "is slow"])
def test_a_database_that_is_read_but_not_written_starts_the_watch_anew(
    database: Database, watcher: Reaper, clock: Clock, held: Fence, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Its worker could not have renewed either."""

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
    assert watcher.look() == [held]
    assert read_experiment(database, held.id).lost_count == 0


def test_a_lease_that_no_clock_can_have_given_is_over(
    database: Database, watcher: Reaper, clock: Clock, held: Fence
) -> None:
    """The database's clock was set back by an hour: its worker, were it alive, would renew by the new one."""
    set_lease(database, LEASE + 3600)
    watcher.look()
    clock.now += LEASE - 0.1
    assert watcher.look() == []
    clock.now += 0.2
    assert watcher.look() == [held]


def test_an_unexpired_lease_is_left_however_long_it_stands(
    database: Database, watcher: Reaper, clock: Clock, held: Fence
) -> None:
    """The database's clock has the last word: this process's clock may have jumped."""
    watcher.look()
    clock.now += 100 * LEASE
    assert watcher.look() == []


def test_the_dead_workers_last_words_are_kept(
    database: Database, settings: Settings, watcher: Reaper, clock: Clock, held: Fence
) -> None:
    file = attempt_log.path(settings.logs, held.id, held.attempt)
    file.parent.mkdir(parents=True)
    file.write_text("Fatal Python error: Timeout\n")
    set_lease(database, -1)
    watcher.look()
    clock.now += LEASE
    watcher.look()
    with database.read() as session:
        newest = attempts.newest(session, held.id)
    assert newest is not None
    assert (newest.cause, newest.log_tail) == (Cause.WORKER_LOST, "Fatal Python error: Timeout\n")


def test_a_supervisor_buries_its_worker_at_once(database: Database, settings: Settings, held: Fence) -> None:
    assert reaper.requeue_from_dead(database, settings, "another", "signal 9") == []
    assert reaper.requeue_from_dead(database, settings, "w1", "signal 9") == [held]
    assert read_experiment(database, held.id).lost_count == 1
