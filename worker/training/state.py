"""The state of an experiment in training, with its snapshots."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from service.datasets.stratified import Positions
from service.domain.results import Fingerprint
from service.domain.spec import ExperimentSpec
from worker.training.datasets.split import split
from worker.training.datasets.tensors import Dataset
from worker.training.evaluation import Examples, Predictions, evaluate
from worker.training.execution import Execution
from worker.training.failures import UnknownSnapshot
from worker.training.model import Network
from worker.training.optimization import EarlyStopping, make_optimizer, make_schedule
from worker.training.randomness import Streams

Snapshot: TypeAlias = dict[str, Any]
"""Tensors, numbers, text, lists and dicts: what `torch.load(weights_only=True)` reads back."""

Weights: TypeAlias = dict[str, Tensor]
"""Parameters and running statistics by name."""

SNAPSHOT_FORMAT = 2

CHECKS = 20
CHECKED_EPOCHS = 2


class Stopwatch:
    """Counts the seconds of training without those spent in hooks."""

    def __init__(self) -> None:
        self._before = 0.0
        self._started: float | None = None

    @property
    def seconds(self) -> float:
        return self._before + (0.0 if self._started is None else time.perf_counter() - self._started)

    @contextmanager
    def running(self, seconds: float) -> Iterator[None]:
        """Count on from `seconds` while the block runs."""
        self._before, self._started = seconds, time.perf_counter()
        yield
        self._before, self._started = self.seconds, None

    @contextmanager
    def paused(self) -> Iterator[None]:
        self._before, self._started = self.seconds, None
        yield
        self._started = time.perf_counter()


class EpochTotals:
    """The sums over the steps of one epoch, kept on the device so that no step waits for the host."""

    def __init__(self, device: torch.device) -> None:
        self.loss = torch.zeros((), dtype=torch.float64, device=device)  # nats, of batch means
        self.correct = torch.zeros((), dtype=torch.int64, device=device)  # images
        self.finite_steps = torch.zeros((), dtype=torch.int64, device=device)  # before the first non-finite loss

    def add(self, loss: Tensor, correct: Tensor) -> None:
        self.loss += loss
        self.correct += correct
        self.finite_steps += self.loss.isfinite()  # a sum that has left the finite numbers never returns

    @property
    def finite(self) -> bool:
        return bool(self.loss.isfinite())

    def state_dict(self) -> Weights:
        return dict(vars(self))

    def load_state_dict(self, state: Weights) -> None:
        for name, tensor in vars(self).items():
            tensor.copy_(state[name])


def checked_parts(validation: Examples, training_images: int) -> list[Examples]:
    """Deal validation examples out to checks, each class in proportion, so that one check scores one part.

    A part has one image for 540 training images, at least 20 and at most 100: ten checks an epoch then take 1 % of the
    epoch's steps, and 3 % of the smallest ones (`python -m benchmarks.diagnostics_cost`). With fewer than CHECKS parts,
    the first one follows the last.
    """
    size = min(max(training_images // 540, 20), 100)
    count = len(validation)
    parts = min(max(count // size, 1), CHECKS)
    by_class = torch.argsort(validation.targets, stable=True)
    spread = torch.arange(min(size * parts, count), device=by_class.device) * count // min(size * parts, count)
    dealt = [by_class[spread][part::parts] for part in range(parts)]
    return [Examples(validation.images[at], validation.targets[at]) for at in dealt]


class Checks:
    """Validation losses at CHECKS evenly spaced steps of the first CHECKED_EPOCHS epochs, on the device, so that no
    step waits for the host. Each is that of a part of the validation examples."""

    def __init__(self, device: torch.device) -> None:
        self.losses = torch.zeros(CHECKS, dtype=torch.float64, device=device)  # nats
        self.done = 0

    def keep(self, check: int, loss: Tensor) -> None:
        """Record the validation loss of a check, counted from 1."""
        self.losses[check - 1] = loss
        self.done = check

    @property
    def mean(self) -> float | None:
        """The mean over all checks in nats, possibly not finite; None before the last check."""
        return float(self.losses.mean()) if self.done == CHECKS else None

    def state_dict(self) -> Snapshot:
        return dict(vars(self))

    def load_state_dict(self, state: Snapshot) -> None:
        self.losses.copy_(state["losses"])
        self.done = state["done"]


@dataclass(frozen=True)
class Best:
    """The weights with the lowest validation loss so far, the earliest on ties."""

    epoch: int
    validation_loss: float
    weights: Weights


class TrainingState:
    """The state of one experiment in training, which hooks receive.

    `epochs_done` epochs are complete, and `step` steps of the next one. `snapshot()` is valid in every hook, and counts
    that hook as done: a run that goes on from it does not call it again. What a hook must find again after a resume, it
    puts into `hook_state`.
    """

    def __init__(self, spec: ExperimentSpec, data: Dataset, execution: Execution) -> None:
        self.spec = spec
        self.data = data
        self.device = torch.device(execution.device)
        self.fingerprint: Fingerprint = execution.fingerprint()
        self.labels = spec.labels
        parts = split(
            data.train_labels.cpu().numpy(), spec.dataset, spec.validation_fraction, spec.classes, spec.train_samples
        )
        self.train_positions = torch.from_numpy(parts.train).to(self.device)  # in the training set
        self.train_targets = self._targets(data.train_labels)
        self.validation = self.examples(data.train_images, data.train_labels, parts.validation)
        self.batch_size = min(spec.batch_size, len(self.train_positions))
        self.steps_per_epoch = len(self.train_positions) // self.batch_size

        self.streams = Streams(spec.seed, self.device)
        self.network = Network(spec, self.streams).to(self.device)
        self.optimizer = make_optimizer(spec, self.network)
        self.schedule = make_schedule(spec, self.optimizer)
        self.early_stopping = EarlyStopping(spec.early_stopping)
        self.epochs_done = 0
        self.step = 0
        self.totals = EpochTotals(self.device)
        self.checks = Checks(self.device)
        self.checked_parts = checked_parts(self.validation, len(self.train_positions))
        self.best: Best | None = None
        self.hook_state: Snapshot = {}
        self.stopwatch = Stopwatch()
        self.seconds_before_epoch = 0.0

    @property
    def steps_done(self) -> int:
        """The number of steps since the start of the run."""
        return self.epochs_done * self.steps_per_epoch + self.step

    @property
    def finished(self) -> bool:
        """Return whether training has ended, so that only the test set remains to be scored."""
        return self.epochs_done == self.spec.epochs or self.early_stopping.exhausted

    @property
    def seconds(self) -> float:
        """Seconds of training and evaluation, summed over all attempts."""
        return self.stopwatch.seconds

    @property
    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def order(self) -> Tensor:
        """Return positions in the training set in the order of the current epoch, int64 (n,)."""
        permutation = self.streams.order(self.epochs_done + 1, len(self.train_positions))
        return self.train_positions[permutation.to(self.device)]

    def validate(self, after_chunk: Callable[[], None] = lambda: None) -> Predictions:
        """Score the current weights on the validation set, without an effect on training."""
        return evaluate(self.network, self.validation, self.spec.output, after_chunk)

    def examples(self, images: Tensor, labels: Tensor, positions: Positions) -> Examples:
        """Return the examples at these positions of a set of images and labels."""
        at = torch.from_numpy(positions).to(self.device)
        return Examples(images[at], self._targets(labels)[at])

    def test_examples(self) -> Examples:
        """Return the examples of the test set that are of the spec's classes."""
        positions = np.flatnonzero(np.isin(self.data.test_labels.cpu().numpy(), self.labels))
        return self.examples(self.data.test_images, self.data.test_labels, positions)

    def count_epoch(self) -> None:
        """Count the current epoch as complete."""
        self.epochs_done += 1
        self.step = 0
        self.totals = EpochTotals(self.device)
        self.seconds_before_epoch = self.seconds

    def weights(self) -> Weights:
        """Return a copy of the current weights on the device."""
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def keep_best(self, validation_loss: float) -> None:
        """Keep the weights where their loss is the lowest so far. Call it after `count_epoch`."""
        if self.best is None or validation_loss < self.best.validation_loss:
            self.best = Best(self.epochs_done, validation_loss, self.weights())

    def snapshot(self) -> Snapshot:
        """Return a copy on the CPU of everything that training needs to continue bit for bit: 19 MB for the article's
        network with Adam."""
        copied: Snapshot = _on_cpu(
            {
                "format": SNAPSHOT_FORMAT,
                "epochs_done": self.epochs_done,
                "step": self.step,
                "seconds": self.seconds,
                "seconds_before_epoch": self.seconds_before_epoch,
                "fingerprint": self.fingerprint.model_dump(),
                "best": None if self.best is None else dict(vars(self.best)),
                "kept": self.hook_state,
            }
            | {name: part.state_dict() for name, part in self._parts().items()}
        )
        return copied

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot of the same spec. Raises UnknownSnapshot for one of another version of ActLab."""
        if snapshot.get("format") != SNAPSHOT_FORMAT:
            raise UnknownSnapshot(f"The snapshot has format {snapshot.get('format')}, this version {SNAPSHOT_FORMAT}.")
        for name, part in self._parts().items():
            part.load_state_dict(snapshot[name])
        self.epochs_done = snapshot["epochs_done"]
        self.step = snapshot["step"]
        self.seconds_before_epoch = snapshot["seconds_before_epoch"]
        if snapshot["best"] is not None:
            best = Best(**snapshot["best"])
            self.best = Best(best.epoch, best.validation_loss, {k: t.to(self.device) for k, t in best.weights.items()})
        self.hook_state = dict(snapshot.get("kept", {}))  # older snapshots have none
        earlier = Fingerprint(**snapshot["fingerprint"])
        mixed = earlier.mixed or not earlier.matches(self.fingerprint)
        self.fingerprint = self.fingerprint.model_copy(update={"mixed": mixed})

    def _parts(self) -> dict[str, Any]:
        """Return the objects with a state of their own by their names in a snapshot."""
        return {
            "network": self.network,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "patience": self.early_stopping,
            "streams": self.streams,
            "sums": self.totals,
            "checks": self.checks,
        }

    def _targets(self, labels: Tensor) -> Tensor:
        """Return the positions of labels in the list of classes, int64 (n,); of other labels, one that is not used."""
        return torch.searchsorted(torch.tensor(self.labels, device=self.device), labels)


def _on_cpu(tree: Any) -> Any:
    """Return a copy on the CPU that shares no memory with the original."""
    match tree:
        case Tensor():
            return tree.detach().to("cpu", copy=True)
        case dict():
            return {key: _on_cpu(value) for key, value in tree.items()}
        case list() | tuple():
            return [_on_cpu(value) for value in tree]
    return tree
