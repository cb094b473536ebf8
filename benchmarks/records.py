"""Measure writes: recorded epochs against handwritten SQL, submits over HTTP, and a large study in one transaction.

python -m benchmarks.records [sqlite] [postgresql] [--transactions 300] [--seconds 4] [--size 10000]

The figures of an epoch are processor times of this process, a worker's, without that of the server; they alternate with
the same statements written by hand for the driver, which have nothing between them and the database.
"""

import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import psycopg
import typer
from sqlalchemy import make_url

from benchmarks.footprint import used
from benchmarks.served import LEASE_SECONDS, Api, serving
from benchmarks.wire import hang_up, parsed
from service.domain.diagnostics import LayerDiagnostics
from service.domain.network import layer_names
from service.domain.results import EpochMetrics
from service.domain.spec import ModelSpec
from service.domain.study import StudySpec
from service.process.shutdown import Shutdown
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.usecases import studies as usecases
from tests.servers import PostgresServer
from worker.persistence import Persistence

CONNECTIONS = 8
LAYERS = layer_names(ModelSpec())
COLUMNS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "l2", "learning_rate", "seconds",
           "images_per_second")  # fmt: skip
PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL")

Record = Callable[[EpochMetrics, Sequence[LayerDiagnostics]], None]


def main(
    kinds: Annotated[list[str] | None, typer.Argument(metavar="[sqlite] [postgresql]")] = None,
    transactions: Annotated[int, typer.Option(min=10, help="Recorded epochs of each kind; 0 to leave out.")] = 300,
    seconds: Annotated[float, typer.Option(help="Of submits; 0 to leave out.")] = 4.0,
    size: Annotated[int, typer.Option(help="Experiments of the large study; 0 to leave out.")] = 10_000,
) -> None:
    """Measure recorded epochs, submits and a large study."""
    for kind in kinds or ["sqlite"]:
        with tempfile.TemporaryDirectory() as home, server(kind, Path(home)) as url:
            database = Database(url)
            migrate.upgrade(database)
            report_epochs(kind, database, transactions)
            if size:
                report_study(kind, database, size)
            database.close()
        if seconds:
            with tempfile.TemporaryDirectory() as home, server(kind, Path(home)) as url:
                report_submits(kind, Path(home), url, seconds)


