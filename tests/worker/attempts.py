"""Attempts at a tiny experiment: claim one, interfere at a step, and read what it recorded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Claim
from service.storage.records import diagnostics
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Result
from worker.context import WorkerContext
from worker.training.datasets.tensors import Dataset
from worker.training.execution import Execution
from worker.training.loop import Callbacks, Trained, train
from worker.training.state import Snapshot, TrainingState

TINY_MODEL = {"conv_channels": [2, 2], "dense_units": 4}
TINY = {
    "dataset": "mnist_5k", "epochs": 3, "train_samples": 60, "batch_size": 20, "precision": "float32",
    "model": TINY_MODEL, "validation_fraction": 0.01,
}  # fmt: skip


def claim(database: Database) -> Claim:
    (claimed,) = database.run("claim", lambda s: transitions.claim(s, "w1", 1, 30))
    return claimed


def checkpointing(context: WorkerContext) -> WorkerContext:
    """Return the context with a checkpoint after every step."""
    return replace(context, settings=context.settings.model_copy(update={"checkpoint_seconds": 0.0}))


def log_of(context: WorkerContext, id: UUID, number: int = 1) -> str:
    return (context.settings.logs / str(id) / f"{number}.log").read_text()


def figures(database: Database, id: UUID) -> Any:
    """Return every figure that the experiment recorded, except for timings."""
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


class _Interference(Callbacks):
    """The callbacks of an attempt, with an action before those of each step."""

    def __init__(self, callbacks: Callbacks, act: Callable[[TrainingState], None]) -> None:
        self._callbacks, self._act = callbacks, act

    def on_step(self, state: TrainingState) -> None:
        self._act(state)
        self._callbacks.on_step(state)

    def on_evaluation(self, state: TrainingState) -> None:
        self._callbacks.on_evaluation(state)

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        self._callbacks.on_epoch(state, metrics)


def at_each_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[TrainingState], None]) -> None:
    """Call `act` after each step, before the attempt checks its flags."""

    def interfering(
        spec: ExperimentSpec,
        data: Dataset,
        execution: Execution,
        callbacks: Callbacks,
        resume: Snapshot | None = None,
    ) -> Trained:
        return train(spec, data, execution, _Interference(callbacks, act), resume)

    monkeypatch.setattr("worker.attempt.train", interfering)


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, act: Callable[[TrainingState], None]) -> None:
    """Call `act` after that step of the run, before the attempt checks its flags."""

    def act_once(state: TrainingState) -> None:
        if state.steps_done == step:
            act(state)

    at_each_step(monkeypatch, act_once)


def raising(error: BaseException) -> Callable[..., None]:
    def act(*_: object) -> None:
        raise error

    return act
