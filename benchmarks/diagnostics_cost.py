"""Measure the time of diagnostics as a share of an epoch, within one run on real images.

Pairs of some training steps and the diagnostics of the end of an epoch are timed in turn. The share of a pair is the
time of the diagnostics divided by that of the steps, scaled to the number of steps of an epoch; the time of validation
is left out, so that the share is rather too large. Processor time is printed beside wall-clock time, as other load on
the machine affects it less. Target: at most 3 %.

    ACTLAB_DATA_DIR=... python -m benchmarks.diagnostics_cost --activation relu --rounds 8 --steps 50
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
from worker.training.execution import Execution
from worker.training.loop import Callbacks, train
from worker.training.state import TrainingState

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
        if len(self.costs) > self.rounds:
            raise EnoughRounds
        self.last = now()


def now() -> Seconds:
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    clock, processors = now()
    return clock - start[0], processors - start[1]


def main(
    dataset: str = "mnist", activation: str = "relu", rounds: int = 8, steps: int = 50, threads: int | None = None
) -> None:
    spec = ExperimentSpec.model_validate({"activation": activation, "dataset": dataset, "diagnostics": False})
    execution = Execution.resolve(spec, threads=threads)
    data_dir = os.environ.get("ACTLAB_DATA_DIR")
    data = load(dataset, Locations(home=Path(".actlab"), data_dir=None if data_dir is None else Path(data_dir)))
    pairs = TimedPairs(rounds, steps)
    try:
        train(spec, data.to(execution.device), execution, pairs)
    except EnoughRounds:
        report(pairs, execution, dataset, activation)


def report(timed: TimedPairs, execution: Execution, dataset: str, activation: str) -> None:
    typer.echo(execution.fingerprint().model_dump_json(exclude={"mixed"}))
    typer.echo(f"{dataset}, {activation}, n = {timed.rounds} pairs of {timed.steps} steps; medians (least to most):")
    for kind, label in enumerate(("clock", "processors")):
        epochs, costs = ([pair[kind] for pair in pairs[1:]] for pairs in (timed.epochs, timed.costs))
        shares = [cost / epoch for cost, epoch in zip(costs, epochs, strict=True)]
        typer.echo(
            f"{label:<10} an epoch {statistics.median(epochs):.2f} s, diagnostics {statistics.median(costs):.3f} s,"
            f" share {statistics.median(shares):.2%} ({min(shares):.2%} to {max(shares):.2%}), target 3 %"
        )


if __name__ == "__main__":
    typer.run(main)
