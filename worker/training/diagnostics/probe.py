"""The images that diagnostics are measured on, and a pass through a network that leaves training undisturbed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from service.datasets.stratified import Positions, stratified
from worker.training.evaluation import Examples, scaled
from worker.training.model import Network
from worker.training.state import TrainingState

BATCH = 125
"""Images at a time: about a batch of training, because batch normalisation takes its statistics of them."""

LEAST_IMAGES, MOST_IMAGES = 200, 1000


def probe_size(training_images: int) -> int:
    """Return the number of images in the probe of a run, as far as it has so many.

    The measurement then takes 2 % of an epoch of 20,000 images or more, and 11 % of one of 3,600
    (`python -m benchmarks.diagnostics_cost`).
    """
    return min(max(BATCH * (training_images // 5700 - 1), LEAST_IMAGES), MOST_IMAGES)


def probe(state: TrainingState) -> list[Examples]:
    """Return `probe_size` of the run's training images, or all where they are fewer, each class in proportion."""
    labels = _labels(state)
    chosen, _ = stratified(labels, min(probe_size(len(labels)), len(labels)), state.spec.dataset)
    return dealt(state, labels, chosen)


def training_set(state: TrainingState) -> list[Examples]:
    """Return all of the run's training images, in batches such as those of the probe."""
    labels = _labels(state)
    return dealt(state, labels, np.arange(len(labels)))


def _labels(state: TrainingState) -> NDArray[np.integer]:
    labels: NDArray[np.integer] = state.data.train_labels[state.train_positions].cpu().numpy()
    return labels


def dealt(state: TrainingState, labels: NDArray[np.integer], chosen: Positions) -> list[Examples]:
    """Deal the images out to batches class by class, because a data set may be sorted by class."""
    by_class = chosen[np.argsort(labels[chosen], kind="stable")]
    positions = state.train_positions.cpu().numpy()
    count = -(-len(by_class) // BATCH)
    data = state.data
    return [
        state.examples(data.train_images, data.train_labels, positions[np.sort(by_class[first::count])])
        for first in range(count)
    ]


@contextmanager
def probing(network: Network) -> Iterator[None]:
    """Turn drop-out off, set random slopes to their mean, and let batch normalisation use the batch's statistics.

    The network's mode is restored afterwards.
    """
    training = network.training
    network.eval()
    for norm in network.norms():
        norm.train()
    try:
        yield
    finally:
        network.train(training)


@dataclass(frozen=True)
class Passage:
    """The logits (N, outputs) of one batch, and the inputs and outputs of each block's activation by the block's name.

    `before` and `after` have shape (N, units, ...), which is that before pooling.
    """

    logits: Tensor
    before: dict[str, Tensor]
    after: dict[str, Tensor]


def pass_through(network: Network, images: Tensor) -> Passage:
    """Pass images, uint8 (N, channels, height, width), through a network that is being probed.

    Autograd records it where it is on. Running statistics stay as they are.
    """
    blocks = network.named_blocks()
    before: dict[str, Tensor] = {}
    after: dict[str, Tensor] = {}
    hooks = []
    for name, block in blocks.items():
        hooks.append(block.norm.register_forward_hook(_Recorder(before, name)))
        hooks.append(block.activation.register_forward_hook(_Recorder(after, name)))
    spare = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        logits: Tensor = functional_call(network, spare, (scaled(images),))
    finally:
        for hook in hooks:
            hook.remove()
    with torch.no_grad():
        for name, block in blocks.items():
            before[name] = before[name].detach()
            # Where pooling went first, the activation has seen a quarter of the elements.
            after[name] = block.activation(before[name]) if block.pool_first else after[name].detach()
    return Passage(logits, before, after)


class _Recorder:
    """A forward hook that stores a module's output in a dictionary."""

    def __init__(self, outputs: dict[str, Tensor], name: str) -> None:
        self._outputs, self._name = outputs, name

    def __call__(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        self._outputs[self._name] = output
