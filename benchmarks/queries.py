"""Measure pages, searches, comparisons and curves of many experiments, against bare SQL for the same rows.

python -m benchmarks.queries sqlite 1000 100000
python -m benchmarks.queries postgresql 1000 100000 1000000

Each query runs in turns through storage, as its route runs it, and as SQL written by hand. The rows of bare SQL are
decoded to Python values: psycopg decodes JSON, ids and times itself; for sqlite3 this benchmark does. Figures are
medians of processor time, of this process and of the server, which other load on the machine affects less than
wall-clock time. Growth is the time through storage relative to that at the first size.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psutil
import typer
from sqlalchemy.orm import Session

from benchmarks.filling import fill, id_of, study_of
from service.api.server import freeze_imports
from service.domain.comparisons.compare import compare
from service.domain.comparisons.curves import curve
from service.domain.status import Status
from service.storage import migrate
from service.storage.analysis import comparisons
from service.storage.analysis.curves import trace
from service.storage.engine.database import Database
from service.storage.records import epochs, experiments
from service.storage.records.experiments import Filter, Range
from tests.servers import PostgresServer

PAGE = 50
GROUP_BY = ["activation", "dropout", "batch_size"]

Ask = Callable[[Session], Any]


@dataclass(frozen=True)
class Question:
    """A query for the same rows in two forms: through storage, and as SQL written by hand."""

    title: str
    ours: Ask
    bare: Ask


def questions(kind: str, size: int) -> Iterator[Question]:
    """Iterate over the queries of a database of `size` experiments; those of single ones take some from its middle."""
    middle = size // 2
    yield listed(kind, "page: newest", Filter(), "true")
    yield listed(kind, "page: by status", Filter(statuses=(Status.SUCCEEDED,)), "status = 'succeeded'")
    yield listed(
        kind, "page: of a study", Filter(studies=(study_of(middle),)), f"study_id = '{key(kind, study_of(middle))}'"
    )
    both = "activation = 'relu' AND dataset = 'mnist'"
    relu = Filter(activations=("relu",), datasets=("mnist",))
    yield listed(kind, "page: by activation and data set", relu, both)
    yield listed(kind, "page: the same, best first", relu, both, "test_accuracy")
    yield listed(kind, "page: best of all", Filter(), "true", "test_accuracy")
    tag = f"tag{middle // 1000}"
    tagged = f"id IN (SELECT experiment_id FROM experiment_tags WHERE tag = '{tag}')"
    yield listed(kind, "page: by tag", Filter(tags=(tag,)), tagged)
    ranged = Filter(ranges=(Range("test_accuracy", 0.93, 0.97), Range("batch_size", 64, 128)))
    within = "test_accuracy BETWEEN 0.93 AND 0.97 AND batch_size BETWEEN 64 AND 128"
    yield listed(kind, "search: by ranges, best first", ranged, within, "test_accuracy")
    like = "name LIKE '%run%'" if kind == "sqlite" else "name ILIKE '%run%'"
    yield listed(kind, "search: by text", Filter(texts=("run",)), like)
    yield metrics_of_one(kind, middle)
    yield curve_of_one(kind, middle)
    yield compared("comparison of all: every pair", None)
    yield compared("comparison of all: against one", {"activation": "relu", "dropout": 0.25, "batch_size": 128})


def listed(kind: str, title: str, filters: Filter, where: str, sort: str = "id") -> Question:
    order = "id DESC" if sort == "id" else f"{sort} DESC, id DESC"
    rows = f"SELECT * FROM experiments WHERE {where} ORDER BY {order} LIMIT {PAGE + 1}"

    def ours(session: Session) -> Any:
        return experiments.page(session, filters, sort=f"-{sort}", limit=PAGE, after=None)

    def bare(session: Session) -> Any:
        page = decoded(fetch(session, rows))
        ids = ", ".join(f"'{row[0].id if kind == 'sqlite' else row.id}'" for row in page)
        return page, fetch(session, f"SELECT tag, experiment_id FROM experiment_tags WHERE experiment_id IN ({ids})")

    return Question(title, ours, bare)


def metrics_of_one(kind: str, number: int) -> Question:
    id = id_of(number)
    rows = f"SELECT * FROM epochs WHERE experiment_id = '{key(kind, id)}' ORDER BY epoch"
    return Question("metrics of one", lambda session: epochs.of_experiment(session, id), lambda s: fetch(s, rows))


def curve_of_one(kind: str, number: int) -> Question:
    id = id_of(number)
    rows = (
        "SELECT x.condition, x.spec, x.seed, e.epoch, e.validation_accuracy, e.seconds FROM epochs e JOIN experiments x"
        f" ON x.id = e.experiment_id WHERE x.id = '{key(kind, id)}' ORDER BY e.epoch"
    )

    def ours(session: Session) -> Any:
        traced = trace(session, Filter(ids=(id,)), "validation_accuracy", GROUP_BY, allow_mixed=False)
        return [curve(group.factors, group.traces) for group in traced.groups]

    return Question("curve of one", ours, lambda session: fetch(session, rows))


def compared(title: str, versus: dict[str, Any] | None) -> Question:
    grouped = (
        "SELECT activation, dropout_conv, dropout_dense, batch_size, count(*), avg(test_accuracy),"
        " avg(test_accuracy * test_accuracy), min(test_accuracy), max(test_accuracy) FROM experiments"
        " WHERE status = 'succeeded' GROUP BY activation, dropout_conv, dropout_dense, batch_size"
    )

    def ours(session: Session) -> Any:
        gathered = comparisons.gather(session, Filter(), "test_accuracy", GROUP_BY, allow_mixed=False)
        images = comparisons.image_intervals(session, Filter(), "test_accuracy", gathered)
        return compare(gathered.cells, "test_accuracy", versus, images)

    return Question(title, ours, lambda session: fetch(session, grouped))


def fetch(session: Session, statement: str) -> Any:
    connection = session.connection()
    escaped = statement.replace("%", "%%") if connection.dialect.name == "postgresql" else statement
    return connection.exec_driver_sql(escaped).all()


def decoded(rows: Any) -> Any:
    """Decode the spec, both ids and the three times of SQLite's experiments; other rows are returned as they are."""
    if not rows or not isinstance(rows[0].id, str):
        return rows
    return [
        (row, UUID(row.id), UUID(row.study_id), json.loads(row.spec),
         [datetime.fromisoformat(time) for time in (row.created_at, row.started_at, row.finished_at)])
        for row in rows
    ]  # fmt: skip


