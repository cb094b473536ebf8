"""The scores of a network on examples, in evaluation mode and float32.

The size of a chunk depends on the device alone, so that scores do not depend on the batch size.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional as F

from service.domain.results import ClassFigures, Score
from service.domain.statistics.summary import proportion_interval
from worker.training.model import Network

CHUNKS = {"cpu": 100, "cuda": 2000}
"""Images at a time. On a CPU more leave its cache: 1,000 images took 224 ms by 100, 328 by 250, 426 by 1,000 (Xeon with
AMX, one thread, PyTorch 2.13, fastest of 6)."""


@dataclass(frozen=True)
class Examples:
    """Images as uint8 (n, channels, height, width), targets as int64 (n,): positions in the list of classes."""

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True)
class Predictions:
    """The predictions for n examples.

    `loss`: mean cross-entropy in nats, possibly not finite. `predicted`, the positions of classes, and `correct`: (n,),
    on the CPU.
    """

    loss: float
    predicted: NDArray[np.int64]
    correct: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        return float(self.correct.mean())


def scaled(images: Tensor) -> Tensor:
    """uint8 (n, channels, height, width), 0 to 255, to float32, 0 to 1."""
    return images.float().div_(255)


def losses(logits: Tensor, targets: Tensor, output: str) -> Tensor:
    """Return the loss of each example in nats, (n,), from logits (n, outputs).

    Softmax: cross-entropy. Sigmoid: binary cross-entropy, of the one unit, or summed over the units of more classes,
    each against the rest; the two kinds cannot be compared.
    """
    if output == "softmax":
        return F.cross_entropy(logits, targets, reduction="none")
    units = logits.shape[1]
    expected = targets[:, None] if units == 1 else F.one_hot(targets, units)
    return F.binary_cross_entropy_with_logits(logits, expected.to(logits.dtype), reduction="none").sum(dim=1)


def predicted_classes(logits: Tensor) -> Tensor:
    """Return the position of the most probable class, int64 (n,)."""
    return (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(dim=1)


@torch.no_grad()
def evaluate(
    network: Network,
    examples: Examples,
    output: str,
    after_chunk: Callable[[], None] = lambda: None,
    weights: Mapping[str, Tensor] | None = None,
) -> Predictions:
    """Score the network, with `weights` (parameters and running statistics by name) in place of its own if they are
    passed. The network is left as it was, also where `after_chunk` raises."""
    loss = torch.zeros((), dtype=torch.float64, device=examples.targets.device)
    predicted = []
    with _evaluating(network):
        for images, targets in _chunks(examples):
            logits = functional_call(network, dict(weights or {}), (scaled(images),))
            loss += losses(logits, targets, output).double().sum()
            predicted.append(predicted_classes(logits))
            after_chunk()
    classes = torch.cat(predicted)
    correct = (classes == examples.targets).cpu().numpy()
    return Predictions(float(loss) / len(examples), classes.cpu().numpy(), correct)


@torch.no_grad()
def mean_loss(network: Network, examples: Examples, output: str) -> Tensor:
    """Return the loss that `evaluate` computes, float64 (). It stays on the device, so that the host does not wait."""
    total = torch.zeros((), dtype=torch.float64, device=examples.targets.device)
    with _evaluating(network):
        for images, targets in _chunks(examples):
            total += losses(network(scaled(images)), targets, output).double().sum()
    return total / len(examples)


@contextmanager
def _evaluating(network: Network) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _chunks(examples: Examples) -> Iterator[tuple[Tensor, Tensor]]:
    chunk = CHUNKS[examples.targets.device.type]
    return zip(torch.split(examples.images, chunk), torch.split(examples.targets, chunk), strict=True)


def score(predictions: Predictions, epoch: int) -> Score:
    right, all_ = int(predictions.correct.sum()), len(predictions.correct)
    return Score(
        epoch=epoch,
        test_loss=predictions.loss if np.isfinite(predictions.loss) else None,
        test_accuracy=right / all_,
        interval=proportion_interval(right, all_),
        correct=np.packbits(predictions.correct).tobytes(),
    )


def confusion_matrix(predictions: Predictions, targets: Tensor, classes: int) -> NDArray[np.int64]:
    """Return counts (classes, classes) with the true classes as rows and the predicted ones as columns."""
    cells = targets.cpu().numpy() * classes + predictions.predicted
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def class_figures(confusion: NDArray[np.int64], labels: list[int]) -> list[ClassFigures]:
    """Return precision, recall and F1 of each class; `labels` are the labels of the rows."""
    hits, support, answered = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    return [
        ClassFigures(
            label=label,
            support=int(support[row]),
            precision=_ratio(hits[row], answered[row]),
            recall=_ratio(hits[row], support[row]),
            f1=_ratio(2 * hits[row], answered[row] + support[row]),
        )
        for row, label in enumerate(labels)
    ]


def _ratio(numerator: np.int64, denominator: np.int64) -> float | None:
    return float(numerator / denominator) if denominator else None
