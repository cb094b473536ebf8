"""The audit: an entry for each change, in its transaction, and none for what changes nothing."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import audit
from tests.api import states
from tests.api.holders import bearer, make_key, notice
from tests.api.problems import refused
from tests.api.serving import ACTIVATIONS, EXPERIMENTS, STUDIES, serving

AUDIT = "/api/v1/audit"
GRID: dict[str, Any] = {"factors": {"activation": ["relu"]}, "seeds": [0]}
RELU = {"activation": "relu"}


def entries(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(AUDIT, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest.mark.defends("denial")
def test_audit_tells_who_changed_what_and_from_where(client: TestClient, database: Database) -> None:
    key = make_key(database, Role.ADMIN, "me")
    notice(client)
    client.headers = bearer(key.text)
    id = client.post(EXPERIMENTS, json=RELU).json()["id"]
    client.post(f"{EXPERIMENTS}/{id}/cancel")
    newest, first = entries(client)
    assert (newest["action"], newest["path"]) == ("cancel_experiment", f"{EXPERIMENTS}/{id}/cancel")
    assert {name: first[name] for name in ("principal", "name", "action", "path", "address", "details")} == {
        "principal": key.id, "name": "me", "action": "submit_experiment", "path": EXPERIMENTS,
        "address": "testclient", "details": {"location": f"{EXPERIMENTS}/{id}"},
    }  # fmt: skip
    assert key.text[16:] not in client.get(AUDIT).text


@states.on_sqlite
@pytest.mark.defends("denial")
def test_audit_has_an_entry_for_each_kind_of_change(client: TestClient) -> None:
    study = client.post(STUDIES, json=GRID).json()["id"]
    client.patch(f"{STUDIES}/{study}", json={"name": "mine"})
    client.post(f"{EXPERIMENTS}/cancel", json={"filters": {}})
    client.post(f"{EXPERIMENTS}/retry", json={"filters": {}})
    client.post(f"{EXPERIMENTS}/cancel", json={"filters": {}})
    client.post(f"{EXPERIMENTS}/delete", json={"filters": {}})
    client.delete(f"{STUDIES}/{study}")
    client.post(ACTIVATIONS, json={"name": "mine", "formula": "x"})
    key = client.post("/api/v1/keys", json={"name": "me", "role": "admin"}).json()
    client.headers = bearer(key["key"])
    listed = entries(client)
    assert [entry["action"] for entry in reversed(listed)] == [
        "submit_study", "edit_study", "cancel_experiments", "retry_experiments", "cancel_experiments",
        "delete_experiments", "delete_study", "register_activation", "create_key",
    ]  # fmt: skip
    assert listed[0]["details"] == {"name": "me", "role": "admin", "location": f"/api/v1/keys/{key['id']}"}
    assert listed[-3]["details"] == {"experiments": 1}
    assert {entry["principal"] for entry in listed} == {"local"}


@states.on_sqlite
def test_audit_is_silent_on_what_changes_nothing(client: TestClient) -> None:
    once = {"Idempotency-Key": "k"}
    for _ in range(2):
        client.post(EXPERIMENTS, json=RELU, headers=once)
        client.post(f"{EXPERIMENTS}/retry", json={"filters": {"status": "failed"}}, headers={"Idempotency-Key": "l"})
    client.post(f"{STUDIES}?dry_run=true", json=GRID)
    client.post(f"{EXPERIMENTS}/cancel?dry_run=true", json={"filters": {}})
    client.post(f"{ACTIVATIONS}/preview", json={"formula": "x"})
    refused(client.delete(f"{EXPERIMENTS}/{states.SOME_ID}"), 404)
    refused(client.post(EXPERIMENTS, json={}), 422)
    assert [entry["action"] for entry in entries(client)] == ["submit_experiment"]


@pytest.mark.defends("denial")
def test_change_is_undone_where_the_audit_fails(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr(audit, "record", fail)
    assert client.post(EXPERIMENTS, json=RELU).status_code == 500
    assert client.get(EXPERIMENTS).json()["items"] == []


def test_audit_is_paged_and_filtered(client: TestClient) -> None:
    ids = [client.post(EXPERIMENTS, json=RELU).json()["id"] for _ in range(3)]
    first = client.get(AUDIT, params={"limit": 2}).json()
    second = client.get(AUDIT, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    paths = [entry["details"]["location"] for entry in [*first["items"], *second["items"]]]
    assert paths == [f"{EXPERIMENTS}/{id}" for id in reversed(ids)]
    assert second["next_cursor"] is None
    assert entries(client, action=["cancel_study", "delete_study"]) == []
    assert len(entries(client, principal="local", at_min=first["items"][0]["at"])) == 1
    assert len(entries(client, at_max="2020-01-01T00:00:00Z")) == 0
    refused(client.get(AUDIT, params={"cursor": first["next_cursor"], "action": "x"}), 422, "invalid_cursor")


@pytest.mark.parametrize(("trusted", "address"), [("testclient", "192.0.2.7"), ("", "testclient")])
@states.on_sqlite
@pytest.mark.defends("denial")
def test_audit_takes_the_address_from_trusted_proxies_alone(
    settings: Settings, database: Database, trusted: str, address: str
) -> None:
    headers = bearer(make_key(database, Role.ADMIN).text) | {"X-Forwarded-For": "192.0.2.7"}
    with serving(settings.model_copy(update={"trusted_proxies": trusted})) as client:
        client.headers = headers
        client.post(EXPERIMENTS, json=RELU)
        assert entries(client)[0]["address"] == address
