"""What following changes costs: polls answered 304 against an empty route of the same framework, and many listeners.

python -m benchmarks.live [--rounds 7] [--listeners 300] [--epochs 20] [--database URL]
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import psutil
import typer
from fastapi import FastAPI, Response
from sqlalchemy.orm import Session

from benchmarks.footprint import free_port, wait_for
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSubmission
from service.storage import experiments, lifecycle, schema
from service.storage.base import new_id
from service.storage.database import Database
from service.storage.leases import Fence

CONNECTIONS = 8
ROUND_SECONDS = 2.0
PAUSE_SECONDS = 0.5  # between two epochs
LEASE_SECONDS = 3600  # nobody renews it


def main(rounds: int = 7, listeners: int = 300, epochs: int = 20, database: str = "") -> None:
    with tempfile.TemporaryDirectory() as home, serving(Path(home), database) as api:
        asyncio.run(polls(api, rounds))
        told = asyncio.run(listen(api, listeners, epochs))
        typer.echo(told.report())


# --- the service, with one experiment that runs --------------------------------------------------------------------


@dataclass(frozen=True)
class Api:
    port: int
    process: psutil.Process
    database: Database
    fence: Fence

    @property
    def path(self) -> str:
        return f"/api/v1/experiments/{self.fence.id}"

    def record(self, epoch: int) -> None:
        figures = EpochMetrics(
            epoch=epoch, train_loss=0.5, train_accuracy=0.8, validation_loss=0.4, validation_accuracy=0.9, l2=0.01,
            learning_rate=1e-3, seconds=1.0, images_per_second=1000.0,
        )  # fmt: skip
        self.database.run("epoch", lambda session: lifecycle.record_epoch(session, self.fence, figures))


@contextmanager
def serving(home: Path, database_url: str = "") -> Iterator[Api]:
    """`actlab serve` on a database of its own, in which one experiment is running."""
    database = Database(database_url or f"sqlite:///{home / 'actlab.db'}")
    schema.upgrade(database)
    fence = database.run("start", _start)
    port = free_port()
    settings = {"ACTLAB_HOME": str(home), "ACTLAB_PORT": str(port), "ACTLAB_LOG_LEVEL": "error",
                "ACTLAB_LEASE_SECONDS": str(LEASE_SECONDS),
                "ACTLAB_DATABASE_URL": str(database.engine.url.render_as_string(hide_password=False))}  # fmt: skip
    with _child([sys.executable, "-m", "actlab", "serve"], os.environ | settings, port, "/healthz") as process:
        yield Api(port, psutil.Process(process.pid), database, fence)
    database.close()


def _start(session: Session) -> Fence:
    submission = ExperimentSubmission.model_validate({"activation": "relu", "epochs": 1000})
    experiments.create(session, "local", submission, id=new_id())
    (claim,) = lifecycle.claim(session, "benchmark", 1, LEASE_SECONDS)
    return claim.fence


@contextmanager
def _child(
    command: Sequence[str], environment: dict[str, str], port: int, path: str
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=environment)
    try:
        wait_for(lambda: _answers(port, path))
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


# --- polls ---------------------------------------------------------------------------------------------------------


def empty() -> FastAPI:
    """The peer: what the framework itself costs."""
    app = FastAPI()

    @app.get("/")
    async def nothing() -> Response:
        return Response()

    return app


@dataclass
class Round:
    """Seconds of each request, and how many were answered with each status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests a second, over all connections."""
        return len(self.seconds) / ROUND_SECONDS


async def polls(api: Api, rounds: int) -> None:
    """In turns, so that both meet the same machine; in a third kind of round the experiment changes twice a second."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.live:empty", "--port", str(port),
               "--no-access-log", "--log-level", "error"]  # fmt: skip
    with _child(command, dict(os.environ), port, "/"):
        peer, ours, busy = [], [], []
        for round in range(rounds + 1):
            measured = (await _round(port, "/", ""), await _round(api.port, api.path, await _etag(api)))
            changing = asyncio.create_task(_change(api, round))
            watched = await _round(api.port, api.path, await _etag(api), follow=True)
            await changing
            if round:  # the first warms up
                peer.append(measured[0])
                ours.append(measured[1])
                busy.append(watched)
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(ours, peer, strict=True)]
    typer.echo(f"empty route        {_line(peer)}")
    typer.echo(f"poll answered 304  {_line(ours)}")
    typer.echo(f"poll of a changing {_line(busy)}")
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}, n = {rounds}"
    typer.echo(f"ratio of rates, pair by pair: {statistics.median(ratios):.2f} ({spread})")


