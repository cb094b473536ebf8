"""Experiments in the states that tests need, reached by the transitions of workers."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from service.domain.status import Cause
from service.domain.workers import WorkerMemory
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import experiments, workers
from service.storage.records.workers import Heartbeat
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment
from tests.making import make_epoch, make_run

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For tests of what is above the database, which would only say the same twice."""

SOME_ID = UUID("0190a5e4-7b1c-7c3a-9d0e-3f2b1a6c5d4e")
"""A well-formed id of no record."""


def queue(database: Database, **fields: Any) -> UUID:
    with database.write("make") as session:
        return make_experiment(session, **fields).id


def start(database: Database, **fields: Any) -> Fence:
    """Queue an experiment and claim it; nothing else may be queued at its priority."""
    id = queue(database, priority=9, **fields)
    (fence,) = claim(database, limit=1)
    assert fence.id == id
    return fence


def claim(database: Database, limit: int = 1000) -> list[Fence]:
    with database.write("claim") as session:
        return [taken.fence for taken in transitions.claim(session, f"worker-{uuid4()}", limit, 30)]


def finish(database: Database, accuracy: float = 0.9, *, run: dict[str, Any] | None = None, **fields: Any) -> UUID:
    """Return the id of an experiment that succeeded; `run` is passed to make_run, `fields` to its spec."""
    fence = start(database, **fields)
    succeed(database, fence, accuracy, **(run or {}))
    return fence.id


def succeed(database: Database, fence: Fence, accuracy: float = 0.9, **run: Any) -> None:
    with database.write("succeed") as session:
        transitions.succeed(session, fence, make_run(accuracy, **run))


def trained(
    database: Database,
    epochs: Sequence[tuple[float, float]],
    *,
    best: int,
    accuracy: float = 0.9,
    run: dict[str, Any] | None = None,
    **fields: Any,
) -> UUID:
    """Return the id of an experiment that succeeded after these epochs, as (validation accuracy, validation loss); the
    `best`-th, from 1, counts as the best. `accuracy` is that on the test set."""
    fence = start(database, epochs=len(epochs), **fields)
    for epoch, (validation_accuracy, loss) in enumerate(epochs, start=1):
        figures = make_epoch(epoch, validation_accuracy=validation_accuracy, validation_loss=loss)
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, figures)
    succeed(database, fence, accuracy, last_epoch=len(epochs), best_epoch=best, **(run or {}))
    return fence.id


def fail(database: Database, fence: Fence, cause: Cause = Cause.DIVERGED) -> None:
    with database.write("fail") as session:
        transitions.fail(session, fence, cause, "The loss became NaN in epoch 2.")


def finish_queued(database: Database, accuracy: Callable[[dict[str, Any]], float]) -> None:
    """Let every queued experiment succeed, with the accuracy that `accuracy` returns for its spec."""
    for fence in claim(database):
        succeed(database, fence, accuracy(read(database, fence.id).spec))


def train_queued(database: Database, accuracy: Callable[[dict[str, Any]], float], **run: Any) -> None:
    """Do as `finish_queued`, with epochs whose validation accuracy rises from 0.5 to that accuracy; `run` is passed to
    make_run."""
    for fence in claim(database):
        spec = read(database, fence.id).spec
        final, epochs = accuracy(spec), spec["epochs"]
        for epoch in range(1, epochs + 1):
            value = 0.5 + (final - 0.5) * (epoch - 1) / max(1, epochs - 1)
            with database.write("epoch") as session:
                transitions.record_epoch(session, fence, make_epoch(epoch, validation_accuracy=value))
        succeed(database, fence, final, last_epoch=epochs, **run)


def read(database: Database, id: UUID) -> Experiment:
    with database.read() as session:
        experiment = experiments.find(session, id)
    assert experiment is not None
    return experiment


def heartbeat(database: Database, id: str = "worker-1", **fields: Any) -> None:
    report = {
        "hostname": "host", "pid": 7, "device": "cpu", "device_name": "a processor",
        "memory": WorkerMemory(total=8_000_000_000), "versions": {"torch": "2.13.0"},
    }  # fmt: skip
    with database.write("beat") as session:
        workers.beat(session, Heartbeat(id=id, **{**report, **fields}))
