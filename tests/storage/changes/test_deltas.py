"""Rows that changed after a revision."""

from uuid import UUID

import pytest

from service.storage.changes import deltas, revisions
from service.storage.changes.deltas import EVERYTHING, Deltas, Scope
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.tables.base import new_id
from service.storage.tables.studies import Study
from tests.conftest import make_experiment
from tests.making import make_epoch
from tests.storage.steps import cancel, claimed, do


def newest(database: Database) -> int:
    revision: int = do(database, revisions.newest)
    return revision


def since(database: Database, revision: int, scope: Scope = EVERYTHING, limit: int = 100) -> Deltas:
    with database.read() as session:
        changes = deltas.since(session, revision, scope, limit)
    assert changes is not None
    return changes


@pytest.fixture
def study(database: Database) -> UUID:
    id = new_id()
    with database.write("make") as session:
        session.add(Study(id=id, principal="local", base={}, factors={}, grids=[], seeds=[0]))
    return id


def test_since_returns_changed_experiments_with_their_changed_epochs(database: Database, experiment: UUID) -> None:
    fence = claimed(database)
    do(database, transitions.record_epoch, fence, make_epoch(1))
    seen = newest(database)
    assert since(database, seen) == Deltas([], [], [], [])
    do(database, transitions.record_epoch, fence, make_epoch(2))
    changes = since(database, seen)
    assert [row.id for row in changes.experiments] == [experiment]
    assert [row.epoch for row in changes.epochs] == [2]


def test_since_returns_tombstones_of_deleted_experiments(database: Database, experiment: UUID) -> None:
    cancel(database, experiment)
    seen = newest(database)
    do(database, experiments.remove, experiment)
    changes = since(database, seen)
    assert ([row.id for row in changes.tombstones], changes.experiments) == ([experiment], [])


def test_since_selects_a_study_with_its_experiments(database: Database, study: UUID) -> None:
    with database.write("make") as session:
        inside, outside = make_experiment(session), make_experiment(session)
        inside.study_id = study
    cancel(database, outside.id)
    cancel(database, inside.id)
    changes = since(database, 0, Scope(studies=frozenset({study})))
    assert [row.id for row in changes.experiments] == [inside.id]
    assert [row.id for row in changes.studies] == [study]


def test_since_and_ids_return_none_over_the_limit(database: Database) -> None:
    for _ in range(2):
        database.run("make", make_experiment)
    with database.read() as session:
        assert deltas.since(session, 0, EVERYTHING, limit=1) is None
        assert deltas.ids(session, 0, limit=1) is None


def test_ids_returns_the_newest_revision_of_each_row(database: Database, experiment: UUID) -> None:
    cancel(database, experiment)
    with database.read() as session:
        assert deltas.ids(session, 0, limit=10) == {experiment: 2}


@pytest.mark.parametrize(
    ("scope", "is_held"),
    [(EVERYTHING, True), (Scope(experiments=frozenset({UUID(int=1)})), True),
     (Scope(studies=frozenset({UUID(int=2)})), True), (Scope(studies=frozenset({UUID(int=9)})), False)],
)  # fmt: skip
def test_scope_holds_an_experiment_by_id_or_study(scope: Scope, is_held: bool) -> None:
    assert scope.holds(UUID(int=1), UUID(int=2)) is is_held
