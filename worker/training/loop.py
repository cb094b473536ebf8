"""The training loop: one experiment from its spec to its scores on the test set."""

import hashlib
import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from service.domain.results import EpochMetrics, LinearCollapse, TestResult
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import Dataset
from worker.training.evaluation import (
    Predictions,
    class_figures,
    confusion_matrix,
    evaluate,
    losses,
    mean_loss,
    predicted_classes,
    scaled,
    score,
)
from worker.training.execution import Execution
from worker.training.failures import Diverged, TimedOut
from worker.training.model import momentum_at
from worker.training.optimization import l2_penalty
from worker.training.state import CHECKED_EPOCHS, CHECKS, Snapshot, TrainingState, Weights


class Callbacks:
    """Hooks of the training loop. Each may raise to stop training; the exception passes through `train`.

    They must not change anything that training reads, random streams included.
    """

    def on_step(self, state: TrainingState) -> None:
        """Called after each step. `state.step` counts it."""

    def on_evaluation(self, state: TrainingState) -> None:
        """Called after each chunk of scored images, at the end of an epoch and of the run, so that a long validation or
        test calls a hook too. A run that continues from a snapshot taken here scores them again."""

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        """Called after each epoch, and as epoch 0 without metrics before the first step."""


@dataclass(frozen=True)
class Trained:
    """A result and the weights that it scores, contiguous on the CPU."""

    result: TestResult
    last: Weights
    best: Weights

    def with_collapse(self, collapse: LinearCollapse) -> "Trained":
        return replace(self, result=self.result.model_copy(update={"collapse": collapse}))


def train(
    spec: ExperimentSpec,
    data: Dataset,
    execution: Execution,
    callbacks: Callbacks | None = None,
    resume: Snapshot | None = None,
) -> Trained:
    """Train an experiment, call the hooks, and score the last and the best weights on the test set.

    `data` lies on the execution's device. With `resume`, a snapshot of the same spec, it goes on from there: bit for
    bit under the same execution on the same machine. Raises Diverged, TimedOut, InvalidData (fewer images than the
    spec asks for), UnknownSnapshot, torch's OutOfMemoryError, and whatever a callback raises.
    """
    callbacks = callbacks or Callbacks()
    execution.prepare()
    state = TrainingState(spec, data, execution)
    if resume is None:
        callbacks.on_epoch(state, None)
    else:
        state.restore(resume)
    with state.stopwatch.running(seconds=0.0 if resume is None else resume["seconds"]):
        while not state.finished:
            _train_epoch(state, execution, callbacks)
            _end_epoch(state, callbacks)
        return _scored(state, callbacks)


def _train_epoch(state: TrainingState, execution: Execution, callbacks: Callbacks) -> None:
    """Do the remaining steps of an epoch.

    On a CPU a loss that is not finite ends it at once. On a GPU it is noticed at the end of the epoch, because reading
    the loss would stall every step.
    """
    order = state.order()
    state.network.train()
    while state.step < state.steps_per_epoch:
        start = state.step * state.batch_size
        train_step(state, execution, order[start : start + state.batch_size])
        if state.device.type == "cpu" and not state.totals.finite:
            return
        with state.stopwatch.paused():
            if state.spec.diagnostics:
                _check(state)
            callbacks.on_step(state)
        _keep_time(state)


def train_step(state: TrainingState, execution: Execution, batch: Tensor) -> None:
    """Train one step on the training images at the positions `batch`, int64 (batch size,)."""
    targets = state.train_targets[batch]
    state.network.set_momentum(momentum_at(state.steps_done + 1, state.steps_per_epoch))
    with execution.autocast():
        logits = state.network(scaled(state.data.train_images[batch])).float()
    loss = losses(logits, targets, state.spec.output).mean()
    state.optimizer.zero_grad()
    torch.autograd.backward(loss)
    state.optimizer.step()
    state.totals.add(loss.detach(), (predicted_classes(logits.detach()) == targets).sum())
    state.step += 1


def _check(state: TrainingState) -> None:
    """Record the loss of a part of the validation set where a check is due: early in training it tells how fast the
    network learns. A spec without diagnostics saves the checks."""
    for check in _checks_due(state):
        part = state.checked_parts[(check - 1) % len(state.checked_parts)]
        state.checks.keep(check, mean_loss(state.network, part, state.spec.output))


