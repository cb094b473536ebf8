"""Run a fleet on PostgreSQL and Redis: workers with a trivial step, and clients that poll.

python -m benchmarks.fleet [--minutes 5] [--workers 8] [--clients 100]

The database and the broker are servers of its own; PostgreSQL runs without fsync. As many experiments are in flight as
there are workers, so that the time from a submission to its claim is that of the wake and the claim, not of a queue.
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import typer
from httpx2 import AsyncClient, HTTPError, Limits, Response

from tests.servers import PostgresServer, RedisServer
from tests.stack.services import Service

EXPERIMENTS = "/api/v1/experiments"
NAME = "fleet"
POLL_SECONDS = 1.0
WORKERS_SECONDS = 900.0
"""The longest time that the workers may take to start, on a small machine."""
TRIVIAL = {
    "activation": "relu", "dataset": "mnist_5k", "epochs": 1, "train_samples": 20, "batch_size": 20,
    "diagnostics": False, "precision": "float32", "validation_fraction": 0.01,
    "model": {"conv_channels": [1, 1], "dense_units": 1},
}  # fmt: skip

LATENCIES = "SELECT extract(epoch FROM started_at - created_at) FROM experiments WHERE attempt = 1 ORDER BY 1"
ENDS = "SELECT status, lost_count, count(*) FROM experiments GROUP BY status, lost_count ORDER BY 1"
STATEMENTS = """
SELECT split_part(ltrim(query), ' ', 1), sum(calls) FROM pg_stat_statements
JOIN pg_database ON pg_database.oid = dbid WHERE datname = current_database() GROUP BY 1 ORDER BY 2 DESC
"""


@dataclass
class Load:
    """The figures of one run: those that the clients measured, and those that the database stores."""

    statuses: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    poll_seconds: list[float] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def note(self, response: Response) -> None:
        self.statuses[response.status_code] += 1
        if response.status_code >= 400:
            self.errors[f"{response.status_code} {response.request.method}"] += 1


class Fleet:
    """The clients of a service: those that submit one experiment after the other, and those that poll."""

    def __init__(self, client: AsyncClient, seconds: float) -> None:
        self._client = client
        self._until = time.monotonic() + seconds
        self._current: list[str] = []
        self._seed = 0
        self.load = Load()

    async def run(self, submitters: int, clients: int) -> Load:
        started = time.monotonic()
        tasks = [self._submit_again(place) for place in range(submitters)]
        self._current = [""] * submitters
        await asyncio.gather(*tasks, *(self._poll(number) for number in range(clients)))
        self.load.seconds = time.monotonic() - started
        return self.load

    async def _submit_again(self, place: int) -> None:
        while time.monotonic() < self._until:
            self._seed += 1
            response = await self._ask("POST", EXPERIMENTS, json=TRIVIAL | {"seed": self._seed})
            if response is None or response.status_code != 202:
                await asyncio.sleep(POLL_SECONDS)
                continue
            self._current[place] = id = response.json()["id"]
            await self._await_end(f"{EXPERIMENTS}/{id}")

    async def _await_end(self, path: str) -> None:
        """Wait until an experiment has ended, also past the end of the load, so that none is left."""
        deadline = self._until + WORKERS_SECONDS
        while time.monotonic() < deadline:
            response = await self._ask("GET", f"{path}?wait=10")
            if response is not None and response.status_code == 200 and response.json()["finished_at"]:
                self.load.ended[response.json()["status"]] += 1
                return
        self.load.errors["no end"] += 1

    async def _poll(self, number: int) -> None:
        """Poll one experiment after the other once a second, with the ETag of the last answer."""
        path, etag = "", ""
        await asyncio.sleep(number % 10 * POLL_SECONDS / 10)
        while time.monotonic() < self._until:
            newest = f"{EXPERIMENTS}/{self._current[number % len(self._current)]}"
            if newest != path:
                path, etag = newest, ""
            begun = time.monotonic()
            if path != f"{EXPERIMENTS}/":
                response = await self._ask("GET", path, headers={"If-None-Match": etag} if etag else {})
                self.load.poll_seconds.append(time.monotonic() - begun)
                etag = "" if response is None else response.headers.get("etag", "")
            await asyncio.sleep(max(0.0, POLL_SECONDS - (time.monotonic() - begun)))

    async def _ask(self, method: str, path: str, **options: Any) -> Response | None:
        try:
            response = await self._client.request(method, path, **options)
        except HTTPError as error:
            self.load.errors[type(error).__name__] += 1
            return None
        self.load.note(response)
        return response


def main(minutes: float = 5.0, workers: int = 8, clients: int = 100, processes: int = 2) -> None:
    """Print the errors, the latency of the queue and the statements for each experiment."""
    with tempfile.TemporaryDirectory() as folder:
        postgres, redis = PostgresServer(), RedisServer(Path(folder) / "redis").start()
        configuration = postgres.folder / "data" / "postgresql.conf"
        with configuration.open("a") as file:
            file.write("shared_preload_libraries = 'pg_stat_statements'\n")
        postgres.start()
        try:
            _measure(Path(folder) / "home", postgres, redis, minutes * 60, workers, clients, processes)
        finally:
            redis.stop()
            postgres.remove()


def _measure(
    home: Path, postgres: PostgresServer, redis: RedisServer, seconds: float, workers: int, clients: int, processes: int
) -> None:
    postgres.execute(f"CREATE DATABASE {NAME}")
    settings = {"ACTLAB_API_PROCESSES": str(processes), "ACTLAB_TRACE": "false", "ACTLAB_LOG_LEVEL": "warning",
                "ACTLAB_LEASE_SECONDS": "30", "ACTLAB_RENEW_SECONDS": "5", "ACTLAB_REAP_SECONDS": "5",
                "ACTLAB_RECONCILE_SECONDS": "2"}  # fmt: skip
    service = Service(home, postgres.url(NAME), redis.url, **settings)
    try:
        service.run("db", "upgrade")
        service.launch("serve")
        service.await_health()  # before the workers, which keep a small machine busy while they start
        for number in range(workers):
            service.launch("worker", "--share", str(workers), name=f"worker-{number}")
        _await_workers(service, workers)
        with psycopg.connect(postgres.url(NAME).replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("SELECT pg_stat_statements_reset()")
            load = asyncio.run(_load(service.port, seconds, workers, clients))
            _report(connection, load, workers, clients)
    finally:
        service.close()


def _await_workers(service: Service, workers: int) -> None:
    deadline = time.monotonic() + WORKERS_SECONDS
    while sum(worker["alive"] for worker in service.client.workers()) < workers:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{workers} workers did not start within {WORKERS_SECONDS:g} s")
        time.sleep(0.5)


async def _load(port: int, seconds: float, submitters: int, clients: int) -> Load:
    limits = Limits(max_connections=submitters + clients, max_keepalive_connections=submitters + clients)
    async with AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=30, trust_env=False) as client:
        return await Fleet(client, seconds).run(submitters, clients)


def _report(connection: psycopg.Connection[Any], load: Load, workers: int, clients: int) -> None:
    latencies = [float(row[0]) for row in connection.execute(LATENCIES)]
    statements = {str(kind): int(calls) for kind, calls in connection.execute(STATEMENTS)}
    ended = sum(load.ended.values())
    typer.echo(f"{workers} workers and {clients} polling clients for {load.seconds:.0f} s")
    typer.echo(f"experiments: {dict(load.ended)}, {ended / load.seconds:.2f} a second")
    typer.echo(f"rows by status and losses: {connection.execute(ENDS).fetchall()}")
    typer.echo(f"errors: {sum(load.errors.values())} {dict(load.errors) or ''}; statuses: {dict(load.statuses)}")
    typer.echo(f"submission to claim: {_spread(latencies)}")
    typer.echo(f"answers to polls: {_spread(load.poll_seconds)}")
    each = ", ".join(f"{kind} {calls / max(1, ended):.0f}" for kind, calls in list(statements.items())[:6])
    total = sum(statements.values()) / max(1, ended)
    typer.echo(f"statements for each experiment, of all processes: {total:.0f} ({each})")


def _spread(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "too few"
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    middle, high, most = (value * 1000 for value in (cuts[49], cuts[98], max(seconds)))
    return f"median {middle:.0f} ms, p99 {high:.0f} ms, longest {most:.0f} ms (n = {len(seconds)})"


if __name__ == "__main__":
    typer.run(main)
