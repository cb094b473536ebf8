"""An attempt at an experiment: train it, record each epoch, obey a cancel or a shutdown, and record the end."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import structlog
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from structlog.contextvars import bound_contextvars

from service.datasets.download import DownloadUnavailable
from service.domain.datasets import DATASETS
from service.domain.errors import InvalidData
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from service.domain.status import Cause
from service.domain.text import storable
from service.process import attempt_log
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import lost_workers, transitions
from service.storage.queue.downloads import record_failure
from service.storage.queue.leases import CancelRequested, Claim, FenceLost
from service.storage.queue.lost_workers import LostWorker
from service.storage.records import attempts, downloads
from service.storage.records.results import FinishedRun
from worker.checkpoints import UnusableCheckpoint
from worker.context import WorkerContext
from worker.durable import durable
from worker.lease import HeldLease
from worker.log import AttemptLog
from worker.persistence import Outage
from worker.training.datasets.tensors import Dataset
from worker.training.diagnostics.collapse import linear_collapse, may_collapse
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.execution import Execution
from worker.training.failures import Diverged, TimedOut, UnknownSnapshot, is_poison
from worker.training.loop import Callbacks, Trained, train
from worker.training.saved_weights import metadata_of
from worker.training.state import Snapshot, TrainingState
from worker.watchdog import Watchdog

T = TypeVar("T")

LONGEST_DETAIL = 1000
POISONED = 71
"""The exit status after an error of CUDA, with which every later call of CUDA in this process fails; it is EX_OSERR of
sysexits.h."""

log = structlog.get_logger(__name__)


class Released(Exception):
    """Raised in a training step when the worker shuts down, the progress in a checkpoint; and with a reason where the
    data set is to be downloaded later."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


def run(context: WorkerContext, claim: Claim) -> None:
    """Run an attempt to its end. A failure of the experiment is recorded and not raised; an attempt that has lost its
    lease records nothing. After an error of CUDA the process is asked to shut down, with the status POISONED."""
    with (
        bound_contextvars(experiment=str(claim.fence.id), attempt=claim.fence.attempt),
        AttemptLog(context.settings.logs, claim.fence) as file,
        context.lease_renewer.holding(claim.fence, file.path) as lease,
    ):
        watchdog = Watchdog(file.stream)
        watchdog.arm(context.settings.stall_start_seconds)
        try:
            _Attempt(context, claim, lease, file, watchdog).run()
        finally:
            watchdog.off()


