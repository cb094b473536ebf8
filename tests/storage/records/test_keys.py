"""Records of API keys."""

from datetime import UTC, datetime, timedelta

import pytest

from service.access.keys import NewKey, generate
from service.access.roles import Role
from service.storage.engine.database import Database
from service.storage.records import keys
from tests.storage.steps import do


def create(database: Database, name: str = "ci", lifetime: timedelta | None = None) -> NewKey:
    key = generate()
    assert do(database, keys.create, "local", key, name, Role.VIEWER, lifetime) is not None
    return key


@pytest.mark.defends("database")
def test_create_stores_the_hash_and_not_the_secret(database: Database) -> None:
    key = create(database, lifetime=timedelta(days=90))
    row = do(database, keys.find, key.id)
    assert (row.name, row.role, row.created_by, row.sha256) == ("ci", "viewer", "local", key.sha256)
    assert timedelta(days=89, hours=23) < row.expires_at - datetime.now(UTC) < timedelta(days=90, minutes=1)
    assert key.text not in str(vars(row))


def test_create_refuses_a_name_until_its_key_is_revoked(database: Database) -> None:
    first = create(database)
    assert do(database, keys.create, "local", generate(), "ci", Role.ADMIN, None) is None
    assert do(database, keys.revoke, first.id) is True
    create(database)


def test_revoke_is_for_ever(database: Database) -> None:
    key = create(database)
    assert do(database, keys.revoke, key.id) is True
    revoked_at = do(database, keys.find, key.id).revoked_at
    assert do(database, keys.revoke, key.id) is False
    assert do(database, keys.find, key.id).revoked_at == revoked_at
    assert do(database, keys.revoke, "nothing0") is False


def test_find_named_takes_an_id_before_a_name(database: Database) -> None:
    first = create(database)
    do(database, keys.create, "local", generate(), first.id, Role.VIEWER, None)
    assert do(database, keys.find_named, first.id).id == first.id
    assert do(database, keys.find_named, "ci").id == first.id
    do(database, keys.revoke, first.id)
    assert do(database, keys.find_named, "ci") is None


def test_listed_leaves_revoked_keys_out_unless_asked(database: Database) -> None:
    old, new = create(database, "old"), create(database, "new")
    do(database, keys.revoke, old.id)
    assert [row.id for row in do(database, keys.listed)] == [new.id]
    with database.read() as session:
        assert {row.id for row in keys.listed(session, revoked=True)} == {old.id, new.id}


def test_snapshot_is_read_again_only_after_a_change(database: Database) -> None:
    first = do(database, keys.snapshot, -1)
    assert first.keys == {}
    assert do(database, keys.snapshot, first.version) is None
    key = create(database)
    second = do(database, keys.snapshot, first.version)
    assert second.keys[key.id].sha256 == key.sha256
    do(database, keys.record_use, {key.id: datetime.now(UTC)})
    assert do(database, keys.snapshot, second.version) is None
    do(database, keys.revoke, key.id)
    assert do(database, keys.snapshot, second.version).keys[key.id].revoked_at is not None


def test_record_use_keeps_the_latest_use(database: Database) -> None:
    key = create(database)
    late = datetime(2026, 1, 15, tzinfo=UTC)
    for at in (late, late - timedelta(hours=1)):
        do(database, keys.record_use, {key.id: at})
    assert do(database, keys.find, key.id).last_used_at == late
