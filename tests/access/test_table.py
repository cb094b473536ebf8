"""The table of keys that a process holds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.access.keys import Key, NewKey, generate
from service.access.roles import Role
from service.access.table import LONGEST_AGE_SECONDS, KeyTable, Snapshot
from service.domain.errors import Unauthorized

NEW = generate()
KEY = Key(NEW.id, "ci", Role.SUBMITTER, NEW.sha256, None, None)


class Source:
    """A database of keys, and a clock."""

    def __init__(self, *keys: Key) -> None:
        self.version = 1
        self.now = 100.0
        self.reads = 0
        self.keys = {key.id: key for key in keys}

    def put(self, key: Key) -> None:
        self.keys = {**self.keys, key.id: key}
        self.version += 1

    def read(self, version: int) -> Snapshot | None:
        self.reads += 1
        return None if version == self.version else Snapshot(self.version, self.keys)

    def table(self) -> KeyTable:
        table = KeyTable(self.read, clock=lambda: self.now)
        table.refresh()
        return table


def test_principal_returns_who_a_key_stands_for() -> None:
    principal = Source(KEY).table().principal(NEW.text)
    assert (principal.id, principal.name, principal.role) == (NEW.id, "ci", Role.SUBMITTER)


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        (KEY, "secret", "not an API key"),
        (KEY, generate().text, "no such"),
        (KEY, NewKey(NEW.id, f"actlab_{NEW.id}_{'x' * 43}").text, "no such"),
        (replace(KEY, revoked_at=datetime.now(UTC)), NEW.text, "revoked"),
        (replace(KEY, expires_at=datetime.now(UTC) - timedelta(seconds=1)), NEW.text, "expired"),
    ],
    ids=["no key", "another id", "another secret", "revoked", "expired"],  # not the random texts
)
def test_principal_refuses_keys_that_are_not_valid(key: Key, text: str, says: str) -> None:
    with pytest.raises(Unauthorized, match=says):
        Source(key).table().principal(text)


def test_principal_does_not_tell_a_stranger_that_a_key_was_revoked() -> None:
    table = Source(replace(KEY, revoked_at=datetime.now(UTC))).table()
    with pytest.raises(Unauthorized, match="no such"):
        table.principal(f"actlab_{NEW.id}_{'x' * 43}")


@pytest.mark.defends("theft")
def test_refresh_takes_a_revocation() -> None:
    source = Source(KEY)
    table = source.table()
    principal = table.principal(NEW.text)
    assert table.holds(principal)
    source.put(replace(KEY, revoked_at=datetime.now(UTC)))
    table.refresh()
    assert not table.holds(principal)
    with pytest.raises(Unauthorized):
        table.principal(NEW.text)


@pytest.mark.defends("theft")
def test_table_is_fresh_for_a_second_after_the_read_began() -> None:
    source = Source(KEY)
    table = source.table()
    source.now += LONGEST_AGE_SECONDS
    assert table.fresh
    source.now += 0.001
    assert not table.fresh
    table.refresh()
    assert table.fresh


def test_table_keeps_its_keys_when_a_refresh_fails() -> None:
    source = Source(KEY)
    table = source.table()
    source.now += 2
    source.read = None  # type: ignore[assignment,method-assign]
    table._read = source.read
    with pytest.raises(TypeError):
        table.refresh()
    assert table.principal(NEW.text).id == NEW.id
    assert not table.fresh


@pytest.mark.parametrize("key", [KEY, replace(KEY, revoked_at=datetime.now(UTC))])
def test_table_is_empty_until_the_first_key_was_made(key: Key) -> None:
    assert Source().table().empty
    assert not Source(key).table().empty


def test_take_used_returns_each_use_once() -> None:
    table = Source(KEY).table()
    table.principal(NEW.text)
    assert list(table.take_used()) == [NEW.id]
    assert table.take_used() == {}
