"""Attempts from claim to end on a tiny network, with every way to stop one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from safetensors.torch import load_file, save_file
from sqlalchemy import select, update
from torch import Tensor

from service.domain.status import Outcome, Status
from service.process.shutdown import Shutdown
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import attempts, diagnostics, epochs, results
from service.storage.tables.experiments import Experiment, Trace
from tests.conftest import make_experiment, read_experiment
from tests.worker.attempts import TINY, TINY_MODEL, at_each_step, at_step, checkpointing, claim, figures, log_of
from worker.attempt import run
from worker.context import WorkerContext
from worker.training.diagnostics.probe import Passage, pass_through
from worker.training.model import Network
from worker.training.state import TrainingState


def test_run_trains_an_experiment_to_its_result(database: Database, context: WorkerContext, experiment: UUID) -> None:
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.epochs_done, now.cause) == (Status.SUCCEEDED, 3, None)
    with database.read() as session:
        assert [epoch.epoch for epoch in epochs.of_experiment(session, experiment)] == [1, 2, 3]
        result = results.of_experiment(session, experiment)
    assert result is not None
    assert result.last["epoch"] == 3
    assert sum(map(sum, result.confusion_matrix)) == 1000
    assert len(result.last_correct) == 125
    assert now.execution is not None
    assert now.execution["threads"] == 1
    assert "epoch 3/3" in log_of(context, experiment)


def test_run_measures_every_layer_at_the_start_and_after_each_epoch(
    database: Database, context: WorkerContext, experiment: UUID
) -> None:
    run(context, claim(database))
    with database.read() as session:
        layers = diagnostics.of_experiment(session, experiment)
    names = ("conv1", "conv2", "dense1", "output")
    assert [(row.epoch, row.layer) for row in layers] == [(epoch, name) for epoch in range(4) for name in names]
    assert all(row.gradient_norm for row in layers)
    assert [row.dead_share_confirmed is None for row in layers] == [True] * 12 + [False] * 3 + [True]


@pytest.mark.parametrize(("pool", "activation"), [("avg", "linear"), ("max", "linear"), ("avg", "relu")])
def test_run_measures_the_collapse_of_linear_networks_alone(
    database: Database, context: WorkerContext, pool: str, activation: str
) -> None:
    shape = {**TINY, "epochs": 1, "activation": activation, "model": {**TINY_MODEL, "pool": pool}}
    id = database.run("make", lambda s: make_experiment(s, **shape)).id
    run(context, claim(database))
    with database.read() as session:
        result = results.of_experiment(session, id)
    assert result is not None
    if (pool, activation) == ("avg", "linear"):
        assert result.collapse is not None
        assert (result.collapse["inputs"], result.collapse["images"], result.collapse["collapsed"]) == (785, 1000, True)
    else:
        assert result.collapse is None


def test_run_without_diagnostics_records_none(database: Database, context: WorkerContext) -> None:
    id = database.run("make", lambda s: make_experiment(s, **TINY, diagnostics=False)).id
    run(context, claim(database))
    with database.read() as session:
        assert diagnostics.of_experiment(session, id) == []
    assert read_experiment(database, id).status == Status.SUCCEEDED


def test_run_obeys_cancel_while_it_measures(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search for dead units in all training images after the last epoch may take seconds."""
    batches = []

    def cancelling(network: Network, images: Tensor) -> Passage:
        batches.append(len(images))
        cancel(database, context, experiment)
        return pass_through(network, images)

    monkeypatch.setattr("worker.training.diagnostics.measurement.pass_through", cancelling)
    run(context, claim(database))
    assert len(batches) == 1
    assert read_experiment(database, experiment).status == Status.CANCELLED


def cancel(database: Database, context: WorkerContext, experiment: UUID) -> None:
    """Request a cancel, and set the flag that the lease renewer would set at its next look."""
    database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == experiment))
    (lease,) = context.lease_renewer.leases
    lease.cancel_requested = True


def test_run_saves_weights_and_deletes_checkpoints(
    database: Database, context: WorkerContext, experiment: UUID
) -> None:
    run(context, claim(database))
    with database.read() as session:
        result = results.of_experiment(session, experiment)
    assert result is not None
    folder = context.settings.weights / str(result.weights_path)
    assert {file.name for file in folder.iterdir()} == {"last.safetensors", "best.safetensors"}
    assert sum(tensor.numel() for tensor in load_file(folder / "last.safetensors").values()) > 0
    assert not context.checkpoints.folder(experiment).exists()


