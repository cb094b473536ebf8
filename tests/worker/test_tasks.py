"""The task of a wake: claims, and answers of the database that were lost."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.database import Database
from tests.background.waking import CountingWaker
from tests.conftest import make_experiment
from tests.observability.scrapes import rendered, value
from tests.worker.attempts import TINY
from worker import tasks
from worker.context import WorkerContext
from worker.identity import Identity

IDENTITY = Identity("w1", "cpu", "test")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def context(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    return WorkerContext.open(settings, database, IDENTITY, Shutdown())


def test_train_runs_a_claim_whose_commit_got_no_answer(
    database: Database, context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit happened, the connection broke: no lease may run out for that."""
    id = database.run("make", make_experiment).id
    ran: list[UUID] = []
    monkeypatch.setattr(tasks, "run", lambda _, claim: ran.append(claim.fence.id))
    original, calls = database.run, 0

    def answer_lost(name: str, work: Callable[[Session], Any]) -> Any:
        nonlocal calls
        calls += 1
        value = original(name, work)
        if calls == 1:
            raise OperationalError("COMMIT", {}, Exception("connection lost"))
        return value

    monkeypatch.setattr(database, "run", answer_lost)
    waker = CountingWaker()
    assert tasks.train(context, IDENTITY, waker) == 1  # type: ignore[arg-type]
    assert ran == [id]
    assert waker.wakes == 1


def test_train_claims_nothing_during_shutdown(database: Database, context: WorkerContext) -> None:
    database.run("make", make_experiment)
    context.shutdown.request()
    assert tasks.train(context, IDENTITY, CountingWaker()) == 0  # type: ignore[arg-type]


def test_train_counts_what_it_does(context: WorkerContext, database: Database) -> None:
    database.run("make", lambda s: make_experiment(s, **TINY))
    context.lease_renewer.start()
    assert tasks.train(context, IDENTITY, CountingWaker()) == 1  # type: ignore[arg-type]
    context.lease_renewer.stop()
    text = rendered(context.metrics)
    kinds = {"dataset": "mnist_5k", "device": "cpu"}
    assert value(text, "actlab_claim_duration_seconds_count", claimed="true") == 1
    assert value(text, "actlab_queue_wait_seconds_count") == 1
    assert value(text, "actlab_epoch_duration_seconds_count", **kinds) == 3
    assert value(text, "actlab_experiment_duration_seconds_count", **kinds) == 1
    assert value(text, "actlab_images_trained_total", **kinds) == 3 * 60
    assert (value(text, "actlab_lease_renewals_total", outcome="renewed") or 0) >= 1
