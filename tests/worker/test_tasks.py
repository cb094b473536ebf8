"""What a wake does, and what is left on the disk when it is swept."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from tests.background.test_wakes import Counted
from tests.conftest import make_experiment
from worker import sweep, tasks
from worker.context import WorkerContext
from worker.identity import Identity

IDENTITY = Identity("w1", "cpu", "test")

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def context(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    return WorkerContext.open(settings, database, IDENTITY, Shutdown())


def test_a_claim_whose_answer_was_lost_is_run_at_once(
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
    waker = Counted()
    assert tasks.train(context, IDENTITY, waker) == 1  # type: ignore[arg-type]
    assert ran == [id]
    assert waker.woken == 1


def test_a_worker_that_shuts_down_claims_nothing(database: Database, context: WorkerContext) -> None:
    database.run("make", make_experiment)
    context.shutdown.request()
    assert tasks.train(context, IDENTITY, Counted()) == 0  # type: ignore[arg-type]


# --- sweeping ------------------------------------------------------------------------------------------------------


def folder(root: Path, id: UUID, hours: float) -> Path:
    made = root / str(id)
    made.mkdir(parents=True)
    (made / "file").write_text("x")
    then = time.time() - hours * 3600
    os.utime(made, (then, then))
    return made


def test_only_what_nothing_points_to_is_swept(database: Database, settings: Settings) -> None:
    active, ended, gone = (
        database.run("make", make_experiment).id, database.run("make", make_experiment).id, new_id(),
    )  # fmt: skip
    database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == ended))
    kept = [
        folder(settings.checkpoints, active, 2),
        folder(settings.weights, ended, 2),
        folder(settings.logs, ended, 2),
    ]
    kept.append(folder(settings.weights, new_id(), 0.5))  # young: its row may be about to be written
    swept = [folder(settings.checkpoints, ended, 2), folder(settings.weights, gone, 2), folder(settings.logs, gone, 2)]
    (settings.weights / "notes").mkdir()
    sweep.sweep(database, settings)
    assert all(one.exists() for one in kept)
    assert not any(one.exists() for one in swept)
    assert (settings.weights / "notes").exists()


def test_weights_have_an_age_where_one_is_set(database: Database, settings: Settings) -> None:
    id = database.run("make", make_experiment).id
    made = folder(settings.weights, id, 49)
    sweep.sweep(database, settings.model_copy(update={"weights_days": 3.0}))
    assert made.exists()
    sweep.sweep(database, settings.model_copy(update={"weights_days": 2.0}))
    assert not made.exists()


def test_more_folders_than_a_statement_takes(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "ASKED_AT_ONCE", 2)
    ids = [database.run("make", make_experiment).id for _ in range(5)]
    kept = [folder(settings.logs, id, 2) for id in ids]
    sweep.sweep(database, settings)
    assert all(one.exists() for one in kept)
