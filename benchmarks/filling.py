"""Make databases with many finished experiments by SQL, without training them.

python -m benchmarks.filling HOME N

makes HOME, a folder for ACTLAB_HOME, with a migrated SQLite database of N finished experiments; a home that this
command has made before is topped up to N.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection, func, select, text

from service.domain.spec import ExperimentSubmission
from service.domain.study import StudySpec
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study

EPOCHS = 20
STUDY_SIZE = 100
"""Experiments of one study: one seed of each condition."""

TAG_SIZE = 1_000
"""Experiments that share one tag."""

TEMPLATE = "template"
ROWS_AT_ONCE = 50_000
"""Experiments that are inserted in one transaction."""

CONDITIONS = [
    {"activation": activation, "dropout": dropout, "batch_size": batch_size, "epochs": EPOCHS}
    for activation, dropout, batch_size in itertools.product(
        ["relu", "sigmoid", "tanh", "leaky_relu", "swish"], [0.0, 0.1, 0.25, 0.5], [32, 64, 128, 256, 512]
    )
]
# Pseudo-random figures in [0, 1) that are the same on every machine.
UNIFORM = "((i * 7919) % 10007) / 10007.0"
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
    """Return the id of the experiment that was made as the `number`-th, from 0. Ids sort in the order of making."""
    return UUID(f"0198c1d27e5170008000{number:012x}")


def study_of(number: int) -> UUID:
    """Return the id of that experiment's study."""
    return id_of(number // STUDY_SIZE)


def fill(database: Database, count: int) -> float:
    """Top up to `count` finished experiments, each with its epochs, result and tag. Return the seconds that it took."""
    started = time.monotonic()
    for first in range(size(database), count, ROWS_AT_ONCE):
        with database.write("fill") as session, _templates(session) as connection:
            _fill(connection, first, min(first + ROWS_AT_ONCE, count))
    if not database.sqlite:  # autovacuum has not run yet
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return time.monotonic() - started


def size(database: Database) -> int:
    """Return the number of experiments."""
    with database.read() as session:
        return int(session.execute(text("SELECT count(*) FROM experiments")).scalar_one())


@contextmanager
def _templates(session: UnitOfWork) -> Iterator[Connection]:
    """Make temporary tables with the row of a new study, and with the row of a new experiment for each condition, in
    all columns that the tables have."""
    study = StudySpec.model_validate({"name": TEMPLATE, "base": {"activation": "relu"}})
    studies.create(session, "local", study, [], new_id())
    for fields in CONDITIONS:
        experiments.create(session, "local", ExperimentSubmission.model_validate(fields), id=new_id())
    connection = session.connection()
    if connection.dialect.name == "postgresql":  # checks of foreign keys take most of the time
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    place = "row_number() OVER (ORDER BY id) - 1 AS place"
    queued, template = "FROM experiments WHERE status = 'queued'", f"FROM studies WHERE name = '{TEMPLATE}'"
    connection.execute(text(f"CREATE TEMPORARY TABLE experiment_templates AS SELECT {place}, experiments.* {queued}"))
    connection.execute(text(f"CREATE TEMPORARY TABLE study_template AS SELECT * {template}"))
    connection.execute(text(f"DELETE {queued}"))
    connection.execute(text(f"DELETE {template}"))
    yield connection
    for table in ("experiment_templates", "study_template"):
        connection.execute(text(f"DROP TABLE {table}"))


def _copied(table: Any, values: dict[str, str]) -> tuple[str, str]:
    """Return the columns of a table and the SQL of their values: that of `values`, else the template's column."""
    names = [column.name for column in table.columns]
    return ", ".join(names), ", ".join(values.get(name, name) for name in names)


def _fill(connection: Connection, first: int, end: int) -> None:
    kind = connection.dialect.name
    id, numbers = ID[kind].format("i"), NUMBERS.format(first, end)
    of_studies = NUMBERS.format(first // STUDY_SIZE, -(-end // STUDY_SIZE))
    study_names, study = _copied(Study.__table__, {"id": id, "name": "'study ' || i"})
    names, values = _copied(Experiment.__table__, _finished(kind))
    for statement in (
        f"INSERT INTO studies ({study_names}) {of_studies} SELECT {study} FROM numbers CROSS JOIN study_template"
        f" WHERE true ON CONFLICT DO NOTHING",
        f"INSERT INTO experiments ({names}) {numbers} SELECT {values} FROM numbers"
        f" JOIN experiment_templates ON place = i % {len(CONDITIONS)} ORDER BY i",
        f"INSERT INTO experiment_tags (tag, experiment_id) {numbers}"
        f" SELECT 'tag' || (i / {TAG_SIZE}), {id} FROM numbers",
        f"INSERT INTO results (experiment_id, attempt, last, best, last_correct, best_correct, per_class,"
        f" confusion_matrix, fingerprint) {numbers} SELECT {id}, 1, '{SCORE}', '{SCORE}', {BITS[kind]}, {BITS[kind]},"
        f" '[]', '[[10000]]', '{{}}' FROM numbers",
        f"INSERT INTO epochs (experiment_id, epoch, attempt, train_loss, train_accuracy, validation_loss,"
        f" validation_accuracy, l2, learning_rate, seconds, images_per_second, non_finite, revision)"
        f" {numbers}, counted(e) AS (SELECT 1 UNION ALL SELECT e + 1 FROM counted WHERE e < {EPOCHS})"
        f" SELECT {id}, e, 1, 0.5 / e, 1 - 0.1 / e, 0.4 / e, 1 - 0.09 / e, 0.01, 0.001, 0.5, 5000 + 900 * {UNIFORM},"
        f" '[]', 1 FROM numbers CROSS JOIN counted ORDER BY i, e",
    ):  # fmt: skip
        connection.exec_driver_sql(statement.replace("%", "%%") if kind == "postgresql" else statement)


def _finished(kind: str) -> dict[str, str]:
    """Return the SQL of the columns in which a finished experiment differs from a queued one."""
    times = dict.fromkeys(("started_at", "finished_at"), "created_at")
    scores = ("test_{}", "best_test_{}", "validation_{}", "best_validation_{}")
    accuracies = dict.fromkeys((score.format("accuracy") for score in scores), f"0.9 + 0.09 * {UNIFORM}")
    losses = dict.fromkeys((score.format("loss") for score in scores), f"0.1 + 0.1 * {UNIFORM}")
    return times | accuracies | losses | {
        "id": ID[kind].format("i"), "study_id": ID[kind].format(f"i / {STUDY_SIZE}"), "name": "'run ' || i",
        "seed": f"i / {len(CONDITIONS)}", "status": "'succeeded'", "attempt": "1", "epochs_done": str(EPOCHS),
        "best_epoch": str(EPOCHS), "seconds": f"10 + 5 * {UNIFORM}", "early_loss": f"0.3 + 0.2 * {UNIFORM}",
        "images_per_second": f"5000 + 900 * {UNIFORM}", "device": "'cpu'", "device_name": "'a processor'",
        "threads": "1", "precision": "'float32'", "code": "'0.1.0'",
    }  # fmt: skip


def main(
    home: Annotated[Path, typer.Argument(metavar="HOME", file_okay=False, help="Folder; made if missing.")],
    n: Annotated[int, typer.Argument(min=1, metavar="N", help="Finished experiments.")],
) -> None:
    """Make a migrated SQLite home with N finished experiments."""
    home.mkdir(parents=True, exist_ok=True)
    database = Database(Settings(home=home, database_url=None).database)
    try:
        migrate.upgrade(database)
        _refuse_other_experiments(database, home)
        seconds = fill(database, n)
        typer.echo(f"{home} has {size(database):,} finished experiments (filled in {seconds:.0f} s)")
    finally:
        database.close()


def _refuse_other_experiments(database: Database, home: Path) -> None:
    """Raise typer.BadParameter unless all experiments are those that `fill` made: it removes queued ones, and numbers
    its own from their count on."""
    made = Experiment.id.between(id_of(0), id_of(max(size(database) - 1, 0)))
    with database.read() as session:
        others = session.scalars(select(func.count()).where(~made)).one()
    if others:
        raise typer.BadParameter(f"{home} has {others:,} experiments of its own: name a new folder.")


if __name__ == "__main__":
    typer.run(main)
