"""Migrating up and down with data, checking the revision, and backups."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

from service.domain.activations.properties import Properties, properties
from service.domain.activations.registration import NewActivation, NewVersion
from service.domain.errors import SchemaOutdated
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import activations
from service.storage.records.results import FinishedRun
from service.storage.tables.base import Base
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from tests.conftest import make_experiment
from tests.making import make_epoch, make_layer, make_run


def revisions() -> list[str]:
    """Oldest first."""
    scripts = ScriptDirectory.from_config(migrate._config()).walk_revisions()
    return [script.revision for script in reversed(list(scripts))]


def measured(new: NewVersion) -> Properties:
    return properties(new.selection.definition.expression, new.selection.values)


def fill(database: Database) -> None:
    database.run("make", lambda s: make_experiment(s, tags=["a"]))
    registered = NewActivation(name="mine", formula="x")
    database.run("register", lambda s: activations.create(s, "local", registered, measured(registered)))
    (claim,) = database.run("claim", lambda s: transitions.claim(s, "w", 1, 30))
    database.run("epoch", lambda s: transitions.record_epoch(s, claim.fence, make_epoch(1), [make_layer(1)]))


def test_migrations_make_the_tables_of_the_metadata(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_revision_downgrades_and_upgrades_with_data(database: Database) -> None:
    fill(database)
    steps = ["base", *revisions()]
    for below, above in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        migrate.downgrade(database, below)
        assert migrate.current(database) == (None if below == "base" else below)
        migrate.upgrade(database, above)
        assert migrate.current(database) == above
    migrate.upgrade(database)
    migrate.check(database)


def test_upgrade_copies_filter_columns_out_of_stored_specs(database: Database) -> None:
    fields = {"epochs": 7, "batch_size": 33, "dropout": {"conv": 0.125, "dense": 0.5}}
    database.run("make", lambda s: make_experiment(s, **fields, optimizer={"learning_rate": 0.003}))
    migrate.downgrade(database, "0001")
    migrate.upgrade(database)
    with database.read() as session:
        row = session.scalars(select(Experiment)).one()
    copied = (row.epochs, row.batch_size, row.dropout_conv, row.dropout_dense, row.learning_rate)
    assert copied == (7, 33, 0.125, 0.5, 0.003)


def train(database: Database, run: FinishedRun | None) -> None:
    """Train three epochs, and end with `run` if there is one."""
    database.run("make", lambda s: make_experiment(s))
    (claim,) = database.run("claim", lambda s: transitions.claim(s, "w", 1, 30))
    with database.write("train") as session:
        for epoch in (1, 2, 3):
            figures = make_epoch(epoch, validation_accuracy=epoch / 10, validation_loss=epoch / 7)
            transitions.record_epoch(session, claim.fence, figures)
        if run is not None:
            transitions.succeed(session, claim.fence, run)


def test_upgrade_copies_validation_figures_and_machines_of_successes(database: Database) -> None:
    train(database, make_run(best_epoch=1, device_name="a processor", threads=3))
    train(database, None)
    names = ("validation_accuracy", "validation_loss", "best_validation_accuracy", "best_validation_loss",
             "device_name", "threads")  # fmt: skip
    query = select(*(getattr(Experiment, name) for name in names)).order_by(Experiment.id)
    migrate.downgrade(database, "0015")
    migrate.upgrade(database)
    with database.read() as session:
        done, running = session.execute(query).all()
    assert tuple(done) == (0.3, 3 / 7, 0.1, 1 / 7, "a processor", 3)
    assert tuple(running) == (None,) * 6


def test_upgrade_twice_changes_nothing(database: Database) -> None:
    fill(database)
    migrate.upgrade(database)
    with database.read() as session:
        assert len(session.scalars(select(Epoch)).all()) == 1


def test_check_of_an_empty_database_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdated, match="actlab db upgrade"):
        migrate.check(Database(f"sqlite:///{tmp_path}/empty.db"))


def test_check_refuses_a_newer_database(database: Database) -> None:
    database.run("newer", lambda s: s.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SchemaOutdated, match="9999"):
        migrate.check(database)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_downgrade_backs_sqlite_up_first(database: Database, tmp_path: Path) -> None:
    fill(database)
    migrate.downgrade(database, "base")
    (backup,) = tmp_path.glob("*.backup")
    copy = Database(f"sqlite:///{backup}")
    migrate.check(copy)
    with copy.read() as session:
        assert len(session.scalars(select(Epoch)).all()) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pool_has_foreign_keys_on_after_a_migration(database: Database) -> None:
    migrate.downgrade(database, "base")
    migrate.upgrade(database)
    for _ in range(3):
        with database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
