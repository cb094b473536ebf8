"""Requests that are sent again with the same Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from service.settings import Settings
from service.storage.engine.clock import after
from service.storage.engine.database import Database
from service.storage.tables.requests import IdempotencyKey
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, raw, serving

RELU = {"activation": "relu", "epochs": 3}
GRID = {"factors": {"activation": ["relu", "tanh"]}, "seeds": [0]}


def post(client: TestClient, path: str = EXPERIMENTS, body: Any = RELU, key: str = "mine", **more: Any) -> Response:
    payload = {"content": body} if isinstance(body, bytes) else {"json": body}
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return client.post(path, headers=headers, **{**payload, **more})


def count(client: TestClient) -> int:
    return len(client.get(EXPERIMENTS).json()["items"])


def retry_path(client: TestClient) -> str:
    id = client.post(EXPERIMENTS, json=RELU).json()["id"]
    client.post(f"{EXPERIMENTS}/{id}/cancel")
    return f"{EXPERIMENTS}/{id}/retry"


@pytest.mark.parametrize("route", ["experiments", "studies", "retry"])
def test_replay_has_the_same_answer_and_creates_nothing(client: TestClient, route: str) -> None:
    path, body = {"experiments": (EXPERIMENTS, RELU), "studies": (STUDIES, GRID)}.get(route) or (
        retry_path(client),
        None,
    )
    first, again = post(client, path, body), post(client, path, body)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])
    assert again.json() == first.json()
    assert count(client) == {"experiments": 1, "studies": 2, "retry": 2}[route]


def test_replay_shows_the_current_state(client: TestClient, database: Database) -> None:
    id = post(client).json()["id"]
    states.finish_queued(database, lambda spec: 0.9)
    replayed = post(client).json()
    assert (replayed["id"], replayed["status"]) == (id, "succeeded")


@states.on_sqlite
def test_body_hash_ignores_spacing_and_key_order(client: TestClient) -> None:
    first = post(client, body=b'{"activation":"relu","epochs":3}')
    again = post(client, body=b'\n{ "epochs" : 3,\t"activation": "\\u0072elu" } ')
    assert again.json() == first.json()


@pytest.mark.parametrize("body", [{"activation": "relu"}, {"activation": "relu", "epochs": 4}, RELU | {"name": None}])
@states.on_sqlite
def test_key_with_another_body_is_refused(client: TestClient, body: Any) -> None:
    post(client)
    refused(post(client, body=body), 422, "idempotency_mismatch")
    assert count(client) == 1


@states.on_sqlite
def test_key_with_another_route_is_refused(client: TestClient) -> None:
    path = retry_path(client)
    post(client)
    refused(post(client, STUDIES, GRID), 422, "idempotency_mismatch")
    refused(post(client, path, None), 422, "idempotency_mismatch")
    assert count(client) == 2


def test_replay_of_a_deleted_record_is_410(client: TestClient) -> None:
    id = post(client).json()["id"]
    client.post(f"{EXPERIMENTS}/{id}/cancel")
    client.delete(f"{EXPERIMENTS}/{id}")
    refused(post(client), 410, "gone")
    assert count(client) == 0


def test_replay_of_a_retry_survives_deletion_of_the_original(client: TestClient) -> None:
    path = retry_path(client)
    first = post(client, path, None)
    assert client.delete(path.removesuffix("/retry")).status_code == 204
    assert post(client, path, None).json()["id"] == first.json()["id"]


def test_failed_request_releases_its_key(client: TestClient) -> None:
    refused(post(client, body={"activation": "rel"}), 422)
    refused(post(client, f"{EXPERIMENTS}/{states.SOME_ID}/retry", None), 404)
    refused(post(client, body=b"{"), 400)
    assert post(client).status_code == 202


def test_failed_commit_releases_its_key(settings: Settings) -> None:
    with serving(settings.model_copy(update={"fault": "submit_experiment.before_commit:error"})) as client:
        refused(post(client), 500)
        answer = post(client)
        assert answer.status_code == 202
        assert "idempotency-replayed" not in answer.headers


def test_replay_answers_after_a_lost_answer(settings: Settings) -> None:
    with serving(settings.model_copy(update={"fault": "submit_experiment.before_answer:error"})) as client:
        refused(post(client), 500)
        assert post(client).headers["idempotency-replayed"] == "true"
        assert count(client) == 1


@pytest.mark.parametrize("route", ["experiments", "studies"])
def test_concurrent_requests_create_one_experiment(client: TestClient, route: str) -> None:
    path, body = (EXPERIMENTS, RELU) if route == "experiments" else (STUDIES, GRID)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(client, path, body), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 7
    assert count(client) == (1 if route == "experiments" else 2)


@pytest.mark.parametrize(("days", "replayed"), [(6.9, True), (7.1, False)])
def test_key_is_kept_for_seven_days(client: TestClient, database: Database, days: float, replayed: bool) -> None:
    post(client)
    with database.write("age") as session:
        session.execute(update(IdempotencyKey).values(created_at=after(-days * 86_400)))
    assert ("idempotency-replayed" in post(client).headers) is replayed


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\x01", "\x7f", "é"])
def test_key_must_be_ascii_without_spaces(steady: TestClient, key: str) -> None:
    headers = raw({"Idempotency-Key": key})
    refused(steady.post(EXPERIMENTS, json=RELU, headers=headers), 422, at="Idempotency-Key")
    assert count(steady) == 0


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 5000, b"9" * 5000, b'"\\ud800"', b"no JSON"])
@states.on_sqlite
def test_body_hash_accepts_a_body_that_no_route_reads(client: TestClient, body: bytes) -> None:
    path = retry_path(client)
    assert post(client, path, body).status_code == 202
    assert post(client, path, body).headers["idempotency-replayed"] == "true"
