"""Reports over HTTP: their content, formats and ETags."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import STUDIES
from tests.making import make_epoch

ACCURACIES = {"relu": [0.98, 0.981, 0.982], "sigmoid": [0.9, 0.902, 0.901]}


def submit(client: TestClient, **fields: Any) -> str:
    spec = {"name": "two of them", "question": "Which?", "factors": {"activation": [*ACCURACIES]}, "seeds": [0, 1, 2]}
    id: str = client.post(STUDIES, json={**spec, "base": {"epochs": 2}, **fields}).json()["id"]
    return id


def train(database: Database) -> None:
    """End every queued experiment, with figures that separate the activations."""
    for fence in states.claim(database):
        spec = states.read(database, fence.id).spec
        accuracy = ACCURACIES[spec["activation"]["name"]][spec["seed"]]
        for epoch in (1, 2):
            with database.write("epoch") as session:
                transitions.record_epoch(session, fence, make_epoch(epoch, validation_accuracy=accuracy))
        states.succeed(database, fence, accuracy)


def report(client: TestClient, id: str, **query: Any) -> str:
    answer = client.get(f"{STUDIES}/{id}/report", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_get_study_report(client: TestClient, database: Database) -> None:
    id = submit(client)
    train(database)
    answer = client.get(f"{STUDIES}/{id}/report")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert 'http-equiv="Content-Security-Policy" content="default-src' in answer.text
    assert "relu is better than every other group; 1 of 1 pairs" in answer.text
    assert answer.text.count("data:image/svg+xml") == 2
    text = report(client, id, format="markdown")
    assert "relu is better than every other group" in text
    assert "| sigmoid | 3 | 90.10 |" in text


@states.on_sqlite
def test_get_study_report_answers_304_until_a_change(client: TestClient, database: Database) -> None:
    id = submit(client)
    first = client.get(f"{STUDIES}/{id}/report")
    assert "No experiment has given a figure yet." in first.text
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"{STUDIES}/{id}/report", headers=known).status_code == 304
    train(database)
    assert "better than every other group" in client.get(f"{STUDIES}/{id}/report", headers=known).text


@states.on_sqlite
def test_get_study_report_shows_the_published_figures(client: TestClient, database: Database) -> None:
    id = submit(client)
    train(database)
    assert "Beside the article" not in report(client, id)
    text = report(client, id, reference="kizrak-2019", format="markdown")
    row = next(line for line in text.splitlines() if line.startswith("| relu | 99."))
    assert "| 98.10 | 3 |" in row
    assert "not within 0.5 points" in row
    assert "the test set is also the validation set" in text
    assert "differ from its protocol in" in text


@states.on_sqlite
def test_get_study_report_judges_claims_with_evidence(client: TestClient, database: Database) -> None:
    id = submit(client)
    train(database)
    text = report(client, id, format="markdown")
    row = next(line for line in text.splitlines() if line.startswith("| 11. Start with ReLU"))
    assert "| undecided |" in row
    assert "| 3. " not in text  # needs networks of other depths


@states.on_sqlite
def test_get_study_report_lists_failures_with_their_cause(client: TestClient, database: Database) -> None:
    id = submit(client, factors={"activation": ["relu"]}, seeds=[0, 1])
    first, second = states.claim(database)
    states.fail(database, first)
    states.succeed(database, second)
    text = report(client, id, format="markdown")
    assert "## Experiments without a figure" in text
    assert "| relu | 0 | diverged |" in text
    assert "2 experiments, 1 succeeded, 1 failed" in text


@states.on_sqlite
def test_get_study_report_refuses_what_a_comparison_refuses(client: TestClient, database: Database) -> None:
    id = submit(client)
    train(database)
    refused(client.get(f"{STUDIES}/{id}/report", params={"group_by": "batch_size"}), 422, at="group_by")
    refused(client.get(f"{STUDIES}/{id}/report", params={"format": "pdf"}), 422, at="format")
    refused(client.get(f"{STUDIES}/{new_id()}/report"), 404, "study_not_found")


@states.on_sqlite
@pytest.mark.parametrize("metric", ["test_loss", "learning_speed", "seconds"])
def test_get_study_report_with_another_metric(client: TestClient, database: Database, metric: str) -> None:
    id = submit(client)
    train(database)
    assert "## Methods" in report(client, id, metric=metric, format="markdown")


@states.on_sqlite
def test_get_study_report_takes_the_margin_of_a_comparison(client: TestClient, database: Database) -> None:
    id = submit(client)
    train(database)
    assert "less than 2 percentage points" in report(client, id, margin=0.02, format="markdown")
    assert "less than 0.5 percentage points" in report(client, id, format="markdown")


@states.on_sqlite
@pytest.mark.parametrize(
    ("format", "media_type", "start"),
    [("latex", "application/x-tex", "\\documentclass"), ("csv", "text/csv; charset=utf-8", "group,activation,n,")],
)
def test_get_study_report_in_other_formats(
    client: TestClient, database: Database, format: str, media_type: str, start: str
) -> None:
    id = submit(client)
    train(database)
    answer = client.get(f"{STUDIES}/{id}/report", params={"format": format})
    assert answer.headers["content-type"] == media_type
    assert answer.text.startswith(start)
