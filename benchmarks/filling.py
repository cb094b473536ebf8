"""Databases full of finished experiments, made inside the database: nobody could train a million for a benchmark."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from service.domain.spec import ExperimentSubmission
from service.domain.study import StudySpec
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study

EPOCHS = 20
A_STUDY = 100
"""Experiments of one study: one seed of each condition."""

A_TAG = 1_000
TEMPLATE = "template"
AT_ONCE = 50_000

CONDITIONS = [
    {"activation": activation, "dropout": dropout, "batch_size": batch_size, "epochs": EPOCHS}
    for activation, dropout, batch_size in itertools.product(
        ["relu", "sigmoid", "tanh", "leaky_relu", "swish"], [0.0, 0.1, 0.25, 0.5], [32, 64, 128, 256, 512]
    )
]
# The i-th figure looks drawn, and is the same on every machine.
DRAWN = "((i * 7919) % 10007) / 10007.0"
ID = {
    "sqlite": "'0198c1d27e5170008000' || printf('%012x', {})",
    "postgresql": "CAST('0198c1d27e5170008000' || lpad(to_hex({}), 12, '0') AS uuid)",
}
BITS = {"sqlite": "zeroblob(1250)", "postgresql": "decode(repeat('a5', 1250), 'hex')"}
NUMBERS = (
    "WITH RECURSIVE numbers(i) AS (SELECT CAST({} AS bigint) UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < {}) "
)
SCORE = '{"epoch": 20, "test_loss": 0.1, "test_accuracy": 0.95, "interval": [0.94, 0.96]}'


def id_of(number: int) -> UUID:
    """Of the experiment made as the `number`-th, from 0; they sort as they were made."""
    return UUID(f"0198c1d27e5170008000{number:012x}")


def study_of(number: int) -> UUID:
    """The study of that experiment."""
    return id_of(number // A_STUDY)


def fill(database: Database, wanted: int) -> float:
    """Top up to so many finished experiments, each with its epochs, result and tag; the seconds that took."""
    started = time.monotonic()
    with database.write("fill") as session:
        have = session.execute(text("SELECT count(*) FROM experiments")).scalar_one()
    for first in range(have, wanted, AT_ONCE):
        with database.write("fill") as session, _templates(session) as connection:
            _fill(connection, first, min(first + AT_ONCE, wanted))
    if not database.sqlite:  # what autovacuum would have done by and by
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return time.monotonic() - started


@contextmanager
def _templates(session: UnitOfWork) -> Iterator[Connection]:
    """With a table of a study, and one of what a submission to each condition leaves: whatever columns there are."""
    study = StudySpec.model_validate({"name": TEMPLATE, "base": {"activation": "relu"}})
    studies.create(session, "local", study, [], new_id())
    for fields in CONDITIONS:
        experiments.create(session, "local", ExperimentSubmission.model_validate(fields), id=new_id())
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # what is made here refers to what is there, a million times over
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    place = "row_number() OVER (ORDER BY id) - 1 AS place"
    queued, fresh = "FROM experiments WHERE status = 'queued'", f"FROM studies WHERE name = '{TEMPLATE}'"
    connection.execute(text(f"CREATE TEMPORARY TABLE templates AS SELECT {place}, experiments.* {queued}"))
    connection.execute(text(f"CREATE TEMPORARY TABLE a_study AS SELECT * {fresh}"))
    connection.execute(text(f"DELETE {queued}"))
    connection.execute(text(f"DELETE {fresh}"))
    yield connection
    for table in ("templates", "a_study"):
        connection.execute(text(f"DROP TABLE {table}"))


def _copied(table: Any, values: dict[str, str]) -> tuple[str, str]:
    """The columns of a table, and for each the SQL of its value: what is given, else what the template has."""
    names = [column.name for column in table.columns]
    return ", ".join(names), ", ".join(values.get(name, name) for name in names)


def _fill(connection: Connection, first: int, end: int) -> None:
    kind = connection.dialect.name
    id, numbers = ID[kind].format("i"), NUMBERS.format(first, end)
    of_studies = NUMBERS.format(first // A_STUDY, -(-end // A_STUDY))
    study_names, study = _copied(Study.__table__, {"id": id, "name": "'study ' || i"})
    names, values = _copied(Experiment.__table__, _finished(kind))
    for statement in (
        f"INSERT INTO studies ({study_names}) {of_studies} SELECT {study} FROM numbers CROSS JOIN a_study"
        f" WHERE true ON CONFLICT DO NOTHING",
        f"INSERT INTO experiments ({names}) {numbers} SELECT {values} FROM numbers"
        f" JOIN templates ON place = i % {len(CONDITIONS)} ORDER BY i",
        f"INSERT INTO experiment_tags (tag, experiment_id) {numbers} SELECT 'tag' || (i / {A_TAG}), {id} FROM numbers",
        f"INSERT INTO results (experiment_id, attempt, last, best, last_correct, best_correct, per_class,"
        f" confusion_matrix, fingerprint) {numbers} SELECT {id}, 1, '{SCORE}', '{SCORE}', {BITS[kind]}, {BITS[kind]},"
        f" '[]', '[[10000]]', '{{}}' FROM numbers",
        f"INSERT INTO epochs (experiment_id, epoch, attempt, train_loss, train_accuracy, validation_loss,"
        f" validation_accuracy, l2, learning_rate, seconds, images_per_second, non_finite, revision)"
        f" {numbers}, counted(e) AS (SELECT 1 UNION ALL SELECT e + 1 FROM counted WHERE e < {EPOCHS})"
        f" SELECT {id}, e, 1, 0.5 / e, 1 - 0.1 / e, 0.4 / e, 1 - 0.09 / e, 0.01, 0.001, 0.5, 5000 + 900 * {DRAWN},"
        f" '[]', 1 FROM numbers CROSS JOIN counted ORDER BY i, e",
    ):  # fmt: skip
        connection.exec_driver_sql(statement.replace("%", "%%") if kind == "postgresql" else statement)


def _finished(kind: str) -> dict[str, str]:
    """What a finished experiment has that a queued one has not."""
    times = dict.fromkeys(("started_at", "finished_at"), "created_at")
    accuracies = dict.fromkeys(("test_accuracy", "best_test_accuracy"), f"0.9 + 0.09 * {DRAWN}")
    losses = dict.fromkeys(("test_loss", "best_test_loss"), f"0.1 + 0.1 * {DRAWN}")
    return times | accuracies | losses | {
        "id": ID[kind].format("i"), "study_id": ID[kind].format(f"i / {A_STUDY}"), "name": "'run ' || i",
        "seed": f"i / {len(CONDITIONS)}", "status": "'succeeded'", "attempt": "1", "epochs_done": str(EPOCHS),
        "best_epoch": str(EPOCHS), "seconds": f"10 + 5 * {DRAWN}", "early_loss": f"0.3 + 0.2 * {DRAWN}",
        "images_per_second": f"5000 + 900 * {DRAWN}", "device": "'cpu'", "precision": "'float32'", "code": "'0.1.0'",
    }  # fmt: skip
