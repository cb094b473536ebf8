"""Compare the rates of ActLab, FastTrackML and MLflow, and the training loop with a plain one.

python -m benchmarks.peers [--runs 300] [--runs 3000] [--seconds 3] [--folder .peers]

makes a virtual environment for each peer, starts the trackers one after the other, puts finished runs of 20 epochs into
each, and measures reads by wrk and writes by one connection. All ratios are of one run of this command.
"""

import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.peers import load
from benchmarks.peers.actlab import ActLab
from benchmarks.peers.environments import NotInstallable
from benchmarks.peers.mlflow_api import MlflowTracker
from benchmarks.peers.tracker import EPOCHS, PAGE, Served, Tracker

WRITE_SECONDS = 5.0
LABELS = {
    "run": "read one run, 8 connections",
    "history": "read the history of a run, 8 connections",
    "page": f"filter and sort, {PAGE} of {{runs:,}}, 4 connections",
    "write": f"create, record {EPOCHS} epochs one by one, finish",
}

Rates = Mapping[str, float]


def main(
    runs: Annotated[list[int], typer.Option(help="Runs of each tracker, in rising order.")] = [300, 3000],  # noqa: B006
    seconds: Annotated[float, typer.Option(help="Seconds of each measurement of reads.")] = 3.0,
    folder: Annotated[Path, typer.Option(help="Folder of the virtual environments; kept.")] = Path(".peers"),
    training: Annotated[bool, typer.Option(help="Compare the training loop as well.")] = True,
) -> None:
    """Print a table of rates and of their ratios to ActLab's."""
    load.check()
    rates: dict[str, Rates] = {}
    for tracker in _trackers(folder.absolute()):
        try:
            rates[tracker.name] = measure(tracker, sorted(runs), seconds)
        except NotInstallable as error:
            typer.echo(f"{tracker.name} is left out: {error}")
        else:
            typer.echo(f"{tracker.name}: a committed write survives {tracker.promise}")
    Console(width=120).print(table(rates))
    if training:
        subprocess.run([sys.executable, "-m", "benchmarks.epoch_time", "--rounds", "5"], check=True)


def _trackers(folder: Path) -> list[Tracker]:
    database = "sqlite:///{database}"
    return [
        MlflowTracker(
            "mlflow",
            "3.17.2",
            ["mlflow", "server", "--port", "{port}", "--workers", "2", "--backend-store-uri", database],
            "a power cut: SQLite with a rollback journal, synced at each commit",
            folder,
        ),
        # Its driver opens SQLite with `synchronous=NORMAL`, which in WAL mode syncs at checkpoints alone: strace
        # counted 3 calls of fsync for 210 commits.
        MlflowTracker(
            "fasttrackml",
            "0.6.0",
            ["fml", "server", "-a", "localhost:{port}", "-d", "sqlite://{database}"],
            "a killed process, but no power cut: SQLite in WAL mode is not synced at a commit",
            folder,
        ),
        ActLab(),
    ]


def measure(tracker: Tracker, runs: list[int], seconds: float) -> Rates:
    """Return the rates of a tracker per second, by the label of the measurement. Raises NotInstallable."""
    rates = {}
    with tempfile.TemporaryDirectory() as home, tracker.running(Path(home)) as served:
        for count in runs:
            served.fill(count)
            for name, read in served.reads().items():
                rates[_label(name, count, runs)] = load.rate(read, seconds)
        rates[LABELS["write"]] = _writes(served)
    return rates


def _label(name: str, count: int, runs: list[int]) -> str:
    label = LABELS[name].format(runs=count)
    return label if name == "page" or count == runs[0] else f"{label}, {count:,} runs"


def _writes(served: Served) -> float:
    """Return the runs per second that one connection writes."""
    served.write()  # the first one warms up
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < WRITE_SECONDS:
        served.write()
        done += 1
    return done / elapsed


def table(rates: Mapping[str, Rates]) -> Table:
    """Return a table of the rates, with the ratio of the last tracker to each of the others."""
    *peers, ours = rates
    shown = Table("per second", *rates, *(f"ratio to {peer}" for peer in peers))
    by_label: dict[str, dict[str, float]] = defaultdict(dict)
    for name, measured in rates.items():
        for label, rate in measured.items():
            by_label[label][name] = rate
    for label, row in by_label.items():
        ratios = [f"{row[ours] / row[peer]:.2f}" for peer in peers]
        shown.add_row(label, *(f"{row[name]:,.1f}" for name in rates), *ratios)
    return shown


if __name__ == "__main__":
    typer.run(main)
