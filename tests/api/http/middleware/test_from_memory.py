"""Answers from memory: the bytes of the route, no query, and nothing that is not true any more."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.api.app import MIDDLEWARES
from service.api.http.middleware.from_memory import FromMemory
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving
from tests.api.test_cost import recorded
from tests.changefeed.test_feed import RARELY, ask
from tests.making import make_epoch, make_layer

FRESH = {"Cache-Control": "no-cache"}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """Yield a client of a process that learns of changes when the test polls, or on SQLite by itself."""
    with serving(settings.model_copy(update=RARELY)) as opened:
        opened.headers["X-Request-ID"] = "same"  # or each answer would have its own
        ask(opened)
        yield opened


@pytest.fixture
def study(client: TestClient) -> str:
    """Return a study whose only experiment is to be claimed."""
    id: str = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()["id"]
    return id


def finish(database: Database, **run: Any) -> UUID:
    """Let the queued experiment succeed with an epoch and its diagnostics, and return its id."""
    (fence,) = states.claim(database)
    with database.write("epoch") as session:
        transitions.record_epoch(session, fence, make_epoch(1), [make_layer(1), make_layer(1, "dense1")])
    states.succeed(database, fence, last_epoch=1, **run)
    return fence.id


def paths_of(study: str, experiment: UUID) -> list[str]:
    """Return every path that is answered from memory."""
    own = f"{EXPERIMENTS}/{experiment}"
    return [own, f"{own}?wait=0", f"{own}/metrics", f"{own}/diagnostics", f"{own}/result", f"{STUDIES}/{study}",
            EXPERIMENTS, f"{EXPERIMENTS}?status=succeeded&sort=-test_accuracy&limit=1"]  # fmt: skip


def answer(client: TestClient, path: str, headers: dict[str, str] | None = None) -> tuple[Response, int]:
    """Return an answer and the number of statements that it took."""
    with recorded(services_of(client).database) as statements:
        response = client.get(path, headers=headers or {})
    return response, len(statements)


def test_memory_answers_with_the_bytes_and_headers_of_the_route(
    client: TestClient, database: Database, study: str
) -> None:
    paths = paths_of(study, finish(database))
    ask(client)
    for path in paths:
        first, cost = answer(client, path)
        assert (first.status_code, cost > 0) == (200, True), path
        for headers in ({}, {"If-None-Match": first.headers["etag"]}, {"If-None-Match": 'W/"x"'}):
            kept, none = answer(client, path, headers)
            read, some = answer(client, path, headers | FRESH)
            assert (none, some > 0) == (0, True), (path, headers)
            assert (kept.status_code, kept.content) == (read.status_code, read.content), (path, headers)
            assert list(kept.headers.raw) == list(read.headers.raw), (path, headers)


def test_memory_answers_head_without_the_body(client: TestClient, database: Database, study: str) -> None:
    path = f"{EXPERIMENTS}/{finish(database)}"
    whole = client.get(path)
    head = client.head(path)
    assert (head.content, head.headers) == (b"", whole.headers)


def test_memory_forgets_what_the_same_process_changes(client: TestClient, database: Database, study: str) -> None:
    id = finish(database)
    ask(client)
    before = {path: client.get(path).headers["etag"] for path in paths_of(study, id)}
    client.patch(f"{EXPERIMENTS}/{id}", json={"name": "new"})
    for path, etag in before.items():
        assert answer(client, path, {"If-None-Match": etag})[0].status_code == 200, path
    assert client.get(f"{EXPERIMENTS}/{id}").json()["name"] == "new"
    assert client.delete(f"{STUDIES}/{study}").status_code == 204
    for path in before:
        gone = client.get(path)
        assert gone.json()["items"] == [] if gone.status_code == 200 else gone.status_code == 404, path


def test_memory_forgets_whose_an_experiment_was(client: TestClient, database: Database, study: str) -> None:
    """The experiment of a deleted study goes to another study that reuses it."""
    path = f"{EXPERIMENTS}/{finish(database, code=services_of(client).version)}"
    grid = {"factors": {"activation": ["relu"]}, "seeds": [0], "reuse": True}
    heir = client.post(STUDIES, json=grid).json()["id"]
    ask(client)
    assert client.get(path).json()["study_id"] == study
    assert client.delete(f"{STUDIES}/{study}").status_code == 204
    assert client.get(path).json()["study_id"] == heir


def test_memory_forgets_what_another_process_changes(client: TestClient, database: Database) -> None:
    """On SQLite at once; on PostgreSQL when the poller has read it, or for a request that asks the database."""
    fence = states.start(database)
    ask(client)
    own = f"{EXPERIMENTS}/{fence.id}"
    paths = [own, f"{own}/metrics", f"{own}/diagnostics", EXPERIMENTS]
    before = {path: client.get(path).json() for path in paths}
    with database.write("epoch") as session:
        transitions.record_epoch(session, fence, make_epoch(1), [make_layer(1)])
    for path in paths:
        assert (client.get(path).json() != before[path]) == database.sqlite, path
    for path in paths:
        assert client.get(path, headers=FRESH).json() != before[path], path
    ask(client)
    for path in paths:
        assert client.get(path).json() == client.get(path, headers=FRESH).json() != before[path], path


def test_memory_keeps_nothing_that_changes_without_a_revision(
    client: TestClient, database: Database, study: str
) -> None:
    """A place in the queue, and the time that is left of a study."""
    queued = f"{EXPERIMENTS}/{states.queue(database)}"
    for path in (queued, EXPERIMENTS, f"{STUDIES}/{study}"):
        ask(client)
        client.get(path)
        assert answer(client, path)[1] > 0, path


@pytest.mark.parametrize("query", ["wait=0.1", "since=0", "wait=0&wait=0", "x=1", "wait=1&wait=0"])
@states.on_sqlite
def test_memory_answers_no_other_query_of_one_record(client: TestClient, database: Database, query: str) -> None:
    path = f"{EXPERIMENTS}/{states.finish(database)}/metrics"
    client.get(path)
    first, cost = answer(client, f"{path}?{query}")
    assert answer(client, f"{path}?{query}")[0].status_code == first.status_code
    if first.status_code == 200:
        assert (cost > 0, answer(client, f"{path}?{query}")[1] > 0) == (True, True)


@pytest.mark.parametrize("header", ["Cache-Control", "Pragma"])
def test_request_for_no_cache_reads_the_database(client: TestClient, database: Database, header: str) -> None:
    fence = states.start(database)
    path = f"{EXPERIMENTS}/{fence.id}"
    ask(client)
    etag = client.get(path).headers["etag"]
    unchanged, cost = answer(client, path, {header: "no-cache", "If-None-Match": etag})
    assert (unchanged.status_code, cost > 0) == (304, True)
    states.succeed(database, fence)
    assert client.get(path, headers={header: "no-cache", "If-None-Match": etag}).json()["status"] == "succeeded"


def test_memory_stands_behind_every_other_middleware() -> None:
    """It decides nothing about access: what does, and what refuses hosts and proxies, must come before."""
    assert MIDDLEWARES[-1] is FromMemory


@states.on_sqlite
def test_memory_answers_no_request_that_another_middleware_refuses(client: TestClient, database: Database) -> None:
    path = f"{EXPERIMENTS}/{states.finish(database)}"
    assert client.get(path).status_code == client.get(path).status_code == 200
    assert client.get(path, headers={"Host": "elsewhere.example"}).status_code == 400
    assert client.get(path, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 401


# --- lists ---------------------------------------------------------------------------------------------------------


def test_list_reads_only_the_experiments_that_changed(client: TestClient, database: Database) -> None:
    ids = [states.finish(database) for _ in range(3)]
    client.get(EXPERIMENTS)
    client.patch(f"{EXPERIMENTS}/{ids[1]}", json={"name": "new"})
    with recorded(services_of(client).database) as statements:
        items = client.get(EXPERIMENTS).json()["items"]
    (read,) = [parameters for statement, parameters in statements if "experiments.spec" in statement]
    assert [str(id) for id in reversed(ids)] == [item["id"] for item in items]
    assert [item["name"] for item in items] == [None, "new", None]
    assert ids[1].hex in str(read).replace("-", "")
    assert ids[0].hex not in str(read).replace("-", "")
