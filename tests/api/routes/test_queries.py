"""The parameter `query` of every route that has it."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings

from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, CURVES, EXPERIMENTS, STUDIES
from tests.domain.query.generating import texts

JSON = {"Content-Type": "application/json"}


def names(client: TestClient, query: str, **others: Any) -> list[str]:
    page = client.get(EXPERIMENTS, params={"query": query, "sort": "id", **others})
    assert page.status_code == 200, page.text
    return [item["name"] for item in page.json()["items"]]


@pytest.fixture
def filled(client: TestClient, database: Database) -> TestClient:
    """Fill a database with a success, another with a tag, a failure and an experiment that waits."""
    states.trained(database, [(0.8, 0.5), (0.9, 0.3)], best=2, accuracy=0.91, name="good", seed=1)
    states.finish(database, 0.6, name="poor", tags=["draft"], activation="tanh", seed=1)
    states.fail(database, states.start(database, name="lost"))
    states.queue(database, name="waits", optimizer={"name": "sgd"})
    return client


@pytest.mark.parametrize(
    ("query", "selected"),
    [
        ("test_accuracy > 0.7", ["good"]),
        ("NOT test_accuracy > 0.7", ["poor", "lost", "waits"]),
        ("cause != 'diverged'", []),
        ("NOT cause = 'diverged'", ["good", "poor", "waits"]),
        ("metrics.test_accuracy < 1 and params.activation = 'relu'", ["good"]),
        ("attributes.status IN ('FAILED', 'SCHEDULED') or tags.draft = 'true'", ["poor", "lost", "waits"]),
        ("optimizer.name = 'sgd' OR (name LIKE 'go%' AND NOT tag = 'draft')", ["good", "waits"]),
        ("train_accuracy >= 0.8", ["good"]),
    ],
)
def test_list_experiments_selects_by_a_query(filled: TestClient, query: str, selected: list[str]) -> None:
    assert names(filled, query) == selected


def test_list_experiments_query_holds_together_with_the_filters(filled: TestClient) -> None:
    assert names(filled, "seed = 1", activation="tanh") == ["poor"]
    assert names(filled, "status = 'succeeded' OR status = 'failed'", test_accuracy_min=0.7) == ["good"]
    first = filled.get(EXPERIMENTS, params={"query": "seed = 1 AND seed = 1", "limit": 1}).json()["next_cursor"]
    assert len(names(filled, "seed = 1 AND seed = 1", limit=1, sort="-id", cursor=first)) == 1
    other = filled.get(EXPERIMENTS, params={"query": "seed = 1 OR seed = 1", "limit": 1, "cursor": first})
    refused(other, 422, "invalid_cursor", at="cursor")


def test_comparisons_curves_and_exports_select_by_a_query(filled: TestClient) -> None:
    of_one = {"query": "name LIKE 'g%' OR name = 'waits' AND status = 'succeeded'"}
    (group,) = filled.get(COMPARISONS, params=of_one).json()["groups"]
    assert group["n"] == 1
    assert [group["n"] for group in filled.get(CURVES, params=of_one).json()["groups"]] == [[1, 1]]
    assert len(filled.get(f"{EXPERIMENTS}/export", params=of_one).text.splitlines()) == 2
    assert len(filled.get(f"{EXPERIMENTS}/export", params=of_one | {"rows": "epochs"}).text.splitlines()) == 3


def test_change_of_many_experiments_counts_and_selects_by_a_query(filled: TestClient) -> None:
    body = {"filters": {"query": "NOT (test_accuracy > 0.7 OR status = 'queued')", "dataset": "mnist_5k"}}
    assert filled.post(f"{EXPERIMENTS}/delete?dry_run=true", json=body).json() == {"count": 2}
    assert filled.post(f"{EXPERIMENTS}/tag", json=body | {"add": ["bad"]}).json() == {"count": 2}
    assert filled.post(f"{EXPERIMENTS}/delete", json=body).json() == {"count": 2}
    assert names(filled, "id IS NOT NULL") == ["good", "waits"]


def test_list_studies_selects_by_a_query(client: TestClient) -> None:
    for name, tags in (("depth", ["a"]), ("width", [])):
        client.post(STUDIES, json={"base": {"activation": "relu"}, "seeds": [0], "name": name, "tags": tags})

    def matching(query: str) -> list[str]:
        return [item["name"] for item in client.get(STUDIES, params={"query": query, "sort": "id"}).json()["items"]]

    assert matching("name ILIKE 'DE%' OR tags.a IS NULL") == ["depth", "width"]
    assert matching("NOT tag = 'a'") == ["width"]
    refused(client.get(STUDIES, params={"query": "seed = 1"}), 422, at="query")


@pytest.mark.parametrize(
    ("query", "column", "code"),
    [
        ("test_acuracy > 0.9", 1, "query_field"),
        ("seed = 1 AND name > 'x'", 19, "query_operator"),
        ("seed = 'x'", 8, "query_value"),
        ("seed == 1", 6, "query_syntax"),
        ("", 1, "query_syntax"),
        ("(" * 21 + "seed = 1" + ")" * 21, 1, "query_too_deep"),
        ("seed = 1".ljust(4001), 4001, "query_too_long"),
    ],
    ids=["field", "operator", "value", "syntax", "empty", "deep", "long"],
)
def test_wrong_query_is_a_problem_with_the_column(steady: TestClient, query: str, column: int, code: str) -> None:
    for answer, place in (
        (steady.get(EXPERIMENTS, params={"query": query}), "query"),
        (steady.get(f"{EXPERIMENTS}/export", params={"query": query}), "query"),
        (steady.post(f"{EXPERIMENTS}/cancel?dry_run=true", json={"filters": {"query": query}}), "/filters/query"),
    ):
        (item,) = refused(answer, 422, "validation_error", at=place)["errors"]
        assert (item["code"], item["column"]) == (code, column)


@pytest.mark.parametrize("value", [3, ["seed = 1"], {"a": 1}, True])
def test_query_of_a_body_is_a_text(steady: TestClient, value: Any) -> None:
    answer = steady.post(f"{EXPERIMENTS}/cancel?dry_run=true", json={"filters": {"query": value}})
    refused(answer, 422, "validation_error", at="/filters/query")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(texts())
@example("name = '\ud800'")
@example("name = 'a' OR 1=1 --'")
def test_list_experiments_answers_any_text_with_a_page_or_a_problem(steady: TestClient, text: str) -> None:
    listed = steady.get(EXPERIMENTS, params={"query": text.encode(errors="replace").decode()})
    body = json.dumps({"filters": {"query": text}})
    counted = steady.post(f"{EXPERIMENTS}/cancel?dry_run=true", content=body, headers=JSON)
    assert {listed.status_code, counted.status_code} <= {200, 422}, (listed.text, counted.text)
