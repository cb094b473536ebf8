"""Tombstones of deleted experiments, and their sweep."""

from sqlalchemy import select, update

from service.storage.changes import revisions
from service.storage.changes.tombstones import KEPT_SECONDS
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import experiments
from service.storage.tables.changes import Tombstone
from tests.conftest import make_experiment
from tests.storage.steps import cancel, do


def delete_one(database: Database) -> int:
    """Return the revision under which an experiment was deleted."""
    id = database.run("make", make_experiment).id
    cancel(database, id)
    assert do(database, experiments.remove, id)
    revision: int = do(database, revisions.newest)
    return revision


def tombstones(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Tombstone.revision).order_by(Tombstone.revision)))


def test_mark_deleted_writes_a_tombstone_under_the_revision_of_the_delete(database: Database) -> None:
    revision = delete_one(database)
    assert tombstones(database) == [revision]


def test_mark_deleted_sweeps_old_tombstones_and_stores_the_newest_of_them(database: Database) -> None:
    old = [delete_one(database) for _ in range(2)]
    database.run("age", lambda s: s.execute(update(Tombstone).values(deleted_at=after(-KEPT_SECONDS - 1))))
    newest = delete_one(database)
    assert tombstones(database) == [newest]
    horizon = do(database, revisions.horizon)
    assert (horizon.newest, horizon.forgotten) == (newest, max(old))