def key(kind: str, id: Any) -> str:
    return id.hex if kind == "sqlite" else str(id)


@dataclass(frozen=True)
class Place:
    """The database of the benchmark; `server` is PostgreSQL's process."""

    database: Database
    server: psutil.Process | None

    def seconds(self) -> float:
        """Return the processor time of this process and of the server, in seconds."""
        taken = time.process_time()
        for process in [self.server, *self.server.children()] if self.server else []:
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                taken += used.user + used.system
        if self.server:  # and of its processes that have ended
            used = self.server.cpu_times()
            taken += used.children_user + used.children_system
        return taken


def measure(place: Place, question: Question, rounds: int) -> tuple[float, float]:
    """Return the seconds of a query through storage and of bare SQL: medians over rounds of half a second each."""
    taken: dict[Ask, list[float]] = {question.ours: [], question.bare: []}
    for ask in taken:  # warms up: statements are compiled, and pages are read from disk
        _cost(place, ask, 1)
    times = {ask: max(1, round(0.5 / _cost(place, ask, 3))) for ask in taken}
    for _ in range(rounds):
        for ask, seconds in taken.items():
            seconds.append(_cost(place, ask, times[ask]))
    ours, bare = (statistics.median(seconds) for seconds in taken.values())
    return ours, bare


def _cost(place: Place, ask: Ask, times: int) -> float:
    before = place.seconds()
    for _ in range(times):
        with place.database.read() as session:
            ask(session)
    return max(place.seconds() - before, 1e-6) / times


@contextmanager
def opened(kind: str) -> Iterator[Place]:
    """Make an empty database, and remove it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        server = PostgresServer().start() if kind == "postgresql" else None
        url = server.url() if server else f"sqlite:///{Path(folder) / 'bench.db'}"
        database = Database(url, statement_seconds=7200)
        try:
            migrate.upgrade(database)
            yield Place(database, psutil.Process(server.process.pid) if server and server.process else None)
        finally:
            database.close()
            if server:
                server.remove()


def main(kind: Literal["sqlite", "postgresql"], sizes: list[int], rounds: int = 5) -> None:
    first: dict[str, float] = {}
    freeze_imports()  # as a server does
    with opened(kind) as place:
        for size in sizes:
            typer.echo(f"\n{kind}, {size:,} experiments (filled in {fill(place.database, size):.0f} s)")
            typer.echo(f"{'':<34}{'ours':>11}{'bare SQL':>12}{'ratio':>8}{'growth':>8}")
            for question in questions(kind, size):
                ours, bare = measure(place, question, rounds)
                grown = ours / first.setdefault(question.title, ours)
                typer.echo(
                    f"{question.title:<34}{ours * 1e3:8.2f} ms{bare * 1e3:9.2f} ms{ours / bare:8.2f}{grown:8.2f}"
                )


if __name__ == "__main__":
    typer.run(main)
