"""`actlab keys`, and the commands that send a key."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actlab.cli.main import app
from service.access.keys import PATTERN
from service.domain.errors import KeyNotFound, NameTaken
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import audit
from service.storage.records.audit import Filter
from tests.api import states
from tests.api.serving import listening

Run = Callable[..., Any]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("ACTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("ACTLAB_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(app, words)


def test_keys_are_made_listed_and_revoked_by_command(run: Run, database: Database) -> None:
    made = run("keys", "create", "--role", "submitter", "--name", "ci", "--expires", "90d")
    (id,) = re.findall(PATTERN, made.stdout)[0][:1]
    assert PATTERN.fullmatch(made.stdout.strip())
    (row,) = json.loads(run("keys", "list", "--json").stdout)["items"]
    assert (row["id"], row["name"], row["created_by"]) == (id, "ci", "console")
    listed = run("keys", "list").stdout
    assert f"{id}  ci" in re.sub(r" {2,}", "  ", listed)
    assert made.stdout.strip()[16:] not in listed
    assert isinstance(run("keys", "create", "--role", "viewer", "--name", "ci").exception, NameTaken)
    assert run("keys", "revoke", "ci").stdout == f"The key {id} is revoked.\n"
    assert isinstance(run("keys", "revoke", id).exception, KeyNotFound)
    assert id not in run("keys", "list").stdout
    assert id in run("keys", "list", "--revoked").stdout
    with database.read() as session:
        entries = audit.page(session, Filter(), limit=50, after=None).items
    assert [(entry.action, entry.principal) for entry in entries] == [
        ("revoke_key", "console"),
        ("create_key", "console"),
    ]


@states.on_sqlite
def test_keys_are_printed_as_json(run: Run) -> None:
    made = json.loads(run("keys", "create", "--role", "viewer", "--name", "wall", "--json").stdout)
    assert PATTERN.fullmatch(made["key"])
    revoked = json.loads(run("keys", "revoke", "wall", "--json").stdout)
    assert (revoked["id"], revoked["role"]) == (made["id"], "viewer")
    assert made["revoked_at"] is None
    assert revoked["revoked_at"]
    assert "key" not in revoked


@pytest.mark.parametrize(
    "words",
    [["--role", "owner", "--name", "a"], ["--role", "viewer", "--name", ""], ["--role", "viewer", "--name", "a\nb"],
     ["--role", "viewer", "--name", "x" * 61], ["--role", "viewer", "--name", "a", "--expires", "1 year"]],
)  # fmt: skip
@states.on_sqlite
def test_keys_create_refuses_wrong_options(run: Run, words: list[str]) -> None:
    assert run("keys", "create", *words).exit_code == 2


@states.on_sqlite
def test_commands_send_the_key_of_the_settings(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    key = run("keys", "create", "--role", "submitter", "--name", "ci").stdout.strip()
    with listening(settings) as url:
        monkeypatch.setenv("ACTLAB_URL", url)
        assert run("study", "submit", "--preset", "quick").exit_code == 1
        monkeypatch.setenv("ACTLAB_API_KEY", key)
        id = run("study", "submit", "--preset", "quick").stdout.strip()
        assert id in run("study", "list").stdout
