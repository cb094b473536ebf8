"""Show the error that a smaller probe and smaller checks bring.

After each epoch of a run the layers are measured on several probes of the present size, on some of 1,000 images with
500 for gradients, and on all training images. Printed are the distance of the mean of the probes from the figure of all
images, and the standard deviation between probes, both relative but for shares. Then runs of some seeds measure the
early loss by the parts of the validation set, and by the whole of it: printed is the difference between two
activations, by seed.

    python -m benchmarks.diagnostics_error [--dataset mnist_5k] [--draws 6] [--seeds 3]
"""

import math
import os
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from service.datasets.locations import Locations
from service.datasets.stratified import stratified
from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import Dataset, load
from worker.training.diagnostics import measurement, probe
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.execution import Execution
from worker.training.loop import Callbacks, train
from worker.training.state import TrainingState

MEASURES = ("zero_share", "sd_before", "mean_after", "gradient_rms", "dead_share", "inactive_share")


class Measured(Callbacks):
    """Measures the layers after each epoch on probes of several sizes."""

    def __init__(self, draws: int) -> None:
        self.draws = draws

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        images = len(state.train_positions)
        whole = of_probe(state, images, images, 0)
        for size, graded in ((probe.probe_size(images), measurement.GRADIENT_BATCHES), (1000, 4)):
            drawn = [of_probe(state, size, graded, draw) for draw in range(self.draws)]
            report(state.epochs_done, size, graded, drawn, whole)


def of_probe(state: TrainingState, images: int, graded: int, draw: int) -> list[LayerDiagnostics]:
    """Measure the layers on so many stratified images, which depend on the number of the draw."""
    diagnostics = Diagnostics()
    labels = state.data.train_labels[state.train_positions].cpu().numpy()
    chosen, _ = stratified(labels, images, f"draw {draw}")
    diagnostics.use(probe.dealt(state, labels, chosen), graded)
    return diagnostics.measure(state)


def report(
    epoch: int, images: int, graded: int, drawn: Sequence[list[LayerDiagnostics]], whole: list[LayerDiagnostics]
) -> None:
    typer.echo(f"epoch {epoch}, {images} images, gradients of {graded} batches: bias, and deviation between probes")
    for number, layer in enumerate(whole):
        cells = []
        for name in MEASURES:
            exact, values = getattr(layer, name), [getattr(layers[number], name) for layers in drawn]
            if exact is not None and None not in values:
                unit = abs(exact) if name in ("sd_before", "mean_after", "gradient_rms") and exact else 1.0
                bias, deviation = (statistics.fmean(values) - exact) / unit, statistics.pstdev(values) / unit
                cells.append(f"{name} {exact:.4g} {bias:+.2%} {deviation:.2%}")
        typer.echo(f"  {layer.layer:<8} {'; '.join(cells)}")


class WholeChecks(Callbacks):
    """Measures the loss of the whole validation set at each check, as before version 0.3.0."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_step(self, state: TrainingState) -> None:
        if state.checks.done > len(self.losses):
            self.losses += [state.validate().loss] * (state.checks.done - len(self.losses))


def early_losses(dataset: str, activation: str, seed: int, data: Dataset) -> tuple[float, float]:
    """Return the logarithm of the early loss by the parts of the validation set, and by the whole of it."""
    spec = ExperimentSpec.model_validate({"activation": activation, "dataset": dataset, "epochs": 2, "seed": seed})
    whole = WholeChecks()
    result = train(spec, data, Execution.resolve(spec, device="cpu"), whole).result
    return math.log(result.early_loss or math.nan), math.log(statistics.fmean(whole.losses))


def main(dataset: str = "mnist_5k", draws: int = 6, seeds: int = 3) -> None:
    data_dir = os.environ.get("ACTLAB_DATA_DIR")
    data = load(dataset, Locations(home=Path(".actlab"), data_dir=None if data_dir is None else Path(data_dir)))
    spec = ExperimentSpec.model_validate({"activation": "relu", "dataset": dataset, "epochs": 1, "diagnostics": False})
    train(spec, data, Execution.resolve(spec, device="cpu"), Measured(draws))
    logs = {
        name: np.array([early_losses(dataset, name, seed, data) for seed in range(seeds)]) for name in ("relu", "tanh")
    }
    for column, label in enumerate(("parts", "whole")):
        columns = {name: values[:, column] for name, values in logs.items()}
        paired = columns["tanh"] - columns["relu"]
        typer.echo(
            f"ln early loss by {label}: relu {columns['relu'].mean():.3f}, tanh {columns['tanh'].mean():.3f}, paired"
            f" difference {paired.mean():.3f}, deviation between seeds {paired.std(ddof=1):.3f}"
        )
    error = np.concatenate([values[:, 0] - values[:, 1] for values in logs.values()])
    typer.echo(f"parts - whole: mean {error.mean():+.3f}, deviation {error.std(ddof=1):.3f}, n = {len(error)}")


if __name__ == "__main__":
    typer.run(main)
