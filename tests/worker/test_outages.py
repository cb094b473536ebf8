"""Attempts while the database is unreachable, for a moment or for long."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from service.domain.status import Status
from service.process.shutdown import Shutdown
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.conftest import make_experiment, read_experiment
from tests.worker.attempts import TINY, claim
from worker.attempt import run
from worker.context import WorkerContext
from worker.watchdog import Watchdog


def test_run_succeeds_after_a_short_outage(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, times=2)
    run(context, claim(database))
    assert read_experiment(database, experiment).status == Status.SUCCEEDED


def test_run_leaves_the_experiment_claimable_after_a_long_outage(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_first(patched, times=10_000)
        run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.owner) == (Status.RUNNING, "w1")
    assert claim(database).fence.id == experiment  # its own worker goes on, once the database is back


def test_run_resets_the_watchdog_during_an_outage(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage may last longer than a step."""
    pets = 0
    pets_before_write: list[int] = []

    def pet(*_: object) -> None:
        nonlocal pets
        pets += 1

    fail_first(monkeypatch, times=3, before=lambda: pets_before_write.append(pets))
    monkeypatch.setattr(Watchdog, "pet", pet)
    run(context, claim(database))
    first = pets_before_write[0]
    assert pets_before_write[:4] == [first, first + 1, first + 2, first + 3]


def test_run_releases_at_a_shutdown_during_a_download(
    database: Database, context: WorkerContext, monkeypatch: pytest.MonkeyPatch, shutdown: Shutdown
) -> None:
    experiment = database.run("make", lambda s: make_experiment(s, **TINY | {"dataset": "mnist"})).id

    def fetching(name: str, report: Callable[..., None]) -> None:
        shutdown.request()
        report("train-images", 1, 100)

    monkeypatch.setattr(context.datasets, "get", fetching)
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.lost_count, now.checkpoint_path) == (Status.QUEUED, 0, None)


def fail_first(monkeypatch: pytest.MonkeyPatch, times: int, before: Callable[[], None] = lambda: None) -> None:
    """Let the first `times` transactions that record an epoch fail; call `before` at each one."""
    original = transitions.record_epoch
    left = times

    def failing(*arguments: Any) -> None:
        nonlocal left
        before()
        left -= 1
        if left >= 0:
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"))
        original(*arguments)

    monkeypatch.setattr(transitions, "record_epoch", failing)
