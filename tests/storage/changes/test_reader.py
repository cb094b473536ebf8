"""Reading changes in the event loop: what is committed, at once, and never by waiting."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from service.domain.study import StudySpec
from service.storage.changes import revisions
from service.storage.changes.reader import ChangeReader
from service.storage.engine.database import Database
from service.storage.records import experiments
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from tests.api import states
from tests.conftest import make_experiment


@pytest.fixture
def reader(database: Database) -> Iterator[ChangeReader]:
    opened = ChangeReader.of(database)
    assert opened is not None
    with closing(opened):
        yield opened


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_there_is_no_reader_of_postgresql(database: Database) -> None:
    assert ChangeReader.of(database) is None


@states.on_sqlite
def test_since_returns_new_revisions_of_all_that_changed(database: Database, reader: ChangeReader) -> None:
    first = states.finish(database)
    before = reader.newest()
    assert reader.since(before, 10) == {}
    second = states.queue(database)
    with database.write("edit") as session:
        revisions.stamp(session, [first])
    assert reader.newest() == before + 2
    assert reader.since(before, 10) == {second: before + 1, first: before + 2}
    assert reader.since(before, 1) is None


@states.on_sqlite
def test_since_names_deleted_experiments_and_changed_studies(database: Database, reader: ChangeReader) -> None:
    id = states.finish(database)
    before = reader.newest()
    study = new_id()
    with database.write("delete") as session:
        assert experiments.remove(session, id)
        studies.create(session, "local", StudySpec(base={"activation": "relu"}), [], study)
    changed = reader.since(before, 10)
    assert changed is not None
    assert changed.keys() == {id, study}


@states.on_sqlite
def test_newest_ignores_what_is_not_committed_and_does_not_wait(database: Database, reader: ChangeReader) -> None:
    before = reader.newest()
    with database.write("make") as session:
        make_experiment(session)
        begun = time.monotonic()
        assert (reader.newest(), reader.since(before, 10)) == (before, {})
        assert time.monotonic() - begun < 1
    assert reader.newest() == before + 1