def _line(rounds: Sequence[Round]) -> str:
    rate = statistics.median(round.rate for round in rounds)
    seconds = sorted(second for round in rounds for second in round.seconds)
    asked = sum(len(round.seconds) for round in rounds)
    unchanged = sum(round.statuses.get(304, 0) for round in rounds) / asked
    p50, p99 = (seconds[int(len(seconds) * share)] * 1000 for share in (0.5, 0.99))
    return f"{rate:6.0f} requests/s, median {p50:.2f} ms, 99% {p99:.2f} ms, {unchanged:.1%} are 304s"


async def _change(api: Api, round: int) -> None:
    for step in range(4):
        await asyncio.sleep(ROUND_SECONDS / 4)
        await asyncio.to_thread(api.record, round * 4 + step + 1)


async def _etag(api: Api) -> str:
    found = Round()
    return await _ask(api.port, api.path, "", found, until=0.0)


async def _round(port: int, path: str, etag: str, follow: bool = False) -> Round:
    """As many requests as get answered, one after another on each connection. `follow`: send the newest ETag."""
    found = Round()
    until = time.perf_counter() + ROUND_SECONDS
    await asyncio.gather(*(_ask(port, path, etag, found, until, follow) for _ in range(CONNECTIONS)))
    return found


async def _ask(port: int, path: str, etag: str, found: Round, until: float, follow: bool = False) -> str:
    """Ask once, and again until then; the last ETag."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = etag
    while True:
        begun = time.perf_counter()
        writer.write(_request(path, f"If-None-Match: {sent}\r\n" if sent else ""))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, headers = _parsed(head)
        await reader.readexactly(int(headers.get("content-length", 0)) if status != 304 else 0)
        found.seconds.append(time.perf_counter() - begun)
        found.statuses[status] = found.statuses.get(status, 0) + 1
        etag = headers.get("etag", "")
        sent = etag if follow else sent
        if time.perf_counter() >= until:
            await _hang_up(writer)
            return etag


def _request(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


def _parsed(head: str) -> tuple[int, dict[str, str]]:
    first, *lines = head.strip().split("\r\n")
    return int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}


# --- listeners -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """Of each epoch: seconds from its commit until the last listener, and until the median one, had it."""

    listeners: int
    last: list[float]
    median: list[float]
    broken: int
    bytes_before: int
    bytes_first: int
    bytes_last: int

    def report(self) -> str:
        mib = [size / 2**20 for size in (self.bytes_before, self.bytes_first, self.bytes_last)]
        return (
            f"{self.listeners} listeners: an epoch is with the last of them after {max(self.last):.2f} s at most"
            f" (median {statistics.median(self.last):.2f} s, n = {len(self.last)}), with half of them after"
            f" {statistics.median(self.median):.2f} s; {self.broken} broken off;"
            f" resident {mib[0]:.0f} MiB without them, {mib[1]:.0f} with them, {mib[2]:.0f} at the end"
        )


async def listen(api: Api, listeners: int, epochs: int, first: int = 500) -> Told:
    """Let so many clients follow everything while epochs are recorded, and see when each hears of each."""
    before = api.process.memory_info().rss
    heard: list[dict[int, float]] = [{} for _ in range(listeners)]
    begun = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(_listener(api, heard[number], begun)) for number in range(listeners)]
    for _ in range(listeners):
        await asyncio.wait_for(begun.acquire(), 60)
    committed: dict[int, float] = {}
    with_them = 0
    for epoch in range(first, first + epochs):
        await asyncio.to_thread(api.record, epoch)
        committed[epoch] = time.perf_counter()
        await _until(partial(_all_know, heard, epoch), 20.0)
        with_them = with_them or api.process.memory_info().rss
        await asyncio.sleep(PAUSE_SECONDS)
    broken = sum(task.done() for task in tasks)
    resident = api.process.memory_info().rss
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    took = {epoch: sorted(one.get(epoch, float("inf")) - at for one in heard) for epoch, at in committed.items()}
    last, median = [each[-1] for each in took.values()], [each[len(each) // 2] for each in took.values()]
    return Told(listeners, last, median, broken, before, with_them, resident)


async def _listener(api: Api, heard: dict[int, float], begun: asyncio.Semaphore) -> None:
    """Notes when it first hears of each epoch; ends only where the stream does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    try:
        writer.write(_request("/api/v1/events?kind=metrics"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if _parsed(head)[0] != 200:
            raise RuntimeError(head)
        await reader.readuntil(b"id: ")
        begun.release()
        while True:
            await reader.readuntil(b'"epoch":')
            heard.setdefault(int((await reader.readuntil(b","))[:-1]), time.perf_counter())
    finally:
        await _hang_up(writer)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


def _all_know(heard: Sequence[dict[int, float]], epoch: int) -> bool:
    return all(epoch in one for one in heard)


async def _until(look: Callable[[], bool], seconds: float) -> None:
    deadline = time.perf_counter() + seconds
    while not look() and time.perf_counter() < deadline:
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    typer.run(main)
