"""Trains one experiment from its spec to its scores on the test set."""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from service.domain.results import EpochMetrics, LinearCollapse, TestResult
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import Dataset
from worker.training.evaluation import (
    class_figures,
    confusion_matrix,
    evaluate,
    losses,
    mean_loss,
    predictions,
    scaled,
    score,
)
from worker.training.execution import Execution
from worker.training.failures import Diverged, TimedOut
from worker.training.model import momentum_at
from worker.training.optimization import l2_penalty
from worker.training.state import CHECKED_EPOCHS, CHECKS, Progress, Snapshot, Weights


class Callbacks:
    """What others do while an experiment trains. Each may raise to stop it; the exception passes through `train`.

    They must not change anything that training reads, random streams included.
    """

    def on_step(self, progress: Progress) -> None:
        """After each step, and after `on_check` where one is due. `progress.step` counts it."""

    def on_check(self, progress: Progress, check: int) -> None:
        """At CHECKS evenly spaced steps of the first CHECKED_EPOCHS epochs; `check` counts from 1."""

    def on_evaluation(self, progress: Progress) -> None:
        """After each chunk of images that are scored, at the end of an epoch and of the run: a long validation or test
        is no time without a hook. A run that goes on from a snapshot taken here scores them again."""

    def on_epoch(self, progress: Progress, metrics: EpochMetrics | None) -> None:
        """After each epoch, and once before the first step, without metrics: epoch 0."""


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
    """Trains, calling back, and scores the last and the best weights on the test set.

    `data` lies on the execution's device. With `resume`, a snapshot of the same spec, it goes on from there: bit for
    bit under the same execution on the same machine. Raises Diverged, TimedOut, InvalidData (fewer images than the
    spec asks for), UnknownSnapshot, torch's OutOfMemoryError, and whatever a callback raises.
    """
    callbacks = callbacks or Callbacks()
    execution.prepare()
    progress = Progress(spec, data, execution)
    if resume is None:
        callbacks.on_epoch(progress, None)
    else:
        progress.restore(resume)
    with progress.stopwatch.running(seconds=0.0 if resume is None else resume["seconds"]):
        while not progress.finished:
            _train_epoch(progress, execution, callbacks)
            _end_epoch(progress, callbacks)
        return _scored(progress, callbacks)


def _train_epoch(progress: Progress, execution: Execution, callbacks: Callbacks) -> None:
    """The steps of an epoch that are still to do. On the CPU, where looking is free, a loss that is not finite ends
    it; a GPU goes on and finds out at the end, because looking would stall it."""
    order = progress.order()
    progress.network.train()
    while progress.step < progress.steps_per_epoch:
        start = progress.step * progress.batch_size
        _step(progress, execution, order[start : start + progress.batch_size])
        if progress.device.type == "cpu" and not progress.sums.finite:
            return
        with progress.stopwatch.paused():
            _check(progress, callbacks)
            callbacks.on_step(progress)
        _keep_time(progress)


def _step(progress: Progress, execution: Execution, batch: Tensor) -> None:
    """One step on the training images at these positions, int64 (batch size,)."""
    targets = progress.train_targets[batch]
    progress.network.set_momentum(momentum_at(progress.steps_done + 1, progress.steps_per_epoch))
    with execution.autocast():
        logits = progress.network(scaled(progress.data.train_images[batch])).float()
    loss = losses(logits, targets, progress.spec.output).mean()
    progress.optimizer.zero_grad()
    torch.autograd.backward(loss)
    progress.optimizer.step()
    progress.sums.add(loss.detach(), (predictions(logits.detach()) == targets).sum())
    progress.step += 1


def _check(progress: Progress, callbacks: Callbacks) -> None:
    """The validation loss early in training says how fast it learns. It costs 20 validations, which a spec without
    diagnostics spares."""
    due = _checks_due(progress)
    if due and progress.spec.diagnostics:
        loss = mean_loss(progress.network, progress.validation, progress.spec.output)
        for check in due:
            progress.checks.keep(check, loss)
    for check in due:
        callbacks.on_check(progress, check)


