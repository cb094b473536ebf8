"""The API keys in the database of this machine's settings: make, list and revoke them without the API."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from typing import TypeVar

from service.access import keys as api_keys
from service.access.principals import CONSOLE
from service.access.roles import Role
from service.domain.errors import KeyNotFound, NameTaken
from service.settings import Settings
from service.storage.engine.database import open_database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import audit, keys
from service.storage.records.audit import Sender
from service.storage.tables.keys import ApiKey

T = TypeVar("T")


def create(settings: Settings, name: str, role: Role, lifetime: timedelta | None) -> tuple[ApiKey, str]:
    """Store a new key; return its record and its text. Raises NameTaken."""
    key = api_keys.generate()

    def work(session: UnitOfWork) -> ApiKey | None:
        row = keys.create(session, CONSOLE.id, key, name, role, lifetime)
        if row is not None:
            audit.record(session, Sender(CONSOLE, "create_key"), {"key": key.id, "name": name, "role": role})
        return row

    row = _run(settings, "create_key", work)
    if row is None:
        raise NameTaken(f"A key {name!r} exists. Revoke it, or choose another name.")
    return row, key.text


def listed(settings: Settings, *, revoked: bool) -> Sequence[ApiKey]:
    """Return the keys, the newest first."""
    return _run(settings, "list_keys", lambda session: keys.listed(session, revoked=revoked))


def revoke(settings: Settings, id_or_name: str) -> ApiKey:
    """Revoke a key and return its record. Raises KeyNotFound."""

    def work(session: UnitOfWork) -> ApiKey | None:
        row = keys.find_named(session, id_or_name)
        if row is None or not keys.revoke(session, row.id):
            return None
        audit.record(session, Sender(CONSOLE, "revoke_key"), {"key": row.id, "name": row.name})
        return keys.find(session, row.id)

    row = _run(settings, "revoke_key", work)
    if row is None:
        raise KeyNotFound(f"There is no key {id_or_name!r}, or it is revoked.")
    return row


def _run(settings: Settings, name: str, work: Callable[[UnitOfWork], T]) -> T:
    with closing(open_database(settings)) as database:
        return database.run(name, work)
