"""Routes of API keys, of the sender, and of sessions."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient

from service.access.keys import NewKey
from service.api.http.credentials import COOKIE
from service.background import key_use
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.records import keys
from tests.api import states
from tests.api.holders import bearer, make_expired, make_key, make_revoked, notice
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, listening, services_of

KEYS = "/api/v1/keys"
ME = "/api/v1/me"
SESSION = "/api/v1/session"


def make(client: TestClient, name: str = "ci", role: str = "submitter", **more: Any) -> Any:
    answer = client.post(KEYS, json={"name": name, "role": role, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- keys ----------------------------------------------------------------------------------------------------------


def test_first_key_closes_the_service_at_once(client: TestClient) -> None:
    assert client.get(ME).json() == {"id": "local", "name": "local", "role": "admin", "expires_at": None, "open": True}
    admin = make(client, "admin", "admin")
    refused(client.get(ME), 401, "unauthorized")
    me = client.get(ME, headers=bearer(admin["key"])).json()
    assert me == {"id": admin["id"], "name": "admin", "role": "admin", "expires_at": None, "open": False}


@states.on_sqlite
def test_create_key_shows_the_key_once(client: TestClient) -> None:
    answer = client.post(KEYS, json={"name": "ci", "role": "admin", "expires": "90d"})
    key = answer.json()
    assert answer.headers["location"] == f"{KEYS}/{key['id']}"
    assert key["key"].startswith(f"actlab_{key['id']}_")
    client.headers = bearer(key["key"])
    (listed,) = client.get(KEYS).json()["items"]
    assert listed == {name: value for name, value in key.items() if name != "key"}
    assert client.get(answer.headers["location"]).json() == listed
    assert key["key"][16:] not in client.get(KEYS).text


@states.on_sqlite
def test_create_key_refuses_a_name_that_another_key_has(client: TestClient) -> None:
    client.headers = bearer(make(client, "admin", "admin")["key"])
    make(client)
    refused(client.post(KEYS, json={"name": "ci", "role": "viewer"}), 409, "name_taken")


@pytest.mark.parametrize(
    ("body", "at"),
    [({"name": "", "role": "viewer"}, "/name"), ({"name": "x" * 61, "role": "viewer"}, "/name"),
     ({"name": "a", "role": "owner"}, "/role"), ({"name": "a"}, "/role"),
     ({"name": "a", "role": "viewer", "expires": "1 year"}, "/expires"),
     ({"name": "a", "role": "viewer", "key": "mine"}, "/key")],
)  # fmt: skip
def test_create_key_refuses_wrong_fields(steady: TestClient, body: dict[str, str], at: str) -> None:
    refused(steady.post(KEYS, json=body), 422, at=at)


@states.on_sqlite
def test_create_key_again_with_its_idempotency_key_is_a_conflict(client: TestClient) -> None:
    client.headers = bearer(make(client, "admin", "admin")["key"])
    body, once = {"name": "ci", "role": "viewer"}, {"Idempotency-Key": "k"}
    first = client.post(KEYS, json=body, headers=once)
    problem = refused(client.post(KEYS, json=body, headers=once), 409, "key_not_stored")
    assert first.json()["id"] in problem["detail"]
    refused(client.post(KEYS, json={**body, "role": "admin"}, headers=once), 422, "idempotency_mismatch")
    assert len(client.get(KEYS).json()["items"]) == 2


@states.on_sqlite
def test_revoke_key_holds_at_once_in_this_process(client: TestClient) -> None:
    client.headers = bearer(make(client, "admin", "admin")["key"])
    other = make(client)
    assert client.get(ME, headers=bearer(other["key"])).status_code == 200
    assert client.delete(f"{KEYS}/{other['id']}").status_code == 204
    refused(client.get(ME, headers=bearer(other["key"])), 401)
    refused(client.delete(f"{KEYS}/{other['id']}"), 404, "key_not_found")
    assert [key["id"] for key in client.get(KEYS).json()["items"]] == [client.get(ME).json()["id"]]
    assert other["id"] in client.get(KEYS, params={"revoked": True}).text
    assert client.get(f"{KEYS}/{other['id']}").json()["revoked_at"] is not None


@states.on_sqlite
def test_revoke_key_of_the_sender_is_answered_and_does_not_open_the_service(client: TestClient) -> None:
    admin = make(client, "admin", "admin")
    assert client.delete(f"{KEYS}/{admin['id']}", headers=bearer(admin["key"])).status_code == 204
    refused(client.get(ME, headers=bearer(admin["key"])), 401)
    refused(client.get(ME), 401)


@pytest.mark.parametrize("id", ["local", "nothing0", "a" * 9, "ä" * 8])
def test_get_key_that_does_not_exist(steady: TestClient, id: str) -> None:
    assert steady.get(f"{KEYS}/{id}").status_code in (404, 422)


@pytest.mark.defends("theft")
def test_changes_by_another_process_hold_within_a_second(client: TestClient, database: Database) -> None:
    key = make_key(database)
    time.sleep(1)
    assert client.get(ME, headers=bearer(key.text)).status_code == 200
    refused(client.get(ME), 401)
    revoked = make_revoked(database)
    time.sleep(1)
    problem = refused(client.get(ME, headers=bearer(revoked.text)), 401)
    assert "revoked" in problem["detail"]


@states.on_sqlite
@pytest.mark.defends("theft")
def test_expired_key_is_refused(client: TestClient, database: Database) -> None:
    expired = make_expired(database)
    notice(client)
    assert "expired" in refused(client.get(ME, headers=bearer(expired.text)), 401)["detail"]


def test_last_use_of_a_key_is_stored_by_the_flush(client: TestClient, database: Database) -> None:
    client.headers = bearer(make(client, "admin", "admin")["key"])
    assert client.get(KEYS).json()["items"][0]["last_used_at"] is None
    key_use.flush(database, services_of(client).gate.table)
    assert client.get(KEYS).json()["items"][0]["last_used_at"] is not None


# --- created_by ----------------------------------------------------------------------------------------------------


def test_created_by_names_the_key_and_filters(client: TestClient) -> None:
    old = client.post(EXPERIMENTS, json={"activation": "relu"}).json()
    admin = make(client, "admin", "admin")
    client.headers = bearer(admin["key"])
    ci = make(client)
    ours = client.post(EXPERIMENTS, json={"activation": "tanh"}, headers=bearer(ci["key"])).json()
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}, headers=bearer(ci["key"]))
    assert (old["created_by"], ours["created_by"], study.json()["created_by"]) == ("local", ci["id"], ci["id"])

    def ids(headers: dict[str, str], path: str = EXPERIMENTS, **query: Any) -> list[str]:
        return [item["id"] for item in client.get(path, params=query, headers=headers).json()["items"]]

    mine, theirs = bearer(ci["key"]), bearer(admin["key"])
    assert ids(mine, mine=True, activation="tanh") == [ours["id"]]
    assert ids(theirs, mine=True) == ids(theirs, STUDIES, mine=True) == []
    assert ids(theirs, created_by="local") == [old["id"]]
    assert len(ids(theirs, created_by=["local", ci["id"]])) == 3
    assert ids(mine, mine=True, created_by="local") == []
    assert ids(mine, STUDIES, mine=True) == ids(theirs, STUDIES, created_by=ci["id"]) == [study.json()["id"]]
    cancelled = client.post(f"{EXPERIMENTS}/cancel", json={"filters": {"mine": True}}, headers=mine).json()
    assert cancelled == {"count": 2}


@states.on_sqlite
def test_mine_of_one_key_is_never_answered_to_another(client: TestClient, database: Database) -> None:
    admin = bearer(make(client, "admin", "admin")["key"])
    ci = bearer(client.post(KEYS, json={"name": "ci", "role": "submitter"}, headers=admin).json()["key"])
    id = client.post(EXPERIMENTS, json={"activation": "relu"}, headers=ci).json()["id"]
    client.post(f"{EXPERIMENTS}/{id}/cancel", headers=ci)  # what has ended is answered from memory
    for _ in range(3):
        assert [len(client.get(f"{EXPERIMENTS}?mine=true", headers=key).json()["items"]) for key in (ci, admin)] == [
            1,
            0,
        ]


# --- sessions ------------------------------------------------------------------------------------------------------


@states.on_sqlite
@pytest.mark.defends("script")
def test_session_sets_a_cookie_that_no_script_and_no_other_site_gets(client: TestClient) -> None:
    key = make(client, expires="1d")["key"]
    answer = client.post(SESSION, json={"key": key})
    assert answer.json()["role"] == "submitter"
    header = answer.headers["set-cookie"]
    assert header.startswith(f"{COOKIE}={key};")
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(header.split("; "))
    assert 86_300 < int(re.findall(r"Max-Age=(\d+)", header)[0]) <= 86_400
    assert "Secure" not in header
    assert client.get(ME).json()["open"] is False
    ended = client.delete(SESSION)
    assert ended.status_code == 204
    assert "Max-Age=0" in ended.headers["set-cookie"]
    refused(client.get(ME), 401)


@states.on_sqlite
@pytest.mark.defends("script")
def test_session_over_https_is_bound_to_host_and_scheme(client: TestClient) -> None:
    key = make(client)["key"]
    client.base_url = "https://127.0.0.1:8000"
    header = client.post(SESSION, json={"key": key}).headers["set-cookie"]
    assert header.startswith(f"__Host-{COOKIE}={key};")
    assert "Secure" in header
    assert client.get(ME).status_code == 200
    client.cookies.clear()
    refused(client.get(ME, headers={"Cookie": f"{COOKIE}={key}"}), 401)


@states.on_sqlite
def test_session_refuses_what_is_no_valid_key(client: TestClient, database: Database) -> None:
    make(client, "admin", "admin")
    revoked = make_revoked(database).text
    notice(client)
    for key in ("", "x", revoked, f"actlab_{'a' * 8}_{'b' * 43}"):
        answer = client.post(SESSION, json={"key": key})
        refused(answer, 401, "unauthorized")
        assert "set-cookie" not in answer.headers
        assert answer.headers["www-authenticate"].startswith("Bearer")


@states.on_sqlite
@pytest.mark.defends("fixation")
def test_session_cannot_be_fixed_beforehand(client: TestClient) -> None:
    """A cookie that a stranger has set is no session, and signing in replaces it."""
    key = make(client)["key"]
    client.cookies.set(COOKIE, "chosen-by-a-stranger", domain="127.0.0.1")
    refused(client.get(ME), 401)
    answer = client.post(SESSION, json={"key": key})
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}={key};")
    refused(client.get(ME, headers={"Cookie": f"{COOKIE}=chosen-by-a-stranger"}), 401)


# --- what takes long -----------------------------------------------------------------------------------------------


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with listening(settings.model_copy(update={"heartbeat_seconds": 0.2})) as root:
        yield root


def revoke(database: Database, key: NewKey) -> None:
    assert database.run("revoke", lambda s: keys.revoke(s, key.id))


@pytest.mark.defends("theft")
def test_stream_breaks_off_when_its_key_is_revoked(database: Database, url: str) -> None:
    key = make_key(database)
    time.sleep(1)
    with (
        httpx.Client(base_url=url, headers=bearer(key.text)) as client,
        client.stream("GET", "/api/v1/events?seconds=20") as answer,
    ):
        lines = answer.iter_lines()
        next(lines)
        time.sleep(1)
        next(lines)
        revoke(database, key)
        began = time.monotonic()
        with pytest.raises(httpx.RemoteProtocolError):
            list(lines)
    assert time.monotonic() - began < 2


@states.on_sqlite
@pytest.mark.defends("theft")
def test_wait_is_refused_when_its_key_was_revoked(database: Database, url: str) -> None:
    key, id = make_key(database), states.queue(database)
    time.sleep(1)
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=url, headers=bearer(key.text)) as client:
        answer = pool.submit(client.get, f"{EXPERIMENTS}/{id}?wait=2")
        time.sleep(0.3)
        revoke(database, key)
        refused(answer.result(), 401)
