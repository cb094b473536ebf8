"""`actlab login`, and the order of the options that name a service."""

from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from actlab import configuration
from actlab.cli.main import app
from service.access import keys as api_keys
from service.access.principals import CONSOLE
from service.access.roles import Role
from service.storage.engine.database import Database
from service.storage.records import keys
from tests.api import states
from tests.waiting import await_true

pytestmark = states.on_sqlite


@pytest.fixture(autouse=True)
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.delenv("ACTLAB_URL", raising=False)
    monkeypatch.delenv("ACTLAB_API_KEY", raising=False)
    return configuration.path()


def make_key(database: Database) -> str:
    key = api_keys.generate()
    with database.write("key") as session:
        keys.create(session, CONSOLE.id, key, "ci", Role.SUBMITTER, None)
    return key.text


def await_noticed(url: str) -> None:
    """Wait until the service has noticed that there is a key."""
    await_true(lambda: httpx2.get(f"{url}/api/v1/me").status_code == 401)


def test_login_stores_a_key_that_the_service_knows(database: Database, url: str, file: Path) -> None:
    key = make_key(database)
    await_noticed(url)
    signed_in = CliRunner().invoke(app, ["login"], input=f"{url}\n{key}\n")
    assert signed_in.exit_code == 0, signed_in.output
    assert "Signed in as ci (submitter)" in signed_in.stderr
    assert key not in signed_in.output
    assert configuration.resolve() == configuration.Configuration(url, key)
    assert CliRunner().invoke(app, ["queue"]).exit_code == 0


def test_login_stores_no_key_that_the_service_refuses(database: Database, url: str, file: Path) -> None:
    make_key(database)
    await_noticed(url)
    refused = CliRunner().invoke(app, ["login", "--url", url], input=f"{api_keys.generate().text}\n")
    assert refused.exit_code == 1
    assert not file.exists()


def test_login_stores_the_url_of_a_service_without_keys(url: str, file: Path) -> None:
    signed_in = CliRunner().invoke(app, ["--url", url, "login"], input="\n")
    assert "lets everybody in" in signed_in.stderr
    assert configuration.read(file) == configuration.Stored(url, None)


def test_url_before_a_command_names_the_service(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTLAB_URL", "http://127.0.0.1:1")
    assert CliRunner().invoke(app, ["queue"]).exit_code == 1
    assert CliRunner().invoke(app, ["--url", url, "queue"]).exit_code == 0
    assert CliRunner().invoke(app, ["queue"]).exit_code == 1