@contextmanager
def server(kind: str, home: Path) -> Iterator[str]:
    """Yield the URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{home / 'actlab.db'}"
        return
    postgres = PostgresServer().start()
    try:
        yield postgres.url()
    finally:
        postgres.stop()
        postgres.remove()


# --- epochs --------------------------------------------------------------------------------------------------------


def report_epochs(kind: str, database: Database, transactions: int) -> None:
    for layers in (0, len(LAYERS)):
        ours = Through(database)
        theirs = ByHand(database)
        costs = measure({"ours": ours.record, "by hand": theirs.record}, transactions, layers)
        theirs.close()
        medians = {name: statistics.median(values) for name, values in costs.items()}
        typer.echo(
            f"{kind:<10} an epoch with {layers} layers: {medians['ours']:.2f} ms of processor time, by hand"
            f" {medians['by hand']:.2f} ms, ratio {medians['ours'] / medians['by hand']:.1f} (medians, n ="
            f" {transactions})"
        )


def measure(records: dict[str, Record], transactions: int, layers: int) -> dict[str, list[float]]:
    """Return milliseconds of processor time of each transaction, after some that warm up. Ways take turns."""
    costs: dict[str, list[float]] = {name: [] for name in records}
    for epoch in range(1, transactions + 21):
        figures, rows = figures_of(epoch), [layer_of(epoch, position) for position in range(layers)]
        for name, record in records.items():
            started = time.process_time()
            record(figures, rows)
            if epoch > 20:
                costs[name].append((time.process_time() - started) * 1000)
    return costs


def figures_of(epoch: int) -> EpochMetrics:
    return EpochMetrics(
        epoch=epoch, train_loss=0.5, train_accuracy=0.8, validation_loss=0.4, validation_accuracy=0.9, l2=0.01,
        learning_rate=1e-3, seconds=1.0, images_per_second=1000.0,
    )  # fmt: skip


def layer_of(epoch: int, position: int) -> LayerDiagnostics:
    return LayerDiagnostics(
        epoch=epoch, layer=LAYERS[position], position=position, units=32, zero_share=0.5, saturated_share=0.1,
        dead_share=0.0, inactive_share=0.1, mean_before=0.1, sd_before=1.0, mean_after=0.3, sd_after=0.6,
        gradient_norm=0.2, gradient_rms=0.01, update_ratio=1e-3, unchanged=False,
    )  # fmt: skip


def running(database: Database) -> Fence:
    """Return the fence of a new running experiment of a study."""

    def start(session: UnitOfWork) -> Fence:
        spec = StudySpec.model_validate({"base": {"activation": "relu", "epochs": 1000}, "seeds": [0]})
        studies.create(session, "local", spec, spec.experiments(), new_id())
        (claim,) = transitions.claim(session, new_id().hex, 1, LEASE_SECONDS)
        return claim.fence

    return database.run("start", start)


class Through:
    """Epochs recorded as a worker does it."""

    def __init__(self, database: Database) -> None:
        self.persistence = Persistence(database, 10.0, Shutdown())
        self.fence = running(database)

    def record(self, figures: EpochMetrics, layers: Sequence[LayerDiagnostics]) -> None:
        self.persistence.write("epoch", lambda s: transitions.record_epoch(s, self.fence, figures, layers))


class ByHand:
    """The same statements, written for the driver."""

    def __init__(self, database: Database) -> None:
        self.fence = running(database)
        self.sqlite = database.sqlite
        url = make_url(database.engine.url)
        self.id: Any = self.fence.id.hex if self.sqlite else self.fence.id
        self.connection: Any
        if self.sqlite:
            self.connection = sqlite3.connect(str(url.database), isolation_level=None)
            for pragma in PRAGMAS:
                self.connection.execute(f"PRAGMA {pragma}")
        else:
            plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
            self.connection = psycopg.connect(plain, autocommit=True)
        mark = "?" if self.sqlite else "%s"
        self.statements = {name: text.replace("?", mark) for name, text in STATEMENTS.items()}

    def record(self, figures: EpochMetrics, layers: Sequence[LayerDiagnostics]) -> None:
        self.run("BEGIN IMMEDIATE" if self.sqlite else "BEGIN")
        epoch = figures.epoch
        assert self.run("guard", (epoch, self.id, self.fence.attempt, "running", False)).fetchall()
        values = [getattr(figures, name) for name in COLUMNS]
        self.run("epoch", (self.id, epoch, self.fence.attempt, *values, json.dumps(figures.non_finite), 0))
        if layers:
            rows = [self._row(layer) for layer in layers]
            self.connection.cursor().executemany(self.statements["layers"], rows)
        (revision,) = self.run("counter").fetchone()
        self.run("stamp", (revision, self.id))
        self.run("stamp epoch", (revision, self.id, epoch))
        self.run("stamp layers", (revision, self.id, epoch))
        self.run("stamp study", (revision, self.id)).fetchall()
        self.run("COMMIT")

    def _row(self, layer: LayerDiagnostics) -> list[Any]:
        values = layer.model_dump()
        values |= {name: json.dumps(values[name]) for name in ("parameters", "non_finite")}
        return [self.id, self.fence.attempt, 0, *(values[name] for name in LAYER_COLUMNS)]

    def run(self, name: str, values: Sequence[Any] = ()) -> Any:
        return self.connection.execute(self.statements.get(name, name), values)

    def close(self) -> None:
        self.connection.close()


def _upsert(table: str, key: Sequence[str], columns: Sequence[str]) -> str:
    marks = ", ".join("?" for _ in columns)
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) ON CONFLICT ({', '.join(key)}) DO UPDATE"
        f" SET {replaced} WHERE {table}.attempt <= excluded.attempt"
    )


LAYER_COLUMNS = tuple(LayerDiagnostics.model_fields)
STATEMENTS = {
    "guard": "UPDATE experiments SET epochs_done = ? WHERE id = ? AND attempt = ? AND status = ?"
    " AND cancel_requested = ? RETURNING id",
    "epoch": _upsert("epochs", ("experiment_id", "epoch"),
                     ("experiment_id", "epoch", "attempt", *COLUMNS, "non_finite", "revision")),
    "layers": _upsert("diagnostics", ("experiment_id", "epoch", "position"),
                      ("experiment_id", "attempt", "revision", *LAYER_COLUMNS)),
    "counter": "UPDATE change_counter SET value = value + 1 RETURNING value",
    "stamp": "UPDATE experiments SET revision = ? WHERE id = ?",
    "stamp epoch": "UPDATE epochs SET revision = ? WHERE experiment_id = ? AND epoch = ?",
    "stamp layers": "UPDATE diagnostics SET revision = ? WHERE experiment_id = ? AND epoch = ?",
    "stamp study": "UPDATE studies SET revision = ? WHERE id IN"
    " (SELECT study_id FROM experiments WHERE id = ? AND study_id IS NOT NULL) RETURNING id",
}  # fmt: skip


# --- submits -------------------------------------------------------------------------------------------------------


@dataclass
class Submits:
    """The answers of one kind of request: the seconds of each, of several connections."""

    seconds: list[float]
    elapsed: float
    processor: float

    def line(self) -> str:
        p50, p99 = (sorted(self.seconds)[int(len(self.seconds) * share)] * 1000 for share in (0.5, 0.99))
        return (
            f"{len(self.seconds) / self.elapsed:5.0f}/s, median {p50:.1f} ms, 99 % {p99:.1f} ms,"
            f" {self.processor / len(self.seconds) * 1000:.2f} ms of the API's processor time each"
            f" (n = {len(self.seconds)})"
        )


def report_submits(kind: str, home: Path, url: str, seconds: float) -> None:
    with serving(home, url) as api:
        asyncio.run(submit(api, 0.5, 1_000_000))
        before = used(api.process)
        started = time.perf_counter()
        waits = asyncio.run(submit(api, seconds, 0))
        submits = Submits(waits, time.perf_counter() - started, used(api.process) - before)
        typer.echo(f"{kind:<10} submits over {CONNECTIONS} connections: {submits.line()}")


async def submit(api: Api, seconds: float, first: int) -> list[float]:
    """Submit experiments, one after another on each connection; return the seconds of each answer."""
    until = time.perf_counter() + seconds
    starts = (first + connection * 100_000 for connection in range(CONNECTIONS))
    waits = await asyncio.gather(*(_submit(api.port, start, until) for start in starts))
    return [wait for of_connection in waits for wait in of_connection]


async def _submit(port: int, seed: int, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    waits = []
    while time.perf_counter() < until:
        body = json.dumps({"activation": "relu", "dataset": "mnist_5k", "epochs": 3, "seed": seed}).encode()
        started = time.perf_counter()
        writer.write(_post("/api/v1/experiments", body))
        status, headers = parsed((await reader.readuntil(b"\r\n\r\n")).decode())
        answer = await reader.readexactly(int(headers["content-length"]))
        if status != 202:
            raise RuntimeError(f"{status}: {answer.decode()}")
        waits.append(time.perf_counter() - started)
        seed += 1
    await hang_up(writer)
    return waits


def _post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


# --- a large study -------------------------------------------------------------------------------------------------


def report_study(kind: str, database: Database, size: int) -> None:
    spec = StudySpec.model_validate({
        "base": {"dataset": "mnist_5k", "epochs": 3},
        "factors": {"activation": ["relu", "tanh", "swish", "sigmoid", "leaky_relu"], "dropout": [0.0, 0.5]},
        "seeds": list(range(size // 10)),
    })  # fmt: skip

    def make(session: UnitOfWork) -> UUID:
        staged = usecases.stage(session, spec, "code", size)
        return usecases.submit(session, "local", staged, new_id()).id

    walls, processor = [], []
    for _ in range(3):
        started, worked = time.perf_counter(), time.process_time()
        study = database.run("study", make)
        walls.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
        _forget(database, study)
    typer.echo(
        f"{kind:<10} a study of {size:,} experiments: {statistics.median(walls):.2f} s in one transaction"
        f" ({min(walls):.2f} to {max(walls):.2f}, n = 3), {statistics.median(processor):.2f} s of processor time"
    )


def _forget(database: Database, study: UUID) -> None:
    """Delete the study, so that each is submitted to the same queue."""

    def delete(session: UnitOfWork) -> None:
        row = studies.find_locked(session, study)
        assert row is not None
        usecases.cancel(session, row)
        usecases.delete(session, row)

    database.run("forget", delete)


if __name__ == "__main__":
    typer.run(main)
