"""The cost of lists: a constant number of queries, each served by an index."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from service.domain.query.fields import EXPERIMENTS as FIELDS
from service.domain.query.parser import parse
from service.domain.status import Status
from service.domain.study import StudySpec
from service.settings import Settings
from service.storage.analysis import comparisons
from service.storage.engine.database import Database
from service.storage.engine.keyset import Position
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.records.experiments import Filter
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.serving import COMPARISONS, CURVES, EXPERIMENTS, STUDIES, services_of, serving
from tests.making import make_epoch, make_layer

Statement = tuple[str, object]


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Yield a client without the queries of background work."""
    rarely = {"reap_seconds": 600, "reconcile_seconds": 600, "poll_seconds": 60}
    with serving(settings.model_copy(update=rarely)) as opened:
        yield opened


@contextmanager
def recorded(database: Database) -> Iterator[list[Statement]]:
    """Record every statement with its parameters."""
    statements: list[Statement] = []

    def record(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        statements.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", record)
    yield statements
    event.remove(database.engine, "before_cursor_execute", record)


def fill(database: Database, rows: int, study: str) -> None:
    """Add `rows` of everything that is listed: experiments in each state, tags, epochs, attempts, workers."""
    for row in range(rows):
        states.queue(database, tags=["a", "b"], seed=row)
        fence = states.start(database, tags=["c"], seed=row)
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(1))
            transitions.record_epoch(session, fence, make_epoch(2), [make_layer(2), make_layer(2, "dense1")])
        states.succeed(database, fence)
        states.heartbeat(database, f"worker-{study}-{row}")
        with database.write("study") as session:
            studies.create(session, "local", StudySpec(base={"activation": "relu"}), [], new_id())


def test_list_routes_issue_a_constant_number_of_queries(client: TestClient, database: Database) -> None:
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()["id"]
    id = states.finish(database, epochs=3)
    routes = [EXPERIMENTS, f"{EXPERIMENTS}?sort=seconds", f"{EXPERIMENTS}?tag=a", f"{EXPERIMENTS}/{id}/metrics",
              f"{EXPERIMENTS}/{id}/diagnostics", f"{EXPERIMENTS}/{id}/diagnostics?layer=conv1&measure=dead_share",
              f"{EXPERIMENTS}/{id}/attempts", f"{STUDIES}/{study}", STUDIES, f"{COMPARISONS}?dataset=mnist_5k",
              f"{STUDIES}/{study}/comparison", f"{CURVES}?dataset=mnist_5k",
              f"{STUDIES}/{study}/curves", f"{STUDIES}/{study}/claims",
              "/api/v1/workers", "/api/v1/queue", "/api/v1/activations"]  # fmt: skip

    def queries() -> dict[str, int]:
        counts = {}
        for route in routes:
            with recorded(services_of(client).database) as statements:
                assert client.get(route, headers={"Cache-Control": "no-cache"}).status_code == 200
            counts[route] = sum(statement.startswith(("SELECT", "WITH")) for statement, _ in statements)
        return counts

    fill(database, 1, "few")
    few = queries()
    fill(database, 7, "many")
    assert queries() == few
    assert max(few.values()) <= 7


@pytest.mark.parametrize(("checksums", "queries"), [({}, 3), ({"swish": "a", "silu": "a"}, 4)], ids=["no ties", "ties"])
def test_gather_reads_what_runs_computed_only_where_groups_tie(
    database: Database, checksums: dict[str, str], queries: int
) -> None:
    for place, activation in enumerate(["relu", "tanh", "swish", "silu"]):
        for seed in range(3):
            tied = 0.95 if activation in checksums else 0.9 + 0.01 * place
            run = {"checksum": checksums.get(activation)}
            states.finish(database, tied, run=run, activation=activation, seed=seed)
    with recorded(database) as statements, database.read() as session:
        gathered = comparisons.gather(session, Filter(), "test_accuracy", ["activation"], allow_mixed=False)
    selects = [statement for statement, _ in statements if statement.startswith(("SELECT", "WITH"))]
    assert len(selects) == queries
    assert sum("GROUP BY" in statement for statement in selects) == 1
    assert sum(bool(cell.bits) for cell in gathered.cells) == len(checksums)


# --- indexes -------------------------------------------------------------------------------------------------------

AFTER = new_id()


def asking(text: str) -> Filter:
    return Filter(query=parse(text, FIELDS))


BOTH = Filter(activations=("relu",), datasets=("mnist",))
SHAPES = {
    "newest first": (Filter(), "-id", "pk_experiments"),
    "by status": (Filter(statuses=(Status.QUEUED,)), "-id", "ix_experiments_status_id"),
    "by status, best": (Filter(statuses=(Status.SUCCEEDED,)), "-test_accuracy", "ix_experiments_test_accuracy_id"),
    "by study": (Filter(studies=(new_id(),)), "-id", "ix_experiments_study_id"),
    "by activation and data set, newest": (BOTH, "-id", "ix_experiments_activation"),  # with or without the data set
    "by activation and data set, best": (BOTH, "-test_accuracy", "ix_experiments_activation"),
    "by activation, newest": (Filter(activations=("relu",)), "-id", "ix_experiments_activation_id"),
    "by activation, best on validation images": (
        Filter(activations=("relu",)), "-validation_accuracy", "ix_experiments_activation_validation_accuracy",
    ),
    "by activation, best": (Filter(activations=("relu",)), "-test_accuracy", "ix_experiments_activation_test_accuracy"),
    "by test accuracy over all": (Filter(), "-test_accuracy", "ix_experiments_test_accuracy_id"),
    "by validation accuracy over all": (Filter(), "-validation_accuracy", "ix_experiments_validation_accuracy_id"),
    "by tag": (Filter(tags=("a",)), "-id", "pk_experiment_tags"),
    "by a query of an activation": (asking("activation = 'relu'"), "-id", "ix_experiments_activation_id"),
    "by a query of a state, best": (
        asking("activation = 'relu' AND status = 'succeeded'"), "-test_accuracy",
        "ix_experiments_activation_test_accuracy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("paged", [False, True], ids=["first page", "next page"])
def test_list_experiments_uses_an_index(database: Database, shape: str, paged: bool) -> None:
    filters, sort, index = SHAPES[shape]
    after = Position(None if sort == "-id" else 0.5, AFTER) if paged else None
    with recorded(database) as statements, database.read() as session:
        experiments.entries(session, filters, sort=sort, limit=50, after=after)
    (listing,) = [statement for statement in statements if "ORDER BY" in statement[0]]
    with database.read() as session:
        plan = explained(session, *listing, ordered=not filters.studies)
    if database.sqlite:
        index = {"pk_experiments": "sqlite_autoindex_experiments_1",
                 "pk_experiment_tags": "sqlite_autoindex_experiment_tags_1"}.get(index, index)  # fmt: skip
    assert index in plan, plan
    assert "Seq Scan" not in plan
    assert "SCAN experiment_tags" not in plan
    if not filters.tags and not filters.studies:
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def explained(session: Session, statement: str, parameters: object, *, ordered: bool) -> str:
    """The plan where a whole scan, and a sort if the index gives the order, is the last resort: on tables as empty as
    these it would otherwise be the first."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
        return "\n".join(row[-1] for row in rows)
    for choice in ("seqscan", "bitmapscan", *(["sort"] if ordered else [])):
        connection.exec_driver_sql(f"SET LOCAL enable_{choice} = off")
    rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()  # type: ignore[arg-type]
    return "\n".join(row[0] for row in rows)
