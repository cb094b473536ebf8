"""Keys of each role for tests of access, and the ways to send one."""

import base64
from collections.abc import Callable
from datetime import timedelta

from fastapi.testclient import TestClient
from sqlalchemy import update

from service.access.keys import NewKey, generate
from service.access.roles import Role
from service.api.http.credentials import COOKIE
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.records import keys
from service.storage.tables.keys import ApiKey
from tests.api.serving import services_of

Headers = dict[str, str]


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


def basic(text: str) -> Headers:
    return {"Authorization": f"Basic {base64.b64encode(f'anybody:{text}'.encode()).decode()}"}


def cookie(text: str) -> Headers:
    return {"Cookie": f"{COOKIE}={text}"}


WAYS: dict[str, Callable[[str], Headers]] = {"bearer": bearer, "basic": basic, "cookie": cookie}


def make_key(database: Database, role: Role = Role.VIEWER, name: str = "") -> NewKey:
    """Store a key as `actlab keys create` does, which no running service is told of."""
    key = generate()
    database.run("key", lambda s: keys.create(s, "console", key, name or key.id, role, timedelta(days=1)))
    return key


def make_revoked(database: Database) -> NewKey:
    key = make_key(database, Role.ADMIN)
    database.run("revoke", lambda s: keys.revoke(s, key.id))
    return key


def make_expired(database: Database) -> NewKey:
    key = make_key(database, Role.ADMIN)
    ended = update(ApiKey).where(ApiKey.id == key.id).values(expires_at=after(-1))
    database.run("expire", lambda s: s.execute(ended))
    return key


def notice(client: TestClient) -> None:
    """Make the service read the keys now, as it does by itself within a second."""
    services_of(client).gate.table.refresh()
