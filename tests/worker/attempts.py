"""Attempts of a tiny network: claimed, interfered with at a step, and read back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Claim
from service.storage.records import diagnostics
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Result
from worker.attempt import Bench, _Attempt
from worker.training.state import Progress

TINY_MODEL = {"conv_channels": [2, 2], "dense_units": 4}
TINY = {
    "dataset": "mnist_5k", "epochs": 3, "train_samples": 60, "batch_size": 20, "precision": "float32",
    "model": TINY_MODEL, "validation_fraction": 0.01,
}  # fmt: skip


def claim(database: Database) -> Claim:
    (found,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, 30))
    return found


def checkpointing(bench: Bench) -> Bench:
    """With a checkpoint after every step."""
    return replace(bench, settings=bench.settings.model_copy(update={"checkpoint_seconds": 0.0}))


def log_of(bench: Bench, id: UUID, attempt: int = 1) -> str:
    return (bench.settings.logs / str(id) / f"{attempt}.log").read_text()


def figures(database: Database, id: UUID) -> Any:
    """Everything measured, timings aside."""
    timed = {"seconds", "images_per_second", "experiment_id", "attempt", "revision"}
    with database.read() as session:
        epochs = session.scalars(select(Epoch).where(Epoch.experiment_id == id).order_by(Epoch.epoch)).all()
        result = session.scalars(select(Result).where(Result.experiment_id == id)).one()
        layers = diagnostics.of_experiment(session, id)
    rows = [
        [getattr(row, column.key) for column in row.__table__.columns if column.key not in timed]
        for row in (*epochs, *layers)
    ]
    return rows, result.last, result.best, result.last_correct, result.confusion_matrix


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[_Attempt, Progress], None]) -> None:
    """Do something in the hook after that step (of the whole run), before the worker looks at its flags."""
    original = _Attempt.on_step

    def hooked(self: _Attempt, progress: Progress) -> None:
        if progress.steps_done == step:
            act(self, progress)
        original(self, progress)

    monkeypatch.setattr(_Attempt, "on_step", hooked)


def raising(error: BaseException) -> Callable[..., None]:
    def act(*_: object) -> None:
        raise error

    return act
