"""One attempt: trains what was claimed, records each epoch, obeys cancel and shutdown, and reports how it ended."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from service.domain.errors import InvalidData
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from service.domain.status import Cause
from service.domain.text import storable
from service.process import attempt_log
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import CancelRequested, Claim, FenceLost
from service.storage.records import attempts
from service.storage.records.results import FinishedRun
from worker.checkpoints import Checkpoints, UnusableCheckpoint
from worker.durable import durable
from worker.lease import Held, Keeper
from worker.log import AttemptLog
from worker.persistence import Outage, Persistence
from worker.training.datasets.tensors import Datasets
from worker.training.diagnostics.collapse import linear_collapse, may_collapse
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.execution import Device, Execution
from worker.training.failures import Diverged, TimedOut, UnknownSnapshot
from worker.training.loop import Callbacks, Trained, train
from worker.training.state import Progress, Snapshot
from worker.watchdog import Watchdog

LONGEST_DETAIL = 1000

log = structlog.get_logger(__name__)


class Released(Exception):
    """The worker shuts down; what was done lies in a checkpoint."""


@dataclass(frozen=True)
class Bench:
    """What a worker process uses for every experiment."""

    settings: Settings
    device: Device
    persistence: Persistence
    keeper: Keeper
    checkpoints: Checkpoints
    datasets: Datasets
    shutdown: Shutdown


def run(bench: Bench, claim: Claim) -> None:
    """Never raises for what happens to one experiment: it is recorded, or left to whoever holds it now."""
    with AttemptLog(bench.settings.logs, claim.fence) as file, bench.keeper.holding(claim.fence, file.path) as held:
        watchdog = Watchdog(file.stream)
        watchdog.arm(bench.settings.stall_start_seconds)
        try:
            _Attempt(bench, claim, held, file, watchdog).go()
        finally:
            watchdog.off()


class _Attempt(Callbacks):
    def __init__(self, bench: Bench, claim: Claim, held: Held, file: AttemptLog, watchdog: Watchdog) -> None:
        self.bench = bench
        self.claim = claim
        self.fence = claim.fence
        self.held = held
        self.file = file
        self.watchdog = watchdog
        self.diagnostics: Diagnostics | None = None
        self.checkpoint_at = time.monotonic() + bench.settings.checkpoint_seconds

    def go(self) -> None:
        """Train, and record how that ended."""
        self.file.line(f"attempt {self.fence.attempt} starts on {self.bench.device}")
        try:
            self._finish(self._train())
        except (FenceLost, Outage) as error:
            self.file.line(f"stopped: {error!r}")
        except CancelRequested:
            self._end("cancelled", lambda s: transitions.end_cancelled(s, self.fence))
        except Released:
            self._end("released", lambda s: transitions.release(s, self.fence))
        except Exception as error:
            self._fail(error)

    # --- training ----------------------------------------------------------------------------------------------

    def _train(self) -> Trained:
        spec = ExperimentSpec.model_validate(self.claim.spec)
        self.diagnostics = Diagnostics(self._while_measuring) if spec.diagnostics else None
        execution = self._execution(spec)
        data = self.bench.datasets.get(spec.dataset, self._on_download).to(execution.device)
        snapshot = self._snapshot()
        try:
            trained = train(spec, data, execution, self, snapshot)
        except UnknownSnapshot as error:
            self._start_over(str(error))
            trained = train(spec, data, execution, self)
        if not (spec.diagnostics and may_collapse(spec)):
            return trained
        return trained.with_collapse(linear_collapse(spec, trained.last, data.test_images, self._while_measuring))

    def _execution(self, spec: ExperimentSpec) -> Execution:
        """As the first claim decided, so that the bits stay the same."""
        if self.claim.execution is not None:
            return Execution.model_validate(self.claim.execution).continued_here()
        execution = Execution.resolve(spec, device=self.bench.device, threads=self.bench.settings.threads)
        kept = execution.model_dump()
        self._write("execution", lambda s: transitions.keep_execution(s, self.fence, kept))
        return execution

    def _snapshot(self) -> Snapshot | None:
        if self.claim.checkpoint is None:
            return None
        try:
            snapshot = self.bench.checkpoints.read(self.claim.checkpoint)
        except UnusableCheckpoint as error:
            self._start_over(str(error))
            return None
        self.file.line(f"resumes after epoch {self.claim.checkpoint.epoch}, step {self.claim.checkpoint.step}")
        return snapshot

    def _start_over(self, reason: str) -> None:
        self.file.line(f"starts over: {reason}")
        self._write("start_over", lambda s: transitions.start_over(s, self.fence))

    def _on_download(self, *_: object) -> None:
        self.watchdog.pet(self.bench.settings.stall_start_seconds)
        self._obey()

    # --- hooks of the training loop ----------------------------------------------------------------------------

    def on_evaluation(self, progress: Progress) -> None:
        self.on_step(progress)

    def on_step(self, progress: Progress) -> None:
        self.watchdog.pet(self.bench.settings.stall_seconds)
        if self.diagnostics is not None:
            self.diagnostics.on_step(progress)
        self._obey(progress)
        if time.monotonic() >= self.checkpoint_at:
            self._write_checkpoint(progress)

    def _while_measuring(self) -> None:
        """Within `on_epoch` and after the last one, where a snapshot would count what has yet to be measured: a
        shutdown falls back on the last checkpoint."""
        self.watchdog.pet(self.bench.settings.stall_seconds)
        self._obey()

    def _obey(self, progress: Progress | None = None) -> None:
        """Stop where the keeper's flags or a shutdown say so; what has been trained by then goes into a checkpoint."""
        if self.held.lost:
            raise FenceLost(self.fence)
        if self.held.cancel_requested:
            raise CancelRequested(self.fence)
        if self.bench.shutdown.requested:
            if progress is not None:
                self._write_checkpoint(progress)
            raise Released

    def on_epoch(self, progress: Progress, metrics: EpochMetrics | None) -> None:
        layers = [] if self.diagnostics is None else self.diagnostics.measure(progress)
        if metrics is None:
            if layers:
                self._write("start", lambda s: transitions.record_start(s, self.fence, layers))
            return
        self._write("epoch", lambda s: transitions.record_epoch(s, self.fence, metrics, layers))
        self.file.line(
            f"epoch {metrics.epoch}/{progress.spec.epochs}: train loss {_shown(metrics.train_loss)}, validation loss"
            f" {_shown(metrics.validation_loss)}, accuracy {_shown(metrics.validation_accuracy)},"
            f" {metrics.seconds:.1f} s"
        )

    def _write_checkpoint(self, progress: Progress) -> None:
        """A disk that is full costs the chance to resume, not the run."""
        self.checkpoint_at = time.monotonic() + self.bench.settings.checkpoint_seconds
        try:
            written = self.bench.checkpoints.write(
                self.fence, progress.epochs_done, progress.steps_done, progress.snapshot()
            )
        except OSError as error:
            self.file.line(f"no checkpoint: {error}")
            log.warning("checkpoint_failed", experiment=str(self.fence.id), error=str(error))
            return
        self._write("checkpoint", lambda s: transitions.record_checkpoint(s, self.fence, written))
        self.bench.checkpoints.drop_others(self.fence, written)

    def _write(self, name: str, work: Callable[[UnitOfWork], None]) -> None:
        """A transaction; while the database is away, the watchdog knows that nothing hangs."""
        limit = self.bench.settings.stall_seconds
        self.bench.persistence.write(name, work, while_waiting=lambda: self.watchdog.pet(limit))

    # --- the end -----------------------------------------------------------------------------------------------

    def _finish(self, trained: Trained) -> None:
        self.watchdog.arm(self.bench.settings.stall_start_seconds)
        finished = FinishedRun(trained.result, self._save_weights(trained))
        last = trained.result.last
        self.file.line(f"test accuracy {last.test_accuracy:.4f} after epoch {last.epoch}")
        self._end("succeeded", lambda s: transitions.succeed(s, self.fence, finished))

    def _save_weights(self, trained: Trained) -> str | None:
        """`<experiment>/<attempt>/last.safetensors` and `best.safetensors` under the folder of weights. A disk that is
        full costs the weights, not the result."""
        relative = f"{self.fence.id}/{self.fence.attempt}"
        folder = self.bench.settings.weights / relative
        try:
            for name, weights in (("last", trained.last), ("best", trained.best)):
                with durable(folder / f"{name}.safetensors") as file:
                    save_file(weights, file)
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

    def _end(self, name: str, transition: Callable[[UnitOfWork], None]) -> None:
        """Write the last transition; whoever else holds the experiment by now has the last word."""
        self.file.line(name)
        try:
            self._end_or_cancel(transition)
        except (FenceLost, Outage) as error:
            self.file.line(f"not recorded: {error!r}")
            return
        if name != "released":
            self.bench.checkpoints.drop_all(self.fence.id)

    def _end_or_cancel(self, transition: Callable[[UnitOfWork], None]) -> None:
        """A cancel that came before the transition makes it one."""
        try:
            self._write("finish", lambda s: self._end_with_log(s, transition))
        except CancelRequested:
            self._write("finish", lambda s: self._end_with_log(s, lambda t: transitions.end_cancelled(t, self.fence)))

    def _end_with_log(self, session: UnitOfWork, transition: Callable[[UnitOfWork], None]) -> None:
        """The keeper stores the log now and then; its last lines say how it ended."""
        transition(session)
        attempts.keep_log(session, self.fence.id, self.fence.attempt, attempt_log.tail(self.file.path))


def _cause(error: Exception) -> tuple[Cause, str]:
    """What to call a failure, and what to say of it: any text, as storage takes it."""
    cause, detail = _named(error)
    return cause, storable(detail)[:LONGEST_DETAIL]


def _named(error: Exception) -> tuple[Cause, str]:
    match error:
        case Diverged():
            return Cause.DIVERGED, str(error)
        case TimedOut():
            return Cause.TIMEOUT, str(error)
        case InvalidData():
            return Cause.INVALID_DATA, error.detail
        case torch.OutOfMemoryError() | MemoryError():
            return Cause.OUT_OF_MEMORY, str(error).splitlines()[0] if str(error) else "No memory was left."
        case RuntimeError() if "can't allocate memory" in str(error):  # what PyTorch raises on the CPU
            return Cause.OUT_OF_MEMORY, str(error).splitlines()[0]
    return Cause.INTERNAL_ERROR, f"{type(error).__name__}: {error}"


def _shown(figure: float | None) -> str:
    return "not finite" if figure is None else f"{figure:.4f}"