def _checks_due(progress: Progress) -> range:
    """The checks that fall on the step just done."""
    steps = CHECKED_EPOCHS * progress.steps_per_epoch
    if progress.steps_done > steps:
        return range(0)
    before, now = ((progress.steps_done - back) * CHECKS // steps for back in (1, 0))
    return range(before + 1, now + 1)


def _keep_time(progress: Progress) -> None:
    limit = progress.spec.max_seconds
    if limit is not None and progress.seconds > limit:
        raise TimedOut(limit, progress.epochs_done + 1, progress.step)


def _end_epoch(progress: Progress, callbacks: Callbacks) -> None:
    """Measures, counts the epoch, and lets schedule, early stopping and callbacks know. Raises Diverged."""
    metrics = _measured(progress, callbacks)
    steps, finite_steps = progress.step, int(progress.sums.finite_steps)
    progress.count_epoch()
    loss, l2 = metrics.validation_loss, metrics.l2
    if loss is not None and l2 is not None:
        progress.keep_best(loss)
        progress.schedule.after_epoch(progress.epochs_done, loss + l2)
        progress.patience.after_epoch(loss)
    with progress.stopwatch.paused():
        callbacks.on_epoch(progress, metrics)
    if metrics.non_finite:
        raise Diverged(progress.epochs_done, min(finite_steps + 1, steps))


def _measured(progress: Progress, callbacks: Callbacks) -> EpochMetrics:
    images = progress.step * progress.batch_size
    figures = {
        "train_loss": float(progress.sums.loss) / progress.step,
        "train_accuracy": int(progress.sums.correct) / images,
        "l2": l2_penalty(progress.spec, progress.network),
    }
    training_seconds = progress.seconds - progress.seconds_before_epoch
    answers = progress.validate(lambda: _pause_for(progress, callbacks))
    figures |= {"validation_loss": answers.loss, "validation_accuracy": answers.accuracy}
    return EpochMetrics(
        epoch=progress.epochs_done + 1,
        learning_rate=progress.learning_rate,
        seconds=progress.seconds - progress.seconds_before_epoch,
        images_per_second=images / training_seconds,
        non_finite=sorted(name for name, figure in figures.items() if not math.isfinite(figure)),
        **{name: _finite_or_none(figure) for name, figure in figures.items()},
    )


def _finite_or_none(figure: float | None) -> float | None:
    return figure if figure is not None and math.isfinite(figure) else None


def _scored(progress: Progress, callbacks: Callbacks) -> Trained:
    """The only place that reads the test set."""
    if progress.best is None:
        raise ValueError("a run that did not diverge has a best epoch")
    test, last, output = progress.test_examples(), progress.weights(), progress.spec.output
    answers = evaluate(progress.network, test, output, lambda: _pause_for(progress, callbacks))
    best_answers = answers
    if progress.best.epoch != progress.epochs_done:
        weights = progress.best.weights
        best_answers = evaluate(progress.network, test, output, lambda: _pause_for(progress, callbacks), weights)
    confusion = confusion_matrix(answers, test.targets, len(progress.labels))
    result = TestResult(
        last=score(answers, progress.epochs_done),
        best=score(best_answers, progress.best.epoch),
        per_class=class_figures(confusion, progress.labels),
        confusion_matrix=confusion.tolist(),
        fingerprint=progress.fingerprint,
        epochs_trained=progress.epochs_done,
        seconds=progress.seconds,
        early_loss=_finite_or_none(progress.checks.mean),
    )
    return Trained(result, _exported(last), _exported(progress.best.weights))


def _pause_for(progress: Progress, callbacks: Callbacks) -> None:
    with progress.stopwatch.paused():
        callbacks.on_evaluation(progress)


def _exported(weights: Weights) -> Weights:
    return {name: tensor.contiguous().cpu() for name, tensor in weights.items()}
