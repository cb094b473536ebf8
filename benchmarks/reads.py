"""Measure what the API answers a second: single records, histories and pages, by one process and by several.

python -m benchmarks.reads [--sizes 300 --sizes 3000] [--processes 1 --processes 2] [--seconds 3] [--rounds 3]

It needs wrk (Debian: apt-get install wrk), which takes less of the machine than a client in Python would. Every route
is asked for other records in turn. The rates are medians of rounds, in which all routes take turns, so that other load
on the machine affects all alike; `empty` is the route /healthz of the same server.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import psutil
import typer

from benchmarks.filling import fill, id_of
from benchmarks.footprint import free_port
from benchmarks.served import child, epoch_figures, start
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.queue import transitions

ASKED = 300
"""Experiments that are asked for in turn."""

CHANGE_SECONDS = 0.5
NO_CACHE = "Cache-Control: no-cache"
SCRIPT = """
local paths, place = {{{paths}}}, 0
request = function()
  place = place % #paths + 1
  return wrk.format("GET", paths[place])
end
"""


@dataclass(frozen=True)
class Route:
    """A question, the connections that ask it, and whether an experiment records epochs meanwhile."""

    title: str
    paths: Sequence[str]
    connections: int = 8
    header: str = ""
    changing: bool = False


def routes(size: int) -> list[Route]:
    ids = [id_of(number) for number in range(0, size, max(1, size // ASKED))][:ASKED]
    own = [f"/api/v1/experiments/{id}" for id in ids]
    page = [f"/api/v1/experiments?activation={name}&sort=-test_accuracy&limit=50"
            for name in ("relu", "sigmoid", "tanh", "leaky_relu", "swish")]  # fmt: skip
    return [
        Route("empty", ["/healthz"]),
        Route("an experiment", own),
        Route("the same, from the database", own, header=NO_CACHE),
        Route("history of 20 epochs", [f"{path}/metrics" for path in own]),
        Route("page of 50, filtered and sorted", page, connections=4),
        Route("the same, while epochs are recorded", page, connections=4, changing=True),
        Route("the same, from the database", page, connections=4, header=NO_CACHE),
    ]


@contextmanager
def serving(home: Path, processes: int) -> Iterator[tuple[int, psutil.Process]]:
    """Run `actlab serve` in a home, and yield its port and its process."""
    port = free_port()
    settings = {"ACTLAB_HOME": str(home), "ACTLAB_PORT": str(port), "ACTLAB_LOG_LEVEL": "error",
                "ACTLAB_DATABASE_URL": "", "ACTLAB_API_PROCESSES": str(processes),
                "ACTLAB_REAP_SECONDS": "600"}  # fmt: skip
    with child([sys.executable, "-m", "actlab", "serve"], os.environ | settings, port, "/healthz") as process:
        yield port, psutil.Process(process.pid)


def rate(port: int, route: Route, seconds: float) -> float:
    """Return the requests per second that are answered. Raises RuntimeError where some are refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT.format(paths=", ".join(f'"{path}"' for path in route.paths)))
        script.flush()
        command = ["wrk", "-t1", f"-c{route.connections}", f"-d{seconds:g}s", "-s", script.name]
        header = ["-H", route.header] if route.header else []
        done = subprocess.run(
            [*command, *header, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        )
    answered = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if answered is None or "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    return float(answered[1])


@contextmanager
def recording(database: Database, first: int) -> Iterator[None]:
    """Record an epoch of a running experiment every CHANGE_SECONDS within the block."""
    fence = database.run("start", start)
    stop = threading.Event()

    def record() -> None:
        for epoch in range(first, first + 1000):
            if stop.wait(CHANGE_SECONDS):
                return
            database.run("epoch", partial(transitions.record_epoch, fence=fence, figures=epoch_figures(epoch)))

    thread = threading.Thread(target=record)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measure(database: Database, home: Path, size: int, processes: int, seconds: float, rounds: int) -> list[float]:
    """Return the median rate of each route, and print the memory of the processes."""
    rates: list[list[float]] = [[] for _ in routes(size)]
    with serving(home, processes) as (port, process):
        for round in range(rounds):
            for place, route in enumerate(routes(size)):
                rates[place].append(_rate(database, port, route, seconds, first=1 + 1000 * round))
        servers = process.children() or [process]
        memory = [server.memory_full_info() for server in servers]
    resident = ", ".join(f"{info.rss / 2**20:.0f} MiB ({info.pss / 2**20:.0f} with its share)" for info in memory)
    typer.echo(f"{size:,} experiments, {processes} processes: resident {resident}")
    return [statistics.median(of_route) for of_route in rates]


def _rate(database: Database, port: int, route: Route, seconds: float, first: int) -> float:
    if not route.changing:
        return rate(port, route, seconds)
    with recording(database, first):
        return rate(port, route, seconds)


def main(
    sizes: Annotated[list[int] | None, typer.Option(min=ASKED, help="Experiments; may be repeated.")] = None,
    processes: Annotated[list[int] | None, typer.Option(min=1, help="API processes; may be repeated.")] = None,
    seconds: Annotated[float, typer.Option(help="Seconds of one measurement.")] = 3.0,
    rounds: Annotated[int, typer.Option(help="Measurements of each route.")] = 3,
) -> None:
    """Print requests per second."""
    if shutil.which("wrk") is None:
        raise typer.BadParameter("wrk is not installed (Debian: apt-get install wrk).")
    for size in sizes or [300, 3000]:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder) / 'actlab.db'}")
            migrate.upgrade(database)
            fill(database, size)
            numbers = processes or [1, 2]
            columns = [measure(database, Path(folder), size, number, seconds, rounds) for number in numbers]
            database.close()
        typer.echo(f"{'requests/s':<38}" + "".join(f"{f'{number} proc.':>12}{'of empty':>10}" for number in numbers))
        for place, route in enumerate(routes(size)):
            cells = (f"{column[place]:>12,.0f}{column[place] / column[0]:>10.2f}" for column in columns)
            typer.echo(f"{route.title:<38}{''.join(cells)}")


if __name__ == "__main__":
    typer.run(main)
