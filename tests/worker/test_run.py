"""One attempt from claim to end: trained for real on a tiny network, and stopped in every way it can be."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from service.domain.errors import InvalidData
from service.domain.status import Cause, Outcome, Status
from service.settings import Settings
from service.shutdown import Shutdown
from service.storage import attempts, experiments, lifecycle, metrics, results
from service.storage.database import Database
from service.storage.leases import Claim
from service.storage.tables import Epoch, Experiment, Result, Trace
from tests.conftest import make_experiment
from worker.app import _bench
from worker.identity import Identity
from worker.log import AttemptLog
from worker.run import Bench, _Attempt, run
from worker.training.failures import Diverged, TimedOut, UnknownSnapshot
from worker.training.progress import Progress
from worker.watchdog import Watchdog

TINY = {
    "dataset": "mnist_5k", "epochs": 3, "train_samples": 60, "batch_size": 20, "precision": "float32",
    "model": {"conv_channels": [2, 2], "dense_units": 4}, "validation_fraction": 0.01,
}  # fmt: skip


@pytest.fixture
def shutdown() -> Shutdown:
    return Shutdown()


@pytest.fixture
def bench(database: Database, settings: Settings, shutdown: Shutdown) -> Iterator[Bench]:
    settings = settings.model_copy(update={"threads": 1, "checkpoint_seconds": 0.0, "outage_seconds": 1.0})
    opened = _bench(settings, database, Identity("w1", "cpu", "test"), shutdown)
    opened.keeper.start()
    yield opened
    opened.keeper.stop()


@pytest.fixture
def experiment(database: Database) -> UUID:
    return database.run("make", lambda s: make_experiment(s, **TINY)).id


def claim(database: Database) -> Claim:
    (found,) = database.run("claim", lambda s: lifecycle.claim(s, "w1", 1, 30))
    return found


def row(database: Database, id: UUID) -> Experiment:
    with database.read() as session:
        found = experiments.find(session, id)
        assert found is not None
        return found


def log_of(bench: Bench, id: UUID, attempt: int = 1) -> str:
    return (bench.settings.logs / str(id) / f"{attempt}.log").read_text()


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


def test_an_experiment_runs_to_its_result(database: Database, bench: Bench, experiment: UUID) -> None:
    run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.epochs_done, now.cause) == (Status.SUCCEEDED, 3, None)
    with database.read() as session:
        assert [epoch.epoch for epoch in metrics.of_experiment(session, experiment)] == [1, 2, 3]
        result = results.of_experiment(session, experiment)
    assert result is not None
    assert result.last["epoch"] == 3
    assert sum(map(sum, result.confusion_matrix)) == 1000
    assert len(result.last_correct) == 125
    assert now.execution is not None
    assert now.execution["threads"] == 1
    assert "epoch 3/3" in log_of(bench, experiment)


def test_weights_stay_and_checkpoints_go(database: Database, bench: Bench, experiment: UUID) -> None:
    run(bench, claim(database))
    with database.read() as session:
        result = results.of_experiment(session, experiment)
    assert result is not None
    folder = bench.settings.weights / str(result.weights_path)
    assert {file.name for file in folder.iterdir()} == {"last.safetensors", "best.safetensors"}
    assert sum(tensor.numel() for tensor in load_file(folder / "last.safetensors").values()) > 0
    assert not bench.checkpoints.folder(experiment).exists()


def figures(database: Database, id: UUID) -> Any:
    """Everything measured, timings aside."""
    timed = {"seconds", "images_per_second", "experiment_id", "attempt", "revision"}
    with database.read() as session:
        epochs = session.scalars(select(Epoch).where(Epoch.experiment_id == id).order_by(Epoch.epoch)).all()
        result = session.scalars(select(Result).where(Result.experiment_id == id)).one()
    columns = [column.key for column in Epoch.__table__.columns if column.key not in timed]
    rows = [[getattr(epoch, column) for column in columns] for epoch in epochs]
    return rows, result.last, result.best, result.last_correct, result.confusion_matrix


@pytest.mark.parametrize("step", [1, 3, 4, 6])
def test_a_released_experiment_is_resumed_to_the_same_bits(
    database: Database,
    bench: Bench,
    experiment: UUID,
    monkeypatch: pytest.MonkeyPatch,
    shutdown: Shutdown,
    step: int,
) -> None:
    other = database.run("make", lambda s: make_experiment(s, **TINY)).id
    with monkeypatch.context() as patched:
        at_step(patched, step, lambda *_: shutdown.request())
        run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.checkpoint_step, now.lost_count) == (Status.QUEUED, step, 0)
    shutdown.requested = False
    run(bench, claim(database))
    assert f"resumes after epoch {(step - 1) // 3}, step {step}" in log_of(bench, experiment, attempt=2)
    run(bench, claim(database))
    assert figures(database, experiment) == figures(database, other)
    with database.read() as session:
        outcomes = [attempt.outcome for attempt in attempts.of_experiment(session, experiment)]
    assert outcomes == [Outcome.RELEASED, Outcome.SUCCEEDED]


def test_a_cancel_stops_at_the_next_step(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(attempt: _Attempt, _: Progress) -> None:
        database.run("cancel", lambda s: lifecycle.request_cancel(s, Experiment.id == experiment))
        attempt.held.cancel_requested = True

    at_step(monkeypatch, 2, ask)
    run(bench, claim(database))
    assert row(database, experiment).status == Status.CANCELLED
    assert not bench.checkpoints.folder(experiment).exists()


@pytest.mark.parametrize("flag", ["lost", "cancel_requested"])
def test_a_flag_of_the_keeper_stops_the_very_step(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    """No write is due by then that would be refused."""
    seldom = bench.settings.model_copy(update={"checkpoint_seconds": 600.0})
    steps: list[int] = []

    def note(attempt: _Attempt, progress: Progress) -> None:
        steps.append(progress.steps_done)
        setattr(attempt.held, flag, progress.steps_done == 2)

    for step in range(1, 10):
        at_step(monkeypatch, step, note)
    monkeypatch.setattr(bench.keeper, "_read_flags", lambda _: None)
    run(replace(bench, settings=seldom), claim(database))
    assert steps == [1, 2]


def test_a_cancel_that_comes_while_scoring_still_wins(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = _Attempt._save_weights

    def save(self: _Attempt, trained: Any) -> str | None:
        database.run("cancel", lambda s: lifecycle.request_cancel(s, Experiment.id == experiment))
        return original(self, trained)

    monkeypatch.setattr(_Attempt, "_save_weights", save)
    run(bench, claim(database))
    assert row(database, experiment).status == Status.CANCELLED


def test_a_worker_whose_lease_was_taken_stops_and_writes_nothing(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steal(*_: object) -> None:
        database.run("steal", lambda s: s.execute(update(Experiment).values(attempt=2, owner="w2")))

    at_step(monkeypatch, 2, steal)
    run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.attempt, now.owner, now.epochs_done) == (Status.RUNNING, 2, "w2", 0)


FAILURES: dict[str, tuple[Exception, Cause]] = {
    "diverged": (Diverged(2, 1), Cause.DIVERGED),
    "timeout": (TimedOut(5.0, 1, 2), Cause.TIMEOUT),
    "data": (InvalidData("the file is corrupt"), Cause.INVALID_DATA),
    "device memory": (torch.OutOfMemoryError("CUDA out of memory"), Cause.OUT_OF_MEMORY),
    "memory": (MemoryError(), Cause.OUT_OF_MEMORY),
    "allocator": (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), Cause.OUT_OF_MEMORY),
    "defect": (ZeroDivisionError("oops"), Cause.INTERNAL_ERROR),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_recorded_with_its_cause_and_log(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    error, cause = FAILURES[failure]
    at_step(monkeypatch, 2, raising(error))
    run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.cause) == (Status.FAILED, cause)
    assert now.detail
    assert type(error).__name__ in log_of(bench, experiment)


def test_a_diverging_run_keeps_the_epoch_that_showed_it(database: Database, bench: Bench) -> None:
    wild = {**TINY, "activation": "linear", "optimizer": {"name": "sgd", "learning_rate": 100.0}}
    wild["model"] = {"conv_channels": [2, 2], "dense_units": 4, "batch_norm": False}
    id = database.run("make", lambda s: make_experiment(s, **wild)).id
    run(bench, claim(database))
    now = row(database, id)
    assert (now.status, now.cause) == (Status.FAILED, Cause.DIVERGED)
    with database.read() as session:
        last = metrics.of_experiment(session, id)[-1]
    assert last.non_finite
    assert all(getattr(last, name) is None for name in last.non_finite)


@pytest.mark.parametrize("damage", ["missing", "unknown"])
def test_an_unusable_checkpoint_starts_over(
    database: Database,
    bench: Bench,
    experiment: UUID,
    monkeypatch: pytest.MonkeyPatch,
    shutdown: Shutdown,
    damage: str,
) -> None:
    with monkeypatch.context() as patched:
        at_step(patched, 4, lambda *_: shutdown.request())
        run(bench, claim(database))
    shutdown.requested = False
    with monkeypatch.context() as patched:
        if damage == "missing":
            bench.checkpoints.drop_all(experiment)
        else:
            patched.setattr(Progress, "restore", raising(UnknownSnapshot("format 99")))
        run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.epochs_done) == (Status.SUCCEEDED, 3)
    assert "starts over" in log_of(bench, experiment, attempt=2)
    with database.read() as session:
        assert {epoch.attempt for epoch in metrics.of_experiment(session, experiment)} == {2}


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.checkpoints, "write", raising(OSError(28, "No space left on device")))
    run(bench, claim(database))
    assert row(database, experiment).status == Status.SUCCEEDED
    assert "No space left on device" in log_of(bench, experiment)


def test_a_full_disk_at_the_end_costs_the_weights_and_not_the_result(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.run.save_file", raising(OSError(28, "No space left on device")))
    run(bench, claim(database))
    assert row(database, experiment).status == Status.SUCCEEDED
    with database.read() as session:
        result = results.of_experiment(session, experiment)
    assert result is not None
    assert result.weights_path is None
    assert "no weights: [Errno 28]" in log_of(bench, experiment)


def test_a_log_that_cannot_be_written_costs_the_log_and_not_the_run(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full").open("a", buffering=1)  # noqa: SIM115  # the log closes it
    monkeypatch.setattr(AttemptLog, "_open", lambda _: full)
    run(bench, claim(database))
    assert row(database, experiment).status == Status.SUCCEEDED


def test_the_last_words_of_a_failure_are_in_the_database(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 2, raising(ZeroDivisionError("oops")))
    run(bench, claim(database))
    with database.read() as session:
        newest = attempts.newest(session, experiment)
    assert newest is not None
    assert "ZeroDivisionError: oops" in newest.log_tail
    assert newest.log_tail.endswith("internal_error\n")


def test_a_short_outage_of_the_database_loses_nothing(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, times=2)
    run(bench, claim(database))
    assert row(database, experiment).status == Status.SUCCEEDED


def test_a_long_outage_leaves_the_experiment_to_whoever_comes(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        fail_first(patched, times=10_000)
        run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.owner) == (Status.RUNNING, "w1")
    assert claim(database).fence.id == experiment  # its own worker goes on, once the database is back


def test_an_outage_is_no_hang(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog is told that the worker waits: an outage may last longer than a step."""
    pets = 0

    def pet(*_: object) -> None:
        nonlocal pets
        pets += 1

    fail_first(monkeypatch, times=3)
    monkeypatch.setattr(Watchdog, "pet", pet)
    monkeypatch.setattr(_Attempt, "on_step", lambda *_: None)
    run(bench, claim(database))
    assert pets == 3


