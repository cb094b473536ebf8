"""Measure the effect of the variables of worker/environment.py on the time of three epochs of mnist_5k.

    python -m benchmarks.environment [--rounds 5] [--busy]

Runs with and without them take turns. `--busy` keeps one processor busy, as a browser or another worker would.
"""

import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version

import typer

from worker.environment import VARIABLES

ALLOCATOR = {name: value for name, value in VARIABLES.items() if name.startswith("MALLOC")}
WAITING = {name: value for name, value in VARIABLES.items() if name.startswith("OMP")}
SETTINGS = {"plain": {}, "allocator": ALLOCATOR, "waiting": WAITING, "both": VARIABLES}

ONE_RUN = """
import pathlib, tempfile
from service.datasets.locations import Locations
from service.domain.spec import ExperimentSpec
from worker.training.datasets.tensors import load
from worker.training.loop import train
from worker.training.execution import Execution
spec = ExperimentSpec.model_validate({"activation": "relu", "dataset": "mnist_5k", "epochs": 3})
data = load("mnist_5k", Locations(pathlib.Path(tempfile.gettempdir())))
print(train(spec, data, Execution.resolve(spec, device="cpu")).result.seconds)
"""


def main(rounds: int = 5, busy: bool = False) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in SETTINGS}
    with busy_processor(busy):
        for _ in range(rounds):
            for name, variables in SETTINGS.items():
                seconds[name].append(one_run(variables))
    report(seconds, busy)


def one_run(variables: dict[str, str]) -> float:
    """Return the seconds of training, without start-up, in a process with these variables."""
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    process = subprocess.run([sys.executable, "-c", ONE_RUN], env=clean | variables, check=True, capture_output=True)
    return float(process.stdout)


@contextmanager
def busy_processor(enabled: bool) -> Iterator[None]:
    process = multiprocessing.Process(target=spin, daemon=True)
    if enabled:
        process.start()
    yield
    if enabled:
        process.terminate()


def spin() -> None:
    while True:
        pass


def report(seconds: dict[str, list[float]], busy: bool) -> None:
    plain = statistics.median(seconds["plain"])
    load = "one processor kept busy" if busy else "nothing else running"
    typer.echo(f"{platform.machine()}, {os.cpu_count()} cores, {load}, torch {version('torch')}, 3 epochs of mnist_5k")
    for name, runs in seconds.items():
        median = statistics.median(runs)
        spread = f"{min(runs):.2f} to {max(runs):.2f}"
        typer.echo(
            f"{name:<10} median {median:6.2f} s ({spread}, n = {len(runs)}), plain / this = {plain / median:.2f}"
        )


if __name__ == "__main__":
    typer.run(main)
