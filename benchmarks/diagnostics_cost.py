"""Measure the time of diagnostics as a share of an epoch, within one run on real images.

In turn are timed some training steps, the diagnostics of the end of an epoch, and the ten checks of the validation loss
in each of the first two epochs. The share is the time of both divided by that of the steps, scaled to the number of
steps of an epoch; the time of validation is left out, so that the share is rather too large. Processor time is printed
beside wall-clock time, as other load on the machine affects it less. Targets: at most 3 % for data sets above 20,000
images, and 15 % below.

    ACTLAB_DATA_DIR=... python -m benchmarks.diagnostics_cost --activation relu --rounds 8 --steps 10
"""

import os
import statistics
import time
from pathlib import Path

import typer

from service.datasets.locations import Locations
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import load
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.evaluation import mean_loss
from worker.training.execution import Execution
from worker.training.loop import Callbacks, train
from worker.training.state import CHECKED_EPOCHS, CHECKS, TrainingState

Seconds = tuple[float, float]
"""Wall-clock time and processor time."""


class EnoughRounds(Exception):
    """Raised after the last pair has been timed, to stop training."""


class TimedPairs(Callbacks):
    """Times `rounds` pairs of steps and diagnostics, after one that warms up. The spec has diagnostics off, so that the
    steps include none."""

    def __init__(self, rounds: int, steps: int) -> None:
        self.rounds, self.steps = rounds, steps
        self.diagnostics = Diagnostics()
        self.epochs: list[Seconds] = []  # of the steps of an epoch
        self.costs: list[Seconds] = []
        self.checks: list[Seconds] = []  # of an epoch
        self.last = now()

    def on_step(self, state: TrainingState) -> None:
        self.diagnostics.on_step(state)
        if state.steps_done % self.steps:
            return
        scale = state.steps_per_epoch / self.steps
        self.epochs.append(tuple(scale * part for part in since(self.last)))  # type: ignore[arg-type]
        started = now()
        self.diagnostics.measure(state)
        self.costs.append(since(started))
        started = now()
        for check in range(CHECKS // CHECKED_EPOCHS):
            part = state.checked_parts[check % len(state.checked_parts)]
            mean_loss(state.network, part, state.spec.output)
        self.checks.append(since(started))
        if len(self.costs) > self.rounds:
            raise EnoughRounds
        self.last = now()


def now() -> Seconds:
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    clock, processors = now()
    return clock - start[0], processors - start[1]


def main(
    datasets: list[str] = typer.Option(["mnist_5k", "mnist"], "--dataset"),
    activation: str = "relu",
    rounds: int = 8,
    steps: int = 10,
    threads: int | None = None,
) -> None:
    data_dir = os.environ.get("ACTLAB_DATA_DIR")
    locations = Locations(home=Path(".actlab"), data_dir=None if data_dir is None else Path(data_dir))
    for dataset in datasets:
        spec = ExperimentSpec.model_validate({"activation": activation, "dataset": dataset, "diagnostics": False})
        execution = Execution.resolve(spec, threads=threads)
        pairs = TimedPairs(rounds, steps)
        try:
            train(spec, load(dataset, locations).to(execution.device), execution, pairs)
        except EnoughRounds:
            report(pairs, execution, dataset, activation)


def report(timed: TimedPairs, execution: Execution, dataset: str, activation: str) -> None:
    typer.echo(execution.fingerprint().model_dump_json(exclude={"mixed"}))
    typer.echo(f"{dataset}, {activation}, n = {timed.rounds} rounds of {timed.steps} steps; medians (least to most):")
    for kind, label in enumerate(("clock", "processors")):
        epochs, costs, checks = (
            [times[kind] for times in part[1:]] for part in (timed.epochs, timed.costs, timed.checks)
        )
        shares = [(cost + checked) / epoch for epoch, cost, checked in zip(epochs, costs, checks, strict=True)]
        typer.echo(
            f"{label:<10} an epoch {statistics.median(epochs):.2f} s, diagnostics {statistics.median(costs):.3f} s,"
            f" checks {statistics.median(checks):.3f} s, share {statistics.median(shares):.2%}"
            f" ({min(shares):.2%} to {max(shares):.2%})"
        )


if __name__ == "__main__":
    typer.run(main)