def test_a_shutdown_while_data_is_fetched_releases(
    database: Database, bench: Bench, experiment: UUID, monkeypatch: pytest.MonkeyPatch, shutdown: Shutdown
) -> None:
    def fetching(name: str, report: Callable[..., None]) -> None:
        shutdown.request()
        report("train-images", 1, 100)

    monkeypatch.setattr(bench.datasets, "get", fetching)
    run(bench, claim(database))
    now = row(database, experiment)
    assert (now.status, now.lost_count, now.checkpoint_path) == (Status.QUEUED, 0, None)


def fail_first(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let so many transactions that record an epoch meet a database that is away."""
    original = lifecycle.record_epoch
    left = times

    def failing(*arguments: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise OperationalError("COMMIT", {}, Exception("server closed the connection"))
        original(*arguments)

    monkeypatch.setattr(lifecycle, "record_epoch", failing)


def test_every_write_of_an_attempt_is_traced_in_order(database: Database, bench: Bench, experiment: UUID) -> None:
    run(bench, claim(database))
    with database.read() as session:
        moves = session.scalars(select(Trace.transition).order_by(Trace.seq)).all()
    assert moves[0] == "claim"
    assert moves[-1] == "succeed"
    assert [move for move in moves if move == "epoch"] == ["epoch"] * 3
    assert "checkpoint" in moves


def test_the_same_spec_twice_gives_the_same_figures(database: Database, bench: Bench) -> None:
    first, second = (database.run("make", lambda s: make_experiment(s, **TINY)).id for _ in range(2))
    for _ in range(2):
        run(bench, claim(database))
    assert figures(database, first) == figures(database, second)


def test_a_log_line_holds_whatever_text_comes(bench: Bench, database: Database, tmp_path: Path) -> None:
    id = database.run("make", lambda s: make_experiment(s, **TINY)).id
    with AttemptLog(tmp_path, claim(database).fence) as log:
        log.line("half a pair: \ud800")
    assert "half a pair" in (tmp_path / str(id) / "1.log").read_text()