def _checks_due(state: TrainingState) -> range:
    """Return the numbers of the checks that are due after the last step."""
    steps = CHECKED_EPOCHS * state.steps_per_epoch
    if state.steps_done > steps:
        return range(0)
    before, now = ((state.steps_done - back) * CHECKS // steps for back in (1, 0))
    return range(before + 1, now + 1)


def _keep_time(state: TrainingState) -> None:
    limit = state.spec.max_seconds
    if limit is not None and state.seconds > limit:
        raise TimedOut(limit, state.epochs_done + 1, state.step)


def _end_epoch(state: TrainingState, callbacks: Callbacks) -> None:
    """Measure and count the epoch, then update schedule, early stopping and callbacks. Raises Diverged."""
    metrics = _measured(state, callbacks)
    steps, finite_steps = state.step, int(state.totals.finite_steps)
    state.count_epoch()
    loss, l2 = metrics.validation_loss, metrics.l2
    if loss is not None and l2 is not None:
        state.keep_best(loss)
        state.schedule.after_epoch(state.epochs_done, loss + l2)
        state.early_stopping.after_epoch(loss)
    with state.stopwatch.paused():
        callbacks.on_epoch(state, metrics)
    if metrics.non_finite:
        raise Diverged(state.epochs_done, min(finite_steps + 1, steps))


def _measured(state: TrainingState, callbacks: Callbacks) -> EpochMetrics:
    images = state.step * state.batch_size
    figures = {
        "train_loss": float(state.totals.loss) / state.step,
        "train_accuracy": int(state.totals.correct) / images,
        "l2": l2_penalty(state.spec, state.network),
    }
    training_seconds = state.seconds - state.seconds_before_epoch
    predictions = state.validate(lambda: _pause_for(state, callbacks))
    figures |= {"validation_loss": predictions.loss, "validation_accuracy": predictions.accuracy}
    return EpochMetrics(
        epoch=state.epochs_done + 1,
        learning_rate=state.learning_rate,
        seconds=state.seconds - state.seconds_before_epoch,
        images_per_second=images / training_seconds,
        non_finite=sorted(name for name, figure in figures.items() if not math.isfinite(figure)),
        **{name: _finite_or_none(figure) for name, figure in figures.items()},
    )


def _finite_or_none(figure: float | None) -> float | None:
    return figure if figure is not None and math.isfinite(figure) else None


def _scored(state: TrainingState, callbacks: Callbacks) -> Trained:
    """Score the last and the best weights on the test set, which is read nowhere else."""
    if state.best is None:
        raise ValueError("a run that did not diverge has a best epoch")
    test, last, output = state.test_examples(), state.weights(), state.spec.output
    predictions = evaluate(state.network, test, output, lambda: _pause_for(state, callbacks))
    best_predictions = predictions
    if state.best.epoch != state.epochs_done:
        weights = state.best.weights
        best_predictions = evaluate(state.network, test, output, lambda: _pause_for(state, callbacks), weights)
    confusion = confusion_matrix(predictions, test.targets, len(state.labels))
    exported, exported_best = _exported(last), _exported(state.best.weights)
    result = TestResult(
        last=score(predictions, state.epochs_done),
        best=score(best_predictions, state.best.epoch),
        per_class=class_figures(confusion, state.labels),
        confusion_matrix=confusion.tolist(),
        fingerprint=state.fingerprint,
        epochs_trained=state.epochs_done,
        seconds=state.seconds,
        early_loss=_finite_or_none(state.checks.mean),
        checksum=_checksum((exported, predictions), (exported_best, best_predictions)),
    )
    return Trained(result, exported, exported_best)


def _pause_for(state: TrainingState, callbacks: Callbacks) -> None:
    with state.stopwatch.paused():
        callbacks.on_evaluation(state)


def _checksum(*scored: tuple[Weights, Predictions]) -> str:
    """Return the SHA-256 of weights and of which test images they classify correctly.

    It takes 16 ms for the last and the best weights of the article's network, 1.2 million numbers each.
    """
    digest = hashlib.sha256()
    for weights, predictions in scored:
        for name, tensor in sorted(weights.items()):
            digest.update(f"{name} {tensor.dtype} {list(tensor.shape)} ".encode())
            digest.update(tensor.numpy().tobytes())
        digest.update(predictions.correct.tobytes())
    return digest.hexdigest()


def _exported(weights: Weights) -> Weights:
    return {name: tensor.contiguous().cpu() for name, tensor in weights.items()}
