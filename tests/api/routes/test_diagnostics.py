"""Diagnostics over HTTP."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.diagnostics import MEASURES, LayerDiagnostics
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS
from tests.making import make_epoch, make_layer


def measured(database: Database, epochs: int = 2) -> str:
    """Start an experiment that has records of two layers in epochs 0, 1, ..."""
    fence = states.start(database)
    with database.write("start") as session:
        transitions.record_start(session, fence, [make_layer(0), make_layer(0, "dense1")])
    for epoch in range(1, epochs + 1):
        record(database, fence, epoch)
    return str(fence.id)


def record(database: Database, fence: Any, epoch: int) -> None:
    with database.write("epoch") as session:
        layers = [make_layer(epoch), make_layer(epoch, "dense1", parameters={"beta": 1.25})]
        transitions.record_epoch(session, fence, make_epoch(epoch), layers)


def get(client: TestClient, id: str, **query: Any) -> Any:
    answer = client.get(f"{EXPERIMENTS}/{id}/diagnostics", params=query)
    assert answer.status_code == 200
    return answer.json()


def test_get_diagnostics_has_every_measure_of_each_layer(client: TestClient, database: Database) -> None:
    body = get(client, measured(database))
    assert [(item["epoch"], item["layer"]) for item in body["items"]] == [
        (epoch, layer) for epoch in (0, 1, 2) for layer in ("conv1", "dense1")
    ]
    assert all(item.keys() == LayerDiagnostics.model_fields.keys() | {"attempt"} for item in body["items"])
    assert body["items"][-1]["parameters"] == {"beta": 1.25}
    assert (body["items"][0]["zero_share"], body["items"][0]["dead_share"]) == (0.5, None)
    assert body["valid_through_epoch"] == 2


def test_get_diagnostics_selects_layers_and_measures(client: TestClient, database: Database) -> None:
    body = get(client, measured(database), layer=["dense1", "dense7"], measure=["zero_share", "dead_share"])
    assert [item["layer"] for item in body["items"]] == ["dense1"] * 3
    assert all(set(item) & set(MEASURES) == {"zero_share", "dead_share"} for item in body["items"])
    assert body["items"][0]["non_finite"] == []


def test_get_diagnostics_since_a_revision(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    record(database, fence, 1)
    seen = get(client, str(fence.id))
    assert get(client, str(fence.id), since=seen["revision"])["items"] == []
    record(database, fence, 2)
    new = get(client, str(fence.id), since=seen["revision"])
    assert [(item["epoch"], item["layer"]) for item in new["items"]] == [(2, "conv1"), (2, "dense1")]
    assert new["valid_through_epoch"] == 2
    assert new["revision"] > seen["revision"]


def test_get_diagnostics_answers_304(client: TestClient, database: Database) -> None:
    path = f"{EXPERIMENTS}/{measured(database)}/diagnostics"
    etag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_get_diagnostics_is_empty_before_the_start(client: TestClient, database: Database) -> None:
    body = get(client, str(states.queue(database)))
    assert (body["items"], body["valid_through_epoch"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"layer": "dense21"}, "layer"),
        ({"layer": ["conv1", "conv3"]}, "layer"),
        ({"measure": "accuracy"}, "measure"),
        ({"since": -1}, "since"),
        ({"epoch": 1}, "epoch"),
    ],
)
def test_get_diagnostics_refuses_invalid_parameters(steady: TestClient, query: dict[str, Any], at: str) -> None:
    refused(steady.get(f"{EXPERIMENTS}/{states.SOME_ID}/diagnostics", params=query), 422, at=at)


def test_get_diagnostics_of_an_unknown_experiment_is_404(steady: TestClient) -> None:
    refused(steady.get(f"{EXPERIMENTS}/{states.SOME_ID}/diagnostics"), 404, "experiment_not_found")
