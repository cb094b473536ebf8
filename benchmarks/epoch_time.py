"""Compare the time of an epoch with that of a plain PyTorch loop for the same network, images, batch size and threads.

The plain loop is that of the official example (https://github.com/pytorch/examples/blob/main/mnist/main.py) with the
article's network: a DataLoader, float32, `.item()` at every step. Both take turns in one process. Target: at least 3x
on CPUs with AMX or AVX512-BF16.

    python -m benchmarks.epoch_time --dataset mnist_5k --rounds 7
"""

import os
import statistics
import time
from pathlib import Path

import torch
import typer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from service.datasets.locations import Locations
from service.domain.network import layers
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import Dataset, load
from worker.training.execution import Execution
from worker.training.loop import Callbacks, train
from worker.training.state import TrainingState


class TrainingSeconds(Callbacks):
    """Records the images and the seconds of the training steps of an epoch, without validation."""

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        if metrics is not None:
            self.images = state.steps_per_epoch * state.batch_size
            self.seconds = self.images / metrics.images_per_second


def our_epoch(spec: ExperimentSpec, data: Dataset, execution: Execution) -> TrainingSeconds:
    measured = TrainingSeconds()
    train(spec, data, execution, measured)
    return measured


def plain_epoch(spec: ExperimentSpec, images: Tensor, labels: Tensor) -> float:
    """Return the seconds of one epoch over float images of shape (n, channels, height, width) from 0 to 1."""
    loader = DataLoader(TensorDataset(images, labels), batch_size=spec.batch_size, shuffle=True, drop_last=True)
    network = plain_network(spec)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, eps=1e-7, weight_decay=2e-5)
    started = time.perf_counter()
    network.train()
    for batch, targets in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(network(batch), targets)
        torch.autograd.backward(loss)
        optimizer.step()
        loss.item()
    return time.perf_counter() - started


def plain_network(spec: ExperimentSpec) -> nn.Sequential:
    activation = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU, "swish": nn.SiLU, "leaky_relu": nn.LeakyReLU}
    act = activation[spec.activation.label]
    first, second, dense, head = ((layer.inputs[0], layer.units) for layer in layers(spec))
    return nn.Sequential(
        *(nn.Conv2d(*first, 3), nn.BatchNorm2d(first[1], eps=1e-3), act()),
        *(nn.Conv2d(*second, 3), nn.BatchNorm2d(second[1], eps=1e-3), act()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(*dense), nn.BatchNorm1d(dense[1], eps=1e-3), act(), nn.Dropout(0.5), nn.Linear(*head)),
    )


def main(dataset: str = "mnist_5k", activation: str = "relu", rounds: int = 7, threads: int | None = None) -> None:
    spec = ExperimentSpec.model_validate({"activation": activation, "dataset": dataset, "epochs": 1})
    execution = Execution.resolve(spec, device="cpu", threads=threads)
    data_dir = os.environ.get("ACTLAB_DATA_DIR")
    data = load(dataset, Locations(home=Path(".actlab"), data_dir=None if data_dir is None else Path(data_dir)))
    ours, images = [], our_epoch(spec, data, execution).images  # the first run of each kind warms up
    floats, labels = data.train_images[:images].float() / 255, data.train_labels[:images]
    plain_epoch(spec, floats, labels)
    plain = []
    for _ in range(rounds):
        ours.append(our_epoch(spec, data, execution).seconds)
        plain.append(plain_epoch(spec, floats, labels))
    ratios = [theirs / mine for theirs, mine in zip(plain, ours, strict=True)]
    typer.echo(f"{execution.fingerprint().model_dump_json(exclude={'mixed'})}")
    typer.echo(f"{dataset}, {activation}, {images:,} images an epoch, batch {spec.batch_size}, n = {rounds}; medians:")
    typer.echo(f"plain {statistics.median(plain):.3f} s ({min(plain):.3f} to {max(plain):.3f})")
    typer.echo(f"ours  {statistics.median(ours):.3f} s ({min(ours):.3f} to {max(ours):.3f})")
    typer.echo(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), target 3")


if __name__ == "__main__":
    typer.run(main)
