"""Looking into a network without disturbing it: which images it is shown, and what passes through its layers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from worker.training.datasets.split import Positions, stratified
from worker.training.evaluation import Examples, scaled
from worker.training.model import Network
from worker.training.state import TrainingState

IMAGES = 1000
BATCH = 125
"""Images at a time, about as many as in a batch of training, since batch normalisation takes its statistics of them."""


def probe(state: TrainingState) -> list[Examples]:
    """IMAGES of the run's training images (all, if there are fewer), each class in proportion, in even batches."""
    labels = _labels(state)
    chosen, _ = stratified(labels, min(IMAGES, len(labels)), state.spec.dataset)
    return _batches(state, labels, chosen)


def training_set(state: TrainingState) -> list[Examples]:
    """All of the run's training images, in such batches."""
    labels = _labels(state)
    return _batches(state, labels, np.arange(len(labels)))


def _labels(state: TrainingState) -> NDArray[np.integer]:
    labels: NDArray[np.integer] = state.data.train_labels[state.train_positions].cpu().numpy()
    return labels


def _batches(state: TrainingState, labels: NDArray[np.integer], chosen: Positions) -> list[Examples]:
    """Dealt out class by class, because a data set may be sorted by class."""
    dealt = chosen[np.argsort(labels[chosen], kind="stable")]
    positions = state.train_positions.cpu().numpy()
    count = -(-len(dealt) // BATCH)
    data = state.data
    return [
        state.examples(data.train_images, data.train_labels, positions[np.sort(dealt[first::count])])
        for first in range(count)
    ]


@contextmanager
def probing(network: Network) -> Iterator[None]:
    """Drop-out off, random slopes at their mean, batch normalisation by the batch; afterwards as it was."""
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
    """What one batch leaves: logits (N, outputs), and for each block, by name, what entered its activation and what
    left it, (N, units, ...), before pooling."""

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
        hooks.append(block.norm.register_forward_hook(_Keep(before, name)))
        hooks.append(block.activation.register_forward_hook(_Keep(after, name)))
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


class _Keep:
    """A forward hook that leaves a module's output in a dictionary."""

    def __init__(self, kept: dict[str, Tensor], name: str) -> None:
        self._kept, self._name = kept, name

    def __call__(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        self._kept[self._name] = output
