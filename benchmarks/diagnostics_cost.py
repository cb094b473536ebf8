"""What diagnostics cost, as a share of an epoch: both timed in turn within one run on real images.

Some training steps, then the diagnostics of an epoch's end, and again. A pair's share is the seconds of the diagnostics
over those of as many such steps as an epoch has; validation, which an epoch has too, is left out in its favour. Beside
the clock's seconds stand the processor's, which other load on the machine disturbs less. Target: at most 3 %.

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
"""By the clock, and of the processors."""


class Enough(Exception):
    pass


class Turns(Callbacks):
    """`rounds` pairs, after one that warms up. Without them in the spec, the early checks stay out of the steps."""

    def __init__(self, rounds: int, steps: int) -> None:
        self.rounds, self.steps = rounds, steps
        self.diagnostics = Diagnostics()
        self.epochs: list[Seconds] = []  # of the steps alone, as many as an epoch has
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
            raise Enough
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
    given = os.environ.get("ACTLAB_DATA_DIR")
    data = load(dataset, Locations(home=Path(".actlab"), data_dir=None if given is None else Path(given)))
    turns = Turns(rounds, steps)
    try:
        train(spec, data.to(execution.device), execution, turns)
    except Enough:
        report(turns, execution, dataset, activation)


def report(turns: Turns, execution: Execution, dataset: str, activation: str) -> None:
    typer.echo(execution.fingerprint().model_dump_json(exclude={"mixed"}))
    typer.echo(f"{dataset}, {activation}, n = {turns.rounds} pairs of {turns.steps} steps; medians (least to most):")
    for kind, label in enumerate(("clock", "processors")):
        epochs, costs = ([pair[kind] for pair in pairs[1:]] for pairs in (turns.epochs, turns.costs))
        shares = [cost / epoch for cost, epoch in zip(costs, epochs, strict=True)]
        typer.echo(
            f"{label:<10} an epoch {statistics.median(epochs):.2f} s, diagnostics {statistics.median(costs):.3f} s,"
            f" share {statistics.median(shares):.2%} ({min(shares):.2%} to {max(shares):.2%}), target 3 %"
        )


if __name__ == "__main__":
    typer.run(main)