class _Attempt(Callbacks):
    def __init__(
        self, context: WorkerContext, claim: Claim, lease: HeldLease, file: AttemptLog, watchdog: Watchdog
    ) -> None:
        self.context = context
        self.claim = claim
        self.fence = claim.fence
        self.lease = lease
        self.file = file
        self.watchdog = watchdog
        self.diagnostics: Diagnostics | None = None
        self.begun = time.monotonic()
        self.checkpoint_at = self.begun + context.settings.checkpoint_seconds

    @cached_property
    def spec(self) -> ExperimentSpec:
        return ExperimentSpec.model_validate(self.claim.spec)

    def run(self) -> None:
        """Train the experiment, and record the end of the attempt."""
        self.file.line(f"attempt {self.fence.attempt} starts on {self.context.device}")
        try:
            self._finish(self._train())
        except (FenceLost, Outage) as error:
            self.file.line(f"stopped: {error!r}")
        except CancelRequested:
            self._end("cancelled", lambda s: transitions.end_cancelled(s, self.fence))
        except Released as error:
            reason = error.reason
            self._end("released", lambda s: transitions.release(s, self.fence, reason))
        except Exception as error:
            if is_poison(error):
                self._hand_back(error)
                self.context.shutdown.request(POISONED)
            else:
                self._fail(error)

    # --- training ----------------------------------------------------------------------------------------------

    def _train(self) -> Trained:
        spec = self.spec
        self.diagnostics = Diagnostics(self._on_batch) if spec.diagnostics else None
        execution = self._execution(spec)
        data = self._data(spec.dataset).to(execution.device)
        snapshot = self._snapshot()
        try:
            trained = train(spec, data, execution, self, snapshot)
        except UnknownSnapshot as error:
            self._start_over(str(error))
            trained = train(spec, data, execution, self)
        if not (spec.diagnostics and may_collapse(spec)):
            return trained
        return trained.with_collapse(linear_collapse(spec, trained.last, data.test_images, self._on_batch))

    def _execution(self, spec: ExperimentSpec) -> Execution:
        """Return the execution that the first attempt stored, so that a resume gives the same bits; else store one."""
        if self.claim.execution is not None:
            return Execution.model_validate(self.claim.execution).continued_here()
        execution = Execution.resolve(spec, device=self.context.device, threads=self.context.threads)
        stored = execution.model_dump()
        self._write("execution", lambda s: transitions.keep_execution(s, self.fence, stored))
        return execution

    def _data(self, name: str) -> Dataset:
        """Return a data set. Raises Released where it is to be downloaded later, and InvalidData where it has been
        tried for long enough."""
        datasets, machine = self.context.datasets, self.context.machine
        if name in datasets.loaded or DATASETS[name].publication is None:
            return datasets.get(name)
        # Known without an attempt where another worker of this machine has failed since the claim, and where the
        # patience is over.
        reason = self._write("download", lambda s: downloads.reason_to_wait(s, name, machine.hostname))
        if reason is not None:
            raise self._without_data(name, reason)
        try:
            data = datasets.get(name, self._on_download)
        except DownloadUnavailable as error:
            self.file.traceback(error)
            raise self._without_data(name, storable(error.reason)[:LONGEST_DETAIL]) from error
        self._write("downloaded", lambda s: downloads.forget(s, name, machine.hostname))
        return data

    def _without_data(self, dataset: str, reason: str) -> Released | InvalidData:
        """Record a failed download, and return what ends the attempt."""
        machine, hours = self.context.machine, self.context.settings.download_hours
        self.file.line(f"no data: {reason}")
        log.warning("download_failed", experiment=str(self.fence.id), dataset=dataset, reason=reason)
        if self._write("download_failed", lambda s: record_failure(s, self.fence, machine, dataset, reason)):
            place = self.context.datasets.locations.own(dataset)[0]
            return InvalidData(
                f"{dataset} could not be downloaded for {hours:g} h. {reason} Run `actlab data fetch` where there is a"
                f" network, or copy its files to {place}."
            )
        return Released(reason)

    def _snapshot(self) -> Snapshot | None:
        if self.claim.checkpoint is None:
            return None
        try:
            snapshot = self.context.checkpoints.read(self.claim.checkpoint)
        except UnusableCheckpoint as error:
            self._start_over(str(error))
            return None
        self.file.line(f"resumes after epoch {self.claim.checkpoint.epoch}, step {self.claim.checkpoint.step}")
        return snapshot

    def _start_over(self, reason: str) -> None:
        self.file.line(f"starts over: {reason}")
        self._write("start_over", lambda s: transitions.start_over(s, self.fence))

    def _on_download(self, *_: object) -> None:
        self.watchdog.pet(self.context.settings.stall_start_seconds)
        self._stop_if_asked()

    # --- hooks of the training loop ----------------------------------------------------------------------------

    def on_evaluation(self, state: TrainingState) -> None:
        self.on_step(state)

    def on_step(self, state: TrainingState) -> None:
        self.watchdog.pet(self.context.settings.stall_seconds)
        if self.diagnostics is not None:
            self.diagnostics.on_step(state)
        self._stop_if_asked(state)
        if time.monotonic() >= self.checkpoint_at:
            self._write_checkpoint(state)

    def _on_batch(self) -> None:
        """Obey a cancel or a shutdown between two batches of a measurement.

        No checkpoint is written here, since it would count the measurement as done: a released attempt resumes from the
        last one.
        """
        self.watchdog.pet(self.context.settings.stall_seconds)
        self._stop_if_asked()

    def _stop_if_asked(self, state: TrainingState | None = None) -> None:
        """Raise FenceLost, CancelRequested or Released where the lease's flags or a shutdown ask for it.

        A shutdown writes a checkpoint of `state` first.
        """
        if self.lease.lost:
            raise FenceLost(self.fence)
        if self.lease.cancel_requested:
            raise CancelRequested(self.fence)
        if self.context.shutdown.requested:
            if state is not None:
                self._write_checkpoint(state)
            raise Released

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        layers = [] if self.diagnostics is None else self.diagnostics.measure(state)
        if metrics is None:
            if layers:
                self._write("start", lambda s: transitions.record_start(s, self.fence, layers))
            return
        self._write("epoch", lambda s: transitions.record_epoch(s, self.fence, metrics, layers))
        images = state.steps_per_epoch * state.batch_size
        self.context.metrics.epoch(self.spec.dataset, self.context.device, metrics.seconds, images)
        self.file.line(
            f"epoch {metrics.epoch}/{state.spec.epochs}: train loss {_formatted(metrics.train_loss)}, validation loss"
            f" {_formatted(metrics.validation_loss)}, accuracy {_formatted(metrics.validation_accuracy)},"
            f" {metrics.seconds:.1f} s"
        )

    def _write_checkpoint(self, state: TrainingState) -> None:
        """Write a checkpoint and make it the one to resume from. A full disk is logged, and training goes on."""
        self.checkpoint_at = time.monotonic() + self.context.settings.checkpoint_seconds
        try:
            written = self.context.checkpoints.write(self.fence, state.epochs_done, state.steps_done, state.snapshot())
        except OSError as error:
            self.file.line(f"no checkpoint: {error}")
            log.warning("checkpoint_failed", experiment=str(self.fence.id), error=str(error))
            return
        self._write("checkpoint", lambda s: transitions.record_checkpoint(s, self.fence, written))
        self.context.checkpoints.drop_others(self.fence, written)

    def _write(self, name: str, work: Callable[[UnitOfWork], T]) -> T:
        """Run `work` in a transaction and return its value. While the database is unreachable the watchdog is reset."""
        limit = self.context.settings.stall_seconds
        return self.context.persistence.write(name, work, while_waiting=lambda: self.watchdog.pet(limit))

    # --- the end -----------------------------------------------------------------------------------------------

    def _finish(self, trained: Trained) -> None:
        self.watchdog.arm(self.context.settings.stall_start_seconds)
        finished = FinishedRun(trained.result, self._save_weights(trained))
        last = trained.result.last
        self.file.line(f"test accuracy {last.test_accuracy:.4f} after epoch {last.epoch}")
        if self._end("succeeded", lambda s: transitions.succeed(s, self.fence, finished)):
            seconds = time.monotonic() - self.begun
            self.context.metrics.experiment(self.spec.dataset, self.context.device, seconds)

    def _save_weights(self, trained: Trained) -> str | None:
        """Write `<experiment>/<attempt>/last.safetensors` and `best.safetensors` under the folder of weights.

        Return the path in that folder, or None on a full disk: the result is then recorded without weights.
        """
        relative = f"{self.fence.id}/{self.fence.attempt}"
        folder = self.context.settings.weights / relative
        try:
            for name, weights, score in (
                ("last", trained.last, trained.result.last),
                ("best", trained.best, trained.result.best),
            ):
                metadata = metadata_of(str(self.fence.id), self.spec, trained.result, score)
                with durable(folder / f"{name}.safetensors") as file:
                    save_file(weights, file, metadata)
        except (OSError, SafetensorError) as error:
            self.file.line(f"no weights: {error}")
            log.warning("weights_failed", experiment=str(self.fence.id), error=str(error))
            return None
        return relative

    def _fail(self, error: Exception) -> None:
        cause, detail = _cause(error)
        self.file.traceback(error)
        log.warning("experiment_failed", experiment=str(self.fence.id), cause=cause, detail=detail)
        self._end(cause, lambda s: transitions.fail(s, self.fence, cause, detail))

    def _hand_back(self, error: Exception) -> None:
        """Requeue the experiment, as a counted loss: it may be what poisons each process that runs it."""
        detail = storable(f"CUDA failed in the worker process, which ended: {_first_line(error)}")[:LONGEST_DETAIL]
        lost_worker = LostWorker(self.context.settings.max_losses, counted=True, detail=detail)
        self.file.traceback(error)
        log.error("process_poisoned", experiment=str(self.fence.id), error=detail)
        self._end("handed_back", lambda s: lost_workers.hand_back(s, self.fence, lost_worker))

    def _end(self, name: str, transition: Callable[[UnitOfWork], None]) -> bool:
        """Write the last transition, and return whether it was this one; delete the checkpoints unless the attempt was
        released or handed back.

        An attempt that has lost its lease writes nothing.
        """
        self.file.line(name)
        try:
            written = self._end_or_cancel(transition)
        except (FenceLost, Outage) as error:
            self.file.line(f"not recorded: {error!r}")
            return False
        if name not in ("released", "handed_back"):
            self.context.checkpoints.drop_all(self.fence.id)
        return written

    def _end_or_cancel(self, transition: Callable[[UnitOfWork], None]) -> bool:
        """Write the last transition, or the end of a cancelled experiment where a cancel came before it; return whether
        it was the first."""
        try:
            self._write("finish", lambda s: self._end_with_log(s, transition))
            return True
        except CancelRequested:
            self._write("finish", lambda s: self._end_with_log(s, lambda t: transitions.end_cancelled(t, self.fence)))
            return False

    def _end_with_log(self, session: UnitOfWork, transition: Callable[[UnitOfWork], None]) -> None:
        """Store the end of the log with the transition: the lease renewer stores it only from time to time."""
        transition(session)
        attempts.keep_log(session, self.fence.id, self.fence.attempt, attempt_log.tail(self.file.path))


def _cause(error: Exception) -> tuple[Cause, str]:
    """Return the cause of a failure and a detail in text that the database accepts."""
    cause, detail = _classified(error)
    return cause, storable(detail)[:LONGEST_DETAIL]


def _classified(error: Exception) -> tuple[Cause, str]:
    match error:
        case Diverged():
            return Cause.DIVERGED, str(error)
        case TimedOut():
            return Cause.TIMEOUT, str(error)
        case InvalidData():
            return Cause.INVALID_DATA, error.detail
        case torch.OutOfMemoryError() | MemoryError():
            return Cause.OUT_OF_MEMORY, _first_line(error) if str(error) else "No memory was left."
        case RuntimeError() if "can't allocate memory" in str(error):  # raised by PyTorch on a CPU
            return Cause.OUT_OF_MEMORY, _first_line(error)
    return Cause.INTERNAL_ERROR, f"{type(error).__name__}: {error}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _formatted(figure: float | None) -> str:
    return "not finite" if figure is None else f"{figure:.4f}"
