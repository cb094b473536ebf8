"""Records of share links."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from service.access.keys import sha256
from service.domain.study import StudySpec
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import shares
from service.storage.studies import records as studies
from service.storage.tables.base import new_id
from service.storage.tables.shares import Share
from tests.storage.steps import do

HASH = sha256("token")


@pytest.fixture
def study(database: Database) -> UUID:
    spec = StudySpec(base={"activation": "relu"})
    return database.run("study", lambda s: studies.create(s, "local", spec, [], new_id()).id)


def create(database: Database, study: UUID, hash: bytes = HASH, lifetime: timedelta | None = None) -> UUID:
    id = new_id()
    do(database, shares.create, "local", study, id, hash, lifetime)
    return id


def test_open_study_counts_views_of_a_link(database: Database, study: UUID) -> None:
    id = create(database, study, lifetime=timedelta(days=1))
    assert [do(database, shares.open_study, HASH) for _ in range(2)] == [study, study]
    assert do(database, shares.open_study, sha256("other")) is None
    row = do(database, shares.find, study, id)
    assert (row.views, row.last_viewed_at is not None) == (2, True)


def test_open_study_refuses_links_that_have_ended(database: Database, study: UUID) -> None:
    revoked, expired = create(database, study), create(database, study, sha256("late"), timedelta(hours=1))
    assert do(database, shares.revoke, study, revoked) is True
    assert do(database, shares.revoke, study, revoked) is False
    ended = update(Share).where(Share.id == expired).values(expires_at=after(-1))
    database.run("expire", lambda s: s.execute(ended))
    assert do(database, shares.open_study, HASH) is None
    assert do(database, shares.open_study, sha256("late")) is None
    assert [row.views for row in do(database, shares.listed, study)] == [0, 0]


def test_links_end_with_their_study(database: Database, study: UUID) -> None:
    create(database, study)
    database.run("delete", lambda s: studies.remove(s, studies.find_locked(s, study)))  # type: ignore[arg-type]
    assert do(database, shares.open_study, HASH) is None