@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_run_resumes_a_released_experiment_to_the_same_bits(
    database: Database,
    context: WorkerContext,
    experiment: UUID,
    monkeypatch: pytest.MonkeyPatch,
    shutdown: Shutdown,
    step: int,
) -> None:
    other = database.run("make", lambda s: make_experiment(s, **TINY)).id
    with monkeypatch.context() as patched:
        at_step(patched, step, lambda *_: shutdown.request())
        run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.checkpoint_step, now.lost_count) == (Status.QUEUED, step, 0)
    shutdown.requested = False
    run(context, claim(database))
    assert f"resumes after epoch {(step - 1) // 3}, step {step}" in log_of(context, experiment, number=2)
    run(context, claim(database))
    assert figures(database, experiment) == figures(database, other)
    with database.read() as session:
        outcomes = [row.outcome for row in attempts.of_experiment(session, experiment)]
    assert outcomes == [Outcome.RELEASED, Outcome.SUCCEEDED]


def test_run_stops_at_the_step_after_a_cancel(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 2, lambda _: cancel(database, context, experiment))
    run(context, claim(database))
    assert read_experiment(database, experiment).status == Status.CANCELLED
    assert not context.checkpoints.folder(experiment).exists()


@pytest.mark.parametrize("flag", ["lost", "cancel_requested"])
def test_run_stops_at_the_step_that_sees_a_flag(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """No checkpoint is due by then, so that the flag alone can stop it. The renewer's thread would reset the flag."""
    context.lease_renewer.stop()
    seldom = context.settings.model_copy(update={"checkpoint_seconds": 600.0})
    steps: list[int] = []

    def note(state: TrainingState) -> None:
        steps.append(state.steps_done)
        (lease,) = context.lease_renewer.leases
        setattr(lease, flag, state.steps_done == 2)

    at_each_step(monkeypatch, note)
    run(replace(context, settings=seldom), claim(database))
    assert steps == [1, 2]


def test_run_cancels_when_asked_while_it_saves_weights(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*arguments: Any) -> None:
        database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == experiment))
        save_file(*arguments)

    monkeypatch.setattr("worker.attempt.save_file", save)
    run(context, claim(database))
    assert read_experiment(database, experiment).status == Status.CANCELLED


def test_run_records_nothing_where_the_lease_is_lost_during_a_late_cancel(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process takes the experiment between the success that the cancel refused and the record of the cancel."""
    original = transitions.end_cancelled

    def stolen(session: UnitOfWork, fence: Fence) -> None:
        session.execute(update(Experiment).values(attempt=2, owner="w2"))
        original(session, fence)

    def save(*arguments: Any) -> None:
        save_file(*arguments)
        database.run("cancel", lambda s: transitions.request_cancel(s, Experiment.id == experiment))

    monkeypatch.setattr("worker.attempt.save_file", save)
    monkeypatch.setattr(transitions, "end_cancelled", stolen)
    run(context, claim(database))
    assert "not recorded: FenceLost" in log_of(context, experiment)


def test_run_writes_nothing_after_its_lease_was_taken(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steal(*_: object) -> None:
        database.run("steal", lambda s: s.execute(update(Experiment).values(attempt=2, owner="w2")))

    at_step(monkeypatch, 2, steal)
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.attempt, now.owner, now.epochs_done) == (Status.RUNNING, 2, "w2", 0)


def test_run_traces_every_write_in_order(database: Database, context: WorkerContext, experiment: UUID) -> None:
    run(checkpointing(context), claim(database))
    with database.read() as session:
        moves = session.scalars(select(Trace.transition).order_by(Trace.seq)).all()
    assert moves[0] == "claim"
    assert moves[-1] == "succeed"
    assert [move for move in moves if move == "epoch"] == ["epoch"] * 3
    assert "checkpoint" in moves


def test_run_gives_the_same_figures_for_the_same_spec(database: Database, context: WorkerContext) -> None:
    first, second = (database.run("make", lambda s: make_experiment(s, **TINY)).id for _ in range(2))
    for _ in range(2):
        run(context, claim(database))
    assert figures(database, first) == figures(database, second)
