"""Failures inside an attempt: recorded with their cause, or logged while training goes on."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
import torch

from service.domain.errors import InvalidData
from service.domain.status import Cause, Status
from service.process.shutdown import Shutdown
from service.storage.engine.database import Database
from service.storage.records import attempts, epochs, results
from tests.background.waking import CountingWaker
from tests.conftest import make_experiment, read_experiment
from tests.worker.attempts import TINY, at_step, checkpointing, claim, log_of, raising
from worker import tasks
from worker.attempt import run
from worker.context import WorkerContext
from worker.identity import Identity
from worker.log import AttemptLog
from worker.training.failures import Diverged, TimedOut, UnknownSnapshot
from worker.training.state import TrainingState

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
def test_run_records_a_failure_with_its_cause_and_log(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    error, cause = FAILURES[failure]
    at_step(monkeypatch, 2, raising(error))
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.cause) == (Status.FAILED, cause)
    assert now.detail
    assert type(error).__name__ in log_of(context, experiment)


POISONS = {
    "a kernel": torch.AcceleratorError("CUDA error: device-side assert triggered\nCUDA kernel errors might be ..."),
    "a kernel, of an older PyTorch": RuntimeError("CUDA error: an illegal memory access was encountered"),
    "cuBLAS": RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm(...)`"),
    "cuDNN": RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    "any accelerator": torch.AcceleratorError("something else"),
}


@pytest.mark.parametrize("poison", POISONS)
def test_run_hands_an_experiment_back_that_met_an_error_of_cuda(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    at_step(monkeypatch, 2, raising(POISONS[poison]))
    run(checkpointing(context), claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.lost_count, now.owner) == (Status.QUEUED, 1, None)
    assert now.checkpoint_path is not None
    assert list(context.checkpoints.folder(experiment).iterdir())
    assert (context.shutdown.requested, context.shutdown.status) == (True, 71)
    assert type(POISONS[poison]).__name__ in log_of(context, experiment)
    with database.read() as session:
        newest = attempts.newest(session, experiment)
    assert newest is not None
    assert newest.outcome == "lost"
    assert str(POISONS[poison]).splitlines()[0] in (newest.detail or "")


def test_run_hands_back_after_an_error_that_an_error_of_cuda_led_to(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(_: object) -> None:
        try:
            raise POISONS["a kernel"]
        except RuntimeError as error:
            raise ValueError("no figures") from error

    at_step(monkeypatch, 2, act)
    run(context, claim(database))
    assert read_experiment(database, experiment).status == Status.QUEUED


def test_run_fails_an_experiment_that_poisons_each_process(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = replace(context, settings=context.settings.model_copy(update={"max_losses": 1}))
    at_step(monkeypatch, 2, raising(POISONS["a kernel"]))
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.cause) == (Status.FAILED, Cause.WORKER_LOST)
    assert "device-side assert" in (now.detail or "")


def test_train_charges_one_experiment_where_cuda_fails_for_ever(
    database: Database, context: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [database.run("make", lambda s: make_experiment(s, **TINY)).id for _ in range(20)]
    monkeypatch.setattr("worker.attempt.train", raising(POISONS["a kernel"]))
    waker = CountingWaker()
    ran = [tasks.train(context, Identity("w1", "cpu", "test"), waker) for _ in range(20)]  # type: ignore[arg-type]
    assert (sum(ran), waker.wakes) == (1, 0)
    experiments = [read_experiment(database, id) for id in ids]
    assert {experiment.status for experiment in experiments} == {Status.QUEUED}
    assert sorted(experiment.lost_count for experiment in experiments) == [0] * 19 + [1]


def test_run_records_a_failure_with_any_text(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library's message may contain text that no database stores: NUL, and half a surrogate pair."""
    at_step(monkeypatch, 2, raising(ValueError("found \0 and \ud800" + "!" * 2000)))
    run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.cause) == (Status.FAILED, Cause.INTERNAL_ERROR)
    assert (now.detail or "").startswith("ValueError: found \\x00 and \\ud800!!!")
    assert len(now.detail or "") == 1000


def test_run_records_the_epoch_that_diverged(database: Database, context: WorkerContext) -> None:
    wild = {**TINY, "activation": "linear", "optimizer": {"name": "sgd", "learning_rate": 100.0}}
    wild["model"] = {"conv_channels": [2, 2], "dense_units": 4, "batch_norm": False}
    id = database.run("make", lambda s: make_experiment(s, **wild)).id
    run(context, claim(database))
    now = read_experiment(database, id)
    assert (now.status, now.cause) == (Status.FAILED, Cause.DIVERGED)
    with database.read() as session:
        last = epochs.of_experiment(session, id)[-1]
    assert last.non_finite
    assert all(getattr(last, name) is None for name in last.non_finite)


@pytest.mark.parametrize("damage", ["missing", "unknown"])
def test_run_starts_over_with_an_unusable_checkpoint(
    database: Database,
    context: WorkerContext,
    experiment: UUID,
    monkeypatch: pytest.MonkeyPatch,
    shutdown: Shutdown,
    damage: str,
) -> None:
    with monkeypatch.context() as patched:
        at_step(patched, 4, lambda *_: shutdown.request())
        run(context, claim(database))
    shutdown.requested = False
    with monkeypatch.context() as patched:
        if damage == "missing":
            context.checkpoints.drop_all(experiment)
        else:
            patched.setattr(TrainingState, "restore", raising(UnknownSnapshot("format 99")))
        run(context, claim(database))
    now = read_experiment(database, experiment)
    assert (now.status, now.epochs_done) == (Status.SUCCEEDED, 3)
    assert "starts over" in log_of(context, experiment, number=2)
    with database.read() as session:
        assert {epoch.attempt for epoch in epochs.of_experiment(session, experiment)} == {2}


def test_run_goes_on_without_checkpoints_on_a_full_disk(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context.checkpoints, "write", raising(OSError(28, "No space left on device")))
    run(checkpointing(context), claim(database))
    assert read_experiment(database, experiment).status == Status.SUCCEEDED
    assert "No space left on device" in log_of(context, experiment)


def test_run_records_the_result_without_weights_on_a_full_disk(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.attempt.save_file", raising(OSError(28, "No space left on device")))
    run(checkpointing(context), claim(database))
    assert read_experiment(database, experiment).status == Status.SUCCEEDED
    with database.read() as session:
        result = results.of_experiment(session, experiment)
    assert result is not None
    assert result.weights_path is None
    assert "no weights: [Errno 28]" in log_of(context, experiment)


def test_run_succeeds_where_its_log_cannot_be_written(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full").open("a", buffering=1)  # noqa: SIM115  # the log closes it
    monkeypatch.setattr(AttemptLog, "_open", lambda _: full)
    run(context, claim(database))
    assert read_experiment(database, experiment).status == Status.SUCCEEDED


def test_run_stores_the_end_of_the_log_of_a_failure(
    database: Database, context: WorkerContext, experiment: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 2, raising(ZeroDivisionError("oops")))
    run(context, claim(database))
    with database.read() as session:
        newest = attempts.newest(session, experiment)
    assert newest is not None
    assert "ZeroDivisionError: oops" in newest.log_tail
    assert newest.log_tail.endswith("internal_error\n")


def test_attempt_log_writes_any_text(context: WorkerContext, database: Database, tmp_path: Path) -> None:
    id = database.run("make", lambda s: make_experiment(s, **TINY)).id
    with AttemptLog(tmp_path, claim(database).fence) as log:
        log.line("half a pair: \ud800")
    assert "half a pair" in (tmp_path / str(id) / "1.log").read_text()
