"""The assembly of the app, and what it needs to start."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.keys import generate
from service.access.roles import Role
from service.api.app import create_app
from service.domain.errors import ConfigurationError
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import keys
from tests.api import states
from tests.api.holders import bearer, make_key
from tests.api.problems import refused

ROOT = "http://127.0.0.1:8000"


def start(settings: Settings) -> None:
    with TestClient(create_app(settings)):
        pass


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "lab.example", "", "127.0.0.2"])
@states.on_sqlite
def test_app_at_a_public_address_starts_only_with_a_key_or_insecure(
    settings: Settings, database: Database, host: str
) -> None:
    public = settings.model_copy(update={"host": host})
    with pytest.raises(ConfigurationError, match="--insecure"):
        start(public)
    start(public.model_copy(update={"insecure": True}))
    make_key(database)
    start(public)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
@states.on_sqlite
def test_app_at_loopback_starts_without_a_key(settings: Settings, host: str) -> None:
    start(settings.model_copy(update={"host": host}))


@states.on_sqlite
def test_app_with_keys_asks_for_one_although_it_is_insecure(settings: Settings, database: Database) -> None:
    key = make_key(database)
    insecure = settings.model_copy(update={"insecure": True, "host": "0.0.0.0"})
    with TestClient(create_app(insecure), base_url=ROOT) as client:
        refused(client.get("/api/v1/me"), 401)
        assert client.get("/api/v1/me", headers=bearer(key.text)).status_code == 200


@pytest.mark.parametrize("by", ["variable", "file"])
def test_app_stores_the_admin_key_of_its_settings_once(
    settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    text = generate().text
    file = tmp_path / "key"
    file.write_text(f"{text}\n")
    given = {"admin_key": text} if by == "variable" else {"admin_key_file": str(file)}
    own = Settings.model_validate(settings.model_dump() | given | {"host": "0.0.0.0"})
    for _ in range(2):
        with TestClient(create_app(own), base_url=ROOT) as client:
            assert client.get("/api/v1/me", headers=bearer(text)).json()["role"] == "admin"
    with database.read() as session:
        assert len(keys.listed(session)) == 1
    assert text not in repr(own)


@states.on_sqlite
def test_app_does_not_make_a_revoked_admin_key_valid_again(settings: Settings, database: Database) -> None:
    key = make_key(database, Role.ADMIN)
    database.run("revoke", lambda s: keys.revoke(s, key.id))
    own = Settings.model_validate(settings.model_dump() | {"admin_key": key.text})
    with TestClient(create_app(own), base_url=ROOT) as client:
        refused(client.get("/api/v1/me", headers=bearer(key.text)), 401)


@pytest.mark.parametrize(
    ("given", "says"),
    [({"admin_key": "secret"}, "not in the format"), ({"admin_key": generate().text, "admin_key_file": "x"}, "both"),
     ({"admin_key_file": "/nothing/here"}, "cannot be read")],
)  # fmt: skip
@states.on_sqlite
def test_app_refuses_a_wrong_admin_key(settings: Settings, given: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        start(Settings.model_validate(settings.model_dump() | given))


@states.on_sqlite
def test_app_refuses_an_admin_key_with_the_id_of_another(settings: Settings, database: Database) -> None:
    key = make_key(database)
    other = f"actlab_{key.id}_{'x' * 43}"
    with pytest.raises(ConfigurationError, match="of another key"):
        start(Settings.model_validate(settings.model_dump() | {"admin_key": other}))
