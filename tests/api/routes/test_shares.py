"""Share links: a read-only page of one study, and nothing else."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import WAYS, bearer, make_key, notice
from tests.api.markup import Page
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, serving

GRID: dict[str, Any] = {"name": "shared", "question": "Which?", "base": {"dataset": "mnist_5k", "epochs": 1},
                        "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}  # fmt: skip


def share(client: TestClient, study: str, **body: Any) -> Any:
    answer = client.post(f"{STUDIES}/{study}/shares", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def closed(client: TestClient, database: Database) -> TestClient:
    """Return a client with a key that may share; the key is its default, which a test takes off."""
    key = make_key(database, Role.SUBMITTER)
    notice(client)
    client.headers = bearer(key.text)
    return client


@states.on_sqlite
def test_shared_page_is_the_report_of_the_study_as_it_is_now(closed: TestClient, database: Database) -> None:
    study = closed.post(STUDIES, json=GRID).json()["id"]
    made = share(closed, study, expires="4w")
    assert made["expires_at"] is not None
    headers = dict(closed.headers)
    closed.headers.pop("Authorization")
    before = closed.get(made["url"])
    assert before.headers["content-type"] == "text/html; charset=utf-8"
    states.finish_queued(database, lambda spec: 0.9)
    after = closed.get(made["url"])
    assert "Which?" in before.text
    assert before.text != after.text
    assert all(address.startswith("data:") for address in Page(after.text).addresses)
    assert "<script" not in after.text
    closed.headers = headers
    (listed,) = closed.get(f"{STUDIES}/{study}/shares").json()["items"]
    assert (listed["id"], listed["views"]) == (made["id"], 2)
    assert made["url"] not in closed.get(f"{STUDIES}/{study}/shares").text


@states.on_sqlite
@pytest.mark.defends("share")
def test_shared_page_reaches_nothing_else(closed: TestClient) -> None:
    study = closed.post(STUDIES, json=GRID).json()["id"]
    url = share(closed, study)["url"]
    token = url.removeprefix("/s/")
    closed.headers.pop("Authorization")
    others = (f"{STUDIES}/{study}", f"{STUDIES}/{study}/report", EXPERIMENTS, "/api/v1/me", f"{url}/", f"{url}/report")
    for path in others:
        for headers in ({}, *(way(token) for way in WAYS.values())):
            refused(closed.get(path, headers=headers), 401)
        refused(closed.get(f"{path}?token={token}"), 401)
    refused(closed.post(url), 405)
    refused(closed.delete(url), 405)


@states.on_sqlite
@pytest.mark.defends("share")
def test_shared_page_ends_when_its_link_is_revoked(closed: TestClient) -> None:
    study = closed.post(STUDIES, json=GRID).json()["id"]
    made = share(closed, study)
    assert closed.get(made["url"]).status_code == 200
    at = f"{STUDIES}/{study}/shares/{made['id']}"
    assert closed.get(at).json()["revoked_at"] is None
    assert closed.delete(at).status_code == 204
    refused(closed.get(made["url"]), 404, "share_not_found")
    refused(closed.delete(at), 404, "share_not_found")
    refused(closed.delete(f"{STUDIES}/{states.SOME_ID}/shares/{made['id']}"), 404)


@pytest.mark.parametrize("token", ["t" * 43, "t" * 42, "x", "%00", "a b"])
@pytest.mark.defends("share")
def test_shared_page_of_a_wrong_token(steady: TestClient, token: str) -> None:
    assert steady.get(f"/s/{token}").status_code in (404, 422)


@states.on_sqlite
def test_create_share_again_with_its_idempotency_key_is_a_conflict(closed: TestClient) -> None:
    study = closed.post(STUDIES, json=GRID).json()["id"]
    path, once = f"{STUDIES}/{study}/shares", {"Idempotency-Key": "k"}
    first = closed.post(path, json={}, headers=once)
    assert closed.get(first.headers["location"]).json()["id"] == first.json()["id"]
    refused(closed.post(path, json={}, headers=once), 409, "key_not_stored")
    assert len(closed.get(path).json()["items"]) == 1


@pytest.mark.parametrize("body", [{"expires": "1 year"}, {"expires": 3}, {"token": "mine"}])
@states.on_sqlite
def test_create_share_refuses_wrong_fields(closed: TestClient, body: dict[str, Any]) -> None:
    study = closed.post(STUDIES, json=GRID).json()["id"]
    refused(closed.post(f"{STUDIES}/{study}/shares", json=body), 422)
    refused(closed.post(f"{STUDIES}/{states.SOME_ID}/shares", json={}), 404)


@pytest.mark.parametrize(
    ("embedding", "policy"),
    [("", "frame-ancestors 'none'"), ("https://wiki.example", "frame-ancestors https://wiki.example")],
)
@states.on_sqlite
@pytest.mark.defends("share")
def test_shared_page_alone_is_embedded_by_the_origins_of_the_setting(
    settings: Settings, embedding: str, policy: str
) -> None:
    with serving(settings.model_copy(update={"share_embedding": embedding})) as client:
        study = client.post(STUDIES, json=GRID).json()["id"]
        page = client.get(share(client, study)["url"])
        assert page.headers["content-security-policy"] == policy
        assert page.headers["referrer-policy"] == "no-referrer"
        for path in ("/", "/docs"):
            assert "frame-ancestors 'none'" in client.get(path).headers["content-security-policy"]
        assert client.get(f"{STUDIES}/{study}/report").headers["x-frame-options"] == "DENY"
