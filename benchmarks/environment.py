"""What the environment of worker/environment.py saves: three epochs of mnist_5k with and without it, in turn.

    python -m benchmarks.environment [--rounds 5] [--busy]

`--busy` keeps one processor busy meanwhile, as a browser or another worker would.
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
    """Seconds of training alone, in a process with these variables."""
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([sys.executable, "-c", ONE_RUN], env=clean | variables, check=True, capture_output=True)
    return float(done.stdout)


@contextmanager
def busy_processor(wanted: bool) -> Iterator[None]:
    process = multiprocessing.Process(target=spin, daemon=True)
    if wanted:
        process.start()
    yield
    if wanted:
        process.terminate()


def spin() -> None:
    while True:
        pass


def report(seconds: dict[str, list[float]], busy: bool) -> None:
    plain = statistics.median(seconds["plain"])
    load = "one processor kept busy" if busy else "nothing else running"
    typer.echo(f"{platform.machine()}, {os.cpu_count()} cores, {load}, torch {version('torch')}, 3 epochs of mnist_5k")
    for name, found in seconds.items():
        median = statistics.median(found)
        spread = f"{min(found):.2f} to {max(found):.2f}"
        typer.echo(
            f"{name:<10} median {median:6.2f} s ({spread}, n = {len(found)}), plain / this = {plain / median:.2f}"
        )


if __name__ == "__main__":
    typer.run(main)
