"""Transactions of requests: a success is stored before its answer, and a failure stores nothing and wakes no worker."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving

RELU = {"activation": "relu"}
GRID = {"factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}


class Wakes:
    """A waker that counts its calls."""

    def __init__(self) -> None:
        self.counts: list[int] = []

    def wake(self, count: int = 1) -> None:
        self.counts.append(count)

    def stop(self) -> None: ...


def wakes_of(client: TestClient) -> Wakes:
    services = services_of(client)
    services.waker.stop()
    services.waker = wakes = Wakes()  # type: ignore[assignment]  # all that a route asks of it
    return wakes


def faulty(settings: Settings, fault: str) -> Any:
    return serving(settings.model_copy(update={"fault": f"{fault}:error", "reconcile_seconds": 600}))


def stored(client: TestClient) -> Any:
    return client.get(EXPERIMENTS).json()["items"]


# --- a failing commit ----------------------------------------------------------------------------------------------

Change = Callable[[TestClient, str], Any]
CHANGES: dict[str, Change] = {
    "submit_experiment": lambda client, id: client.post(EXPERIMENTS, json=RELU),
    "submit_study": lambda client, id: client.post(STUDIES, json=GRID),
    "retry_experiment": lambda client, id: client.post(f"{EXPERIMENTS}/{id}/retry"),
    "edit_experiment": lambda client, id: client.patch(f"{EXPERIMENTS}/{id}", json={"name": "x", "tags": ["y"]}),
    "delete_experiment": lambda client, id: client.delete(f"{EXPERIMENTS}/{id}"),
}


@pytest.mark.parametrize("route", CHANGES)
def test_write_session_answers_an_error_when_the_commit_fails(
    settings: Settings, database: Database, route: str
) -> None:
    id = str(states.finish(database))
    with faulty(settings, f"{route}.before_commit") as client:
        wakes = wakes_of(client)
        before = stored(client)
        refused(CHANGES[route](client, id), 500, "internal_error")
        assert stored(client) == before
        assert wakes.counts == []
        assert CHANGES[route](client, id).is_success


STUDY_CHANGES: dict[str, Change] = {
    "edit_study": lambda client, id: client.patch(f"{STUDIES}/{id}", json={"name": "x", "seeds": [0, 1, 2]}),
    "cancel_study": lambda client, id: client.post(f"{STUDIES}/{id}/cancel"),
    "retry_study": lambda client, id: client.post(f"{STUDIES}/{id}/retry"),
    "delete_study": lambda client, id: client.delete(f"{STUDIES}/{id}"),
}


@pytest.mark.parametrize("route", STUDY_CHANGES)
def test_edit_study_is_atomic(settings: Settings, database: Database, route: str) -> None:
    with faulty(settings, f"{route}.before_commit") as client:
        id = client.post(STUDIES, json=GRID).json()["id"]
        if route == "delete_study":
            states.finish_queued(database, lambda spec: 0.9)
        if route == "retry_study":
            states.fail(database, states.claim(database, limit=1)[0])
        before = stored(client), client.get(STUDIES).json()
        refused(STUDY_CHANGES[route](client, id), 500, "internal_error")
        assert (stored(client), client.get(STUDIES).json()) == before
        assert STUDY_CHANGES[route](client, id).is_success


def test_cancel_study_is_atomic(settings: Settings, database: Database) -> None:
    id = states.queue(database)
    with faulty(settings, "cancel_experiment.before_commit") as client:
        refused(client.post(f"{EXPERIMENTS}/{id}/cancel"), 500)
        assert client.get(f"{EXPERIMENTS}/{id}").json()["status"] == "queued"


@states.on_sqlite
def test_write_session_wakes_a_worker_per_experiment_after_the_commit(client: TestClient) -> None:
    wakes = wakes_of(client)
    id = client.post(EXPERIMENTS, json=RELU).json()["id"]
    study = client.post(STUDIES, json=GRID).json()["id"]
    client.post(STUDIES, json=GRID, params={"dry_run": True})
    client.patch(f"{STUDIES}/{study}", json={"seeds": [0, 1, 2]})
    client.patch(f"{STUDIES}/{study}", json={"name": "x"})
    client.post(f"{EXPERIMENTS}/{id}/cancel")
    client.post(f"{EXPERIMENTS}/{id}/retry")
    client.delete(f"{EXPERIMENTS}/{id}")
    refused(client.post(EXPERIMENTS, json={}), 422)
    assert wakes.counts == [1, 4, 2, 1]


# --- admission -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("pool", [2, 4])
def test_admit_serves_many_requests_on_few_connections(settings: Settings, pool: int) -> None:
    with serving(settings.model_copy(update={"pool_size": pool})) as client, ThreadPoolExecutor(64) as threads:
        id = client.post(EXPERIMENTS, json=RELU).json()["id"]
        paths = [EXPERIMENTS, f"{EXPERIMENTS}/{id}", "/readyz", f"{EXPERIMENTS}/{id}/log"]
        answers = list(threads.map(lambda number: client.get(paths[number % 4]), range(64)))
        answers += threads.map(lambda _: client.post(EXPERIMENTS, json=RELU), range(64))
        assert {answer.status_code for answer in answers} <= {200, 202, 503}
        accepted = sum(answer.status_code == 202 for answer in answers)
        assert len(stored(client)) == min(50, accepted + 1)
        for answer in answers:
            assert answer.status_code != 503 or answer.headers["retry-after"]


@pytest.mark.parametrize("path", [EXPERIMENTS, f"{EXPERIMENTS}/{states.SOME_ID}"], ids=["def", "async def"])
@states.on_sqlite
def test_admit_answers_503_without_a_free_connection(settings: Settings, path: str) -> None:
    with serving(settings.model_copy(update={"admission_seconds": 0.1})) as client:
        services = services_of(client)
        borrowers = [object() for _ in range(int(services.limiter.total_tokens))]
        assert client.portal is not None
        for borrower in borrowers:
            client.portal.call(services.admit, borrower)
        answer = client.get(path)
        refused(answer, 503, "overloaded")
        assert answer.headers["retry-after"] == "2"
        assert client.get("/healthz").status_code == 200
        for borrower in borrowers:
            client.portal.call(services.leave, borrower)
        assert client.get(path).status_code in (200, 404)
