"""Conditional and waiting GETs: unchanged bodies are not sent again, and a wait ends with the change."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, EXPERIMENTS, STUDIES, raw, services_of, serving
from tests.waiting import await_true


@pytest.fixture
def path(database: Database) -> str:
    """Start an experiment: a running one changes neither by its position in the queue nor by its end."""
    return f"{EXPERIMENTS}/{states.start(database).id}"


def poll(client: TestClient, path: str, etag: str, **query: Any) -> Response:
    return client.get(path, headers={"If-None-Match": etag}, params=query)


def newer(client: TestClient, path: str, etag: str) -> Response | None:
    answer = poll(client, path, etag)
    assert answer.status_code in (200, 304), answer.text
    return answer if answer.status_code == 200 else None


# --- ETag ----------------------------------------------------------------------------------------------------------


def test_resource_answers_304_until_it_changes(client: TestClient, database: Database) -> None:
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()["id"]
    (fence,) = states.claim(database)
    experiment = f"{EXPERIMENTS}/{fence.id}"
    paths = [experiment, f"{experiment}/metrics", f"{experiment}/attempts", f"{STUDIES}/{study}", EXPERIMENTS,
             COMPARISONS]  # fmt: skip
    before = {path: client.get(path).headers["etag"] for path in paths}
    for path, etag in before.items():
        assert etag.startswith('W/"'), path
        unchanged = poll(client, path, etag)
        assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag), path
    states.succeed(database, fence)  # as a worker does, in another process: seen within two polls
    for path, etag in before.items():
        changed = await_true(partial(newer, client, path, etag))
        assert changed.headers["etag"] != etag, path
    result = client.get(f"{experiment}/result")
    assert poll(client, f"{experiment}/result", result.headers["etag"]).status_code == 304


@pytest.mark.parametrize("spelled", ["{}", '"other", {}', '{},W/"x"', "*", " {} "])
def test_if_none_match_compares_weakly_and_in_lists(client: TestClient, path: str, spelled: str) -> None:
    etag = client.get(path).headers["etag"]
    for form in (etag, etag.removeprefix("W/")):
        assert poll(client, path, spelled.format(form)).status_code == 304
    hashed = client.get(EXPERIMENTS).headers["etag"]
    assert poll(client, EXPERIMENTS, spelled.format(hashed)).status_code == 304


@pytest.mark.parametrize("other", ["", ",", '"x"', 'W/"x"', "\x01", "é", "W/"])
@states.on_sqlite
def test_if_none_match_with_another_tag_gets_the_body(client: TestClient, path: str, other: str) -> None:
    assert client.get(path, headers=raw({"If-None-Match": other})).status_code == 200


def test_etag_of_a_queued_experiment_changes_with_its_position(client: TestClient, database: Database) -> None:
    first, second = states.queue(database), states.queue(database)
    waiting = client.get(f"{EXPERIMENTS}/{second}")
    client.post(f"{EXPERIMENTS}/{first}/cancel")
    moved = poll(client, f"{EXPERIMENTS}/{second}", waiting.headers["etag"])
    assert moved.status_code == 200
    assert (waiting.json()["queue_position"], moved.json()["queue_position"]) == (2, 1)
    assert moved.json()["revision"] == waiting.json()["revision"]


@states.on_sqlite
def test_etag_of_another_database_is_unknown(client: TestClient, path: str) -> None:
    services = services_of(client)
    etag = client.get(path).headers["etag"]
    assert services.database_id in etag
    assert poll(client, path, etag.replace(services.database_id, "0" * 32)).status_code == 200


# --- wait ----------------------------------------------------------------------------------------------------------


def timed(call: Callable[[], Response]) -> tuple[Response, float]:
    begun = time.monotonic()
    return call(), time.monotonic() - begun


def test_wait_ends_with_a_change(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]
    with ThreadPoolExecutor() as thread:
        waiting = thread.submit(timed, lambda: poll(client, path, etag, wait=30))
        client.patch(path, json={"name": "changed"})
        answer, seconds = waiting.result()
    assert (answer.status_code, answer.json()["name"]) == (200, "changed")
    assert seconds < 10


def test_wait_without_a_tag_ends_with_the_experiment(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    with ThreadPoolExecutor() as thread:
        waiting = thread.submit(timed, lambda: client.get(path, params={"wait": 30}))
        client.patch(path, json={"name": "changed"})
        states.succeed(database, fence)
        answer, seconds = waiting.result()
    assert answer.json()["status"] == "succeeded"
    assert seconds < 10
    assert timed(lambda: client.get(path, params={"wait": 30}))[1] < 5


def test_wait_times_out_with_304_or_the_body(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]
    cases = [(path, {"If-None-Match": etag}, 304), (path, {}, 200), (f"{path}/metrics", {}, 200)]
    for waited, headers, status in cases:
        answer, seconds = timed(partial(client.get, waited, headers=headers, params={"wait": 0.4}))
        assert answer.status_code == status
        assert 0.4 <= seconds < 5


def test_wait_for_a_deleted_experiment_is_404(client: TestClient, database: Database) -> None:
    path = f"{EXPERIMENTS}/{states.finish(database)}"
    etag = client.get(path).headers["etag"]
    with ThreadPoolExecutor() as thread:
        waiting = thread.submit(poll, client, path, etag, wait=30)
        client.delete(path)
        refused(waiting.result(), 404, "experiment_not_found")


@pytest.mark.parametrize("wait", ["-1", "31", "nan", "inf", "x", "", "1e400"])
def test_wait_must_be_from_0_to_30(steady: TestClient, wait: str) -> None:
    refused(steady.get(f"{EXPERIMENTS}/{states.SOME_ID}", params={"wait": wait}), 422, at="wait")


@pytest.mark.parametrize("since", ["-1", str(2**63), "x", "1.5", "", "9" * 5000])
def test_since_must_be_a_revision(steady: TestClient, since: str) -> None:
    refused(steady.get(f"{EXPERIMENTS}/{states.SOME_ID}/metrics", params={"since": since}), 422, at="since")


def test_wait_holds_no_connection(settings: Settings, database: Database) -> None:
    fence = states.start(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    with (
        serving(settings.model_copy(update={"pool_size": 3})) as client,
        ThreadPoolExecutor(20) as threads,
    ):
        waiting = [threads.submit(client.get, path, params={"wait": 30}) for _ in range(20)]
        await_true(lambda: services_of(client).limiter.statistics().borrowed_tokens == 0)
        submitted, seconds = timed(lambda: client.post(EXPERIMENTS, json={"activation": "relu"}))
        assert (submitted.status_code, seconds < 5) == (202, True)
        assert not any(answer.done() for answer in waiting)
        states.succeed(database, fence)
        assert {answer.result().json()["status"] for answer in waiting} == {"succeeded"}
