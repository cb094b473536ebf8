"""GET /metrics: the figures of the database and of the requests, bounded and true."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from service.api.http.middleware import measured
from service.observability.requests import RequestMetrics
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key, notice
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, services_of
from tests.observability.scrapes import Labels, value
from tests.waiting import await_true

COUNT = "actlab_http_request_duration_seconds_count"


def scrape(client: TestClient) -> str:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return answer.text


def counted(client: TestClient, route: str, **labels: str) -> float:
    return value(scrape(client), COUNT, route=route, **labels) or 0.0


def test_metrics_tell_of_the_database(client: TestClient, database: Database) -> None:
    states.finish(database)
    states.queue(database, priority=3)
    states.heartbeat(database)
    text = scrape(client)
    expected: list[tuple[str, Labels, float]] = [
        ("actlab_database_up", {}, 1),
        ("actlab_experiments", {"status": "succeeded"}, 1),
        ("actlab_experiments_ended_total", {"status": "succeeded"}, 1),
        ("actlab_experiments_ended_total", {"cause": "diverged"}, 0),
        ("actlab_queue_experiments", {"priority": "3"}, 1),
        ("actlab_queue_experiments", {"priority": "0"}, 0),
        ("actlab_workers", {"state": "idle"}, 1),
        ("actlab_workers", {"state": "lost"}, 0),
        ("actlab_attempts_lost_total", {}, 0),
    ]
    for name, labels, number in expected:
        assert value(text, name, **labels) == number, (name, labels)
    assert (value(text, "actlab_workers_last_seen_timestamp_seconds", state="idle") or 0) > 1.7e9
    free, size = (value(text, f"actlab_disk_{which}_bytes") or 0 for which in ("free", "size"))
    assert 0 < free < size


@states.on_sqlite
def test_metrics_are_text_that_no_cache_keeps(client: TestClient) -> None:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    openmetrics = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


@states.on_sqlite
def test_metrics_need_a_viewer(client: TestClient, database: Database) -> None:
    key = make_key(database)
    notice(client)
    refused(client.get("/metrics"), 401)
    assert client.get("/metrics", headers=bearer(key.text)).status_code == 200


@states.on_sqlite
def test_metrics_answer_while_the_database_is_away(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("away"))

    monkeypatch.setattr("service.api.routes.system.facts.read", fail)
    text = scrape(client)
    assert value(text, "actlab_database_up") == 0
    assert value(text, "actlab_experiments") is None
    assert value(text, "actlab_disk_free_bytes") is not None


@states.on_sqlite
def test_requests_are_counted_by_template_and_status(client: TestClient, database: Database) -> None:
    ids = [states.queue(database, seed=seed) for seed in range(3)]
    for id in ids:
        client.get(f"{EXPERIMENTS}/{id}")
    client.get(f"{EXPERIMENTS}/{states.SOME_ID}")
    client.get(f"{EXPERIMENTS}/nothing")
    route = f"{EXPERIMENTS}/{{id}}"
    assert [counted(client, route, status=status) for status in ("200", "404", "422")] == [3, 1, 1]


@states.on_sqlite
def test_requests_answered_from_memory_are_counted_by_template(client: TestClient, database: Database) -> None:
    path, route = f"{EXPERIMENTS}/{states.finish(database)}", f"{EXPERIMENTS}/{{id}}"
    memory = services_of(client).memory

    def kept() -> str | None:
        answer = client.get(path)
        found = memory.answer((path, b""))
        return answer.headers["etag"] if found is not None and found.is_true(services_of(client).feed) else None

    etag = await_true(kept)
    before = counted(client, route)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services_of(client), "read", None)  # nothing asks the database
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
        assert client.get(path).status_code == 200
    assert counted(client, route) == before + 2
    assert counted(client, "unmatched") == 0


@states.on_sqlite
def test_waiting_requests_are_counted_apart(client: TestClient, database: Database) -> None:
    id = states.queue(database)
    client.get(f"{EXPERIMENTS}/{id}?wait=0.05")
    client.get(f"{EXPERIMENTS}/{id}?wait=0")
    assert counted(client, f"{EXPERIMENTS}/{{id}}?wait") == 1
    assert counted(client, f"{EXPERIMENTS}/{{id}}") == 1


@states.on_sqlite
def test_paths_without_a_route_make_no_series_of_their_own(client: TestClient) -> None:
    for number in range(20):
        client.get(f"/nothing/{number}")
        client.get(f"/guide/nothing-{number}.html")
        client.request("BREW", f"/api/v1/pots/{number}")
    text = scrape(client)
    assert value(text, COUNT, route="unmatched") == 40
    assert value(text, COUNT, route="other") == 20
    assert value(text, COUNT, method="other") == 20
    assert "nothing" not in text
    assert "BREW" not in text


@states.on_sqlite
def test_labels_hold_no_ids(client: TestClient, database: Database) -> None:
    id = states.finish(database)
    study = client.post(STUDIES, json={"base": {"activation": "relu"}, "seeds": [0]}).json()["id"]
    states.heartbeat(database, "worker-of-somebody")
    for path in (f"{EXPERIMENTS}/{id}", f"{EXPERIMENTS}/{id}/metrics", f"{STUDIES}/{study}"):
        client.get(path)
    text = scrape(client)
    for secret in (str(id), study, "worker-of-somebody"):
        assert secret not in text


@states.on_sqlite
def test_requests_that_fail_are_counted_as_500(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr("service.api.routes.workers.workers.listed", fail)
        assert client.get("/api/v1/workers").status_code == 500
    assert counted(client, "/api/v1/workers", status=str(measured.FAILED)) == 1


@states.on_sqlite
def test_lag_of_events_is_measured(client: TestClient, database: Database) -> None:
    states.queue(database)
    await_true(lambda: value(scrape(client), "actlab_event_lag_seconds_count"))
    assert 0 < (value(scrape(client), "actlab_event_lag_seconds_sum") or 0) < 30


def test_unknown_methods_make_one_series() -> None:
    metrics = RequestMetrics()
    for number in range(50):
        metrics.request(f"METHOD{number}", "/", 400, 0.001)
    assert len(metrics._series) == 1
