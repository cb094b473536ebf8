"""The limits of keys: requests a minute, submissions an hour, and queued experiments."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.rates import Rates
from service.access.roles import Role
from service.settings import Settings
from service.storage.engine.database import Database
from tests.api import states
from tests.api.holders import bearer, make_key, notice
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving

SPEC: dict[str, Any] = {"activation": "relu"}


@pytest.fixture
def limits() -> dict[str, int]:
    return {"rate_per_minute": 5, "submits_per_hour": 2, "max_queued": 3}


@pytest.fixture
def limited(settings: Settings, limits: dict[str, int]) -> Iterator[TestClient]:
    with serving(settings.model_copy(update={**limits, "api_processes": 1})) as client:
        # With a clock that stands still, so that no window ends during a test.
        services_of(client).rates = Rates(
            limits["rate_per_minute"],
            limits["submits_per_hour"],
            broker=settings.broker,
            processes=1,
            clock=lambda: 1_000_000.0,
        )
        yield client


def key(client: TestClient, database: Database, role: Role = Role.SUBMITTER) -> dict[str, str]:
    headers = bearer(make_key(database, role).text)
    notice(client)
    return headers


@states.on_sqlite
@pytest.mark.defends("flood")
def test_requests_of_a_key_are_limited_and_told(limited: TestClient, database: Database) -> None:
    headers, other = key(limited, database), key(limited, database)
    answers = [limited.get(EXPERIMENTS, headers=headers) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"default";q=5;w=60'}
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        "r=4",
        "r=3",
        "r=2",
        "r=1",
        "r=0",
        "r=0",
    ]
    assert answers[-1].json()["code"] == "rate_limited"
    assert answers[-1].headers["retry-after"] == "60"
    assert limited.get(EXPERIMENTS, headers=other).status_code == 200
    assert limited.get("/healthz").status_code == 200


@states.on_sqlite
def test_open_access_is_not_limited(limited: TestClient) -> None:
    answers = [limited.get(EXPERIMENTS) for _ in range(7)]
    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit" not in answers[0].headers


@states.on_sqlite
@pytest.mark.defends("flood")
def test_submissions_of_a_key_are_limited_and_replays_are_free(limited: TestClient, database: Database) -> None:
    headers = key(limited, database) | {"Idempotency-Key": "one"}
    first, again = (limited.post(EXPERIMENTS, json=SPEC, headers=headers) for _ in range(2))
    assert (first.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    statuses = [limited.post(EXPERIMENTS, json=SPEC, headers=headers | {"Idempotency-Key": name}).status_code
                for name in ("two", "three")]  # fmt: skip
    assert statuses == [202, 429]
    assert len(limited.get(EXPERIMENTS, headers=headers).json()["items"]) == 2


@states.on_sqlite
@pytest.mark.parametrize("limits", [{"rate_per_minute": 0, "submits_per_hour": 0, "max_queued": 3}])
@pytest.mark.defends("flood")
def test_queued_experiments_of_a_key_are_limited(limited: TestClient, database: Database) -> None:
    headers, other = key(limited, database), key(limited, database)
    study = {"base": SPEC, "seeds": [0, 1, 2, 3]}
    refused = limited.post(STUDIES, json=study, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (429, "queue_full")
    assert "3 experiments in the queue; with this request they are 4" in refused.json()["detail"]
    assert limited.get(STUDIES, headers=headers).json()["items"] == []
    assert limited.post(STUDIES, json=study | {"seeds": [0, 1, 2]}, headers=headers).status_code == 202
    assert limited.post(EXPERIMENTS, json=SPEC, headers=headers).status_code == 429
    assert limited.post(EXPERIMENTS, json=SPEC, headers=other).status_code == 202
