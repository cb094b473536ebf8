"""Lists: pages have every row exactly once."""

import base64
import json
from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from service.api.routes.experiments import SORTS
from service.storage.engine.database import Database
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES


def walk(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(EXPERIMENTS, params=query | cursor).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert len(page["items"]) == query["limit"]
        cursor = {"cursor": page["next_cursor"]}


def test_list_experiments_pages_through_every_sort_with_ties(client: TestClient, database: Database) -> None:
    for accuracy in (0.5, 0.9, 0.5, 0.1 + 0.2, 0.9, 0.5):
        states.trained(database, [(accuracy, 0.3)], best=1, accuracy=accuracy, run={"seconds": round(accuracy)})
    states.queue(database)
    for sort in get_args(SORTS):
        rows = walk(client, sort=sort, limit=2)
        column = sort.removeprefix("-")
        assert len({row["id"] for row in rows}) == len(rows) == (7 if column == "id" else 6), sort
        places = [(row[column], row["id"]) for row in rows]
        assert places == sorted(places, reverse=sort.startswith("-")), sort


def test_list_experiments_ends_with_an_exact_last_page(client: TestClient, database: Database) -> None:
    for _ in range(4):
        states.queue(database)
    assert len(walk(client, limit=2)) == 4
    assert client.get(EXPERIMENTS, params={"limit": 4}).json()["next_cursor"] is None


def test_list_experiments_is_stable_while_rows_arrive(client: TestClient, database: Database) -> None:
    old = [str(states.queue(database)) for _ in range(4)]
    first = client.get(EXPERIMENTS, params={"limit": 2}).json()
    states.queue(database)
    second = client.get(EXPERIMENTS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["items"] + second["items"]] == old[::-1]


def test_list_experiments_combines_filters(client: TestClient, database: Database) -> None:
    def count(**query: Any) -> int:
        return len(client.get(EXPERIMENTS, params=query).json()["items"])

    client.post(STUDIES, json={"base": {"dataset": "digits"}, "factors": {"activation": ["tanh"]}, "seeds": [0]})
    study = client.get(EXPERIMENTS).json()["items"][0]["study_id"]
    states.finish(database, activation="relu", tags=["baseline", "x"])
    states.queue(database, activation={"name": "swish", "parameters": {"beta": 2}}, tags=["baseline"])
    assert [count(), count(status="queued"), count(activation="relu"), count(dataset="digits")] == [3, 2, 1, 1]
    assert [count(activation="swish(beta=2)"), count(activation="swish")] == [1, 0]
    assert [count(study=study), count(tag="baseline"), count(tag="base")] == [1, 2, 0]
    assert [count(tag="baseline", status="queued"), count(tag="x", status="queued")] == [1, 0]
    assert count(study=new_id()) == 0


def test_list_experiments_repeated_filter_means_any_of_its_values(client: TestClient, database: Database) -> None:
    states.queue(database, name="waits", tags=["a", "c"], dataset="digits")
    states.finish(database, name="ended", tags=["b"], activation="tanh")
    states.fail(database, states.start(database, name="failed", tags=["c"], activation="sigmoid"))

    def matching(query: str) -> list[str]:
        rows = client.get(f"{EXPERIMENTS}?sort=id&{query}").json()["items"]
        return [row["name"] for row in rows]

    assert matching("status=failed&status=succeeded") == ["ended", "failed"]
    assert matching("tag=a&tag=b") == ["waits", "ended"]
    assert matching("tag=a&tag=c") == ["waits", "failed"]  # once each
    assert matching("activation=tanh&activation=sigmoid&activation=relu") == ["waits", "ended", "failed"]
    assert matching("dataset=digits&dataset=mnist") == ["waits"]
    assert matching("text=end&text=AIT") == ["waits", "ended"]
    assert matching(f"study={new_id()}&study={new_id()}") == []
    assert matching("status=failed&status=succeeded&tag=b&tag=a") == ["ended"]  # all fields hold
    assert matching("status=failed&status=failed") == ["failed"]


def test_list_experiments_repeated_filter_takes_the_studies(client: TestClient) -> None:
    bodies = [{"base": {"activation": "relu"}, "seeds": [seed]} for seed in range(3)]
    studies = [client.post(STUDIES, json=body).json()["id"] for body in bodies]
    rows = client.get(EXPERIMENTS, params={"study": studies[1:], "sort": "id"}).json()["items"]
    assert [row["study_id"] for row in rows] == studies[1:]


def test_list_experiments_cursor_takes_repeated_filters_in_any_order(client: TestClient, database: Database) -> None:
    for _ in range(2):
        states.queue(database, tags=["a"])
    first = client.get(f"{EXPERIMENTS}?limit=1&tag=a&tag=b").json()["next_cursor"]
    assert len(client.get(f"{EXPERIMENTS}?limit=1&tag=b&tag=a&cursor={first}").json()["items"]) == 1
    refused(client.get(f"{EXPERIMENTS}?limit=1&tag=a&cursor={first}"), 422, "invalid_cursor", at="cursor")


@pytest.mark.parametrize("query", ["status=failed&status=x", "study=1&study=2", "tag=a&tag=%00", "text=a&text="])
def test_list_experiments_names_a_wrong_repeated_filter(steady: TestClient, query: str) -> None:
    answer = steady.get(f"{EXPERIMENTS}?{query}")
    assert {item["parameter"] for item in refused(answer, 422)["errors"]} == {query.partition("=")[0]}


def test_list_experiments_takes_at_most_a_hundred_values(steady: TestClient) -> None:
    assert steady.get(EXPERIMENTS, params={"tag": [str(n) for n in range(100)]}).status_code == 200
    refused(steady.get(EXPERIMENTS, params={"tag": [str(n) for n in range(101)]}), 422, at="tag")


def test_list_studies_repeated_filter_means_any_of_its_values(client: TestClient) -> None:
    base = {"base": {"activation": "relu"}, "seeds": [0]}
    for name in ("first", "second", "third"):
        client.post(STUDIES, json={**base, "name": name})
    client.post(STUDIES, json={"preset": "quick", "name": "quick one", "seeds": [0]})
    client.post(STUDIES, json={"preset": "kizrak-2019", "name": "article", "seeds": [0]})

    def matching(query: str) -> list[str]:
        return [row["name"] for row in client.get(f"{STUDIES}?sort=id&{query}").json()["items"]]

    assert matching("text=fir&text=hird") == ["first", "third"]
    assert matching("preset=quick&preset=kizrak-2019") == ["quick one", "article"]
    assert matching("preset=quick&preset=kizrak-2019&text=one&text=first") == ["quick one"]


@states.on_sqlite
def test_exports_and_comparisons_take_repeated_filters(client: TestClient, database: Database) -> None:
    for name in ("relu", "tanh", "sigmoid"):
        states.finish(database, activation=name)
    both = "activation=relu&activation=tanh"
    lines = client.get(f"{EXPERIMENTS}/export?format=jsonl&status=failed&status=succeeded&{both}").text.splitlines()
    assert [json.loads(line)["activation"] for line in lines] == ["relu", "tanh"]
    for route in ("comparisons?", "curves?", "comparisons/images?a=relu&b=tanh&"):
        answer = client.get(f"/api/v1/{route}{both}").json()
        groups = [group["factors"]["activation"] for group in answer.get("groups", [])]
        assert sorted(groups) in (["relu", "tanh"], []), route
    refused(client.get(f"{EXPERIMENTS}/export?status=succeeded&status=running"), 422, "validation_error", at="status")


# --- ranges and text -----------------------------------------------------------------------------------------------


def names(client: TestClient, **query: Any) -> list[str]:
    return [row["name"] for row in client.get(EXPERIMENTS, params={"sort": "id", **query}).json()["items"]]


RANGES: dict[str, tuple[dict[str, Any], dict[str, Any], float, float]] = {
    "epochs": ({"epochs": 2}, {"epochs": 5}, 2, 5),
    "batch_size": ({"batch_size": 32}, {"batch_size": 64}, 32, 64),
    "dropout": ({"dropout": 0.1}, {"dropout": {"conv": 0.3, "dense": 0.6}}, 0.1, 0.6),
    "learning_rate": ({"optimizer": {"learning_rate": 0.01}}, {"optimizer": {"name": "adadelta"}}, 0.01, 1),
}


@pytest.mark.parametrize("field", RANGES)
def test_list_experiments_range_includes_both_ends(client: TestClient, database: Database, field: str) -> None:
    low, high, least, most = RANGES[field]
    states.queue(database, name="low", **low)
    states.queue(database, name="high", **high)
    assert names(client, **{f"{field}_min": least}) == names(client, **{f"{field}_max": most}) == ["low", "high"]
    assert names(client, **{f"{field}_max": least}) == ["low"]
    assert names(client, **{f"{field}_min": least + 0.1 if isinstance(least, float) else least + 1}) == ["high"]
    assert names(client, **{f"{field}_min": least, f"{field}_max": least}) == ["low"]


def test_list_experiments_dropout_range_holds_for_both_places(client: TestClient, database: Database) -> None:
    states.queue(database, name="apart", dropout={"conv": 0.1, "dense": 0.5})
    assert names(client, dropout_min=0.1, dropout_max=0.5) == ["apart"]
    assert names(client, dropout_min=0.2) == names(client, dropout_max=0.4) == []


def test_list_experiments_accuracy_range_needs_an_accuracy(client: TestClient, database: Database) -> None:
    states.finish(database, 0.7, name="ended")
    states.queue(database, name="waits")
    assert names(client, test_accuracy_min=0.7) == names(client, test_accuracy_max=0.7) == ["ended"]
    assert names(client, test_accuracy_min=0.71) == []


ON_VALIDATION = {"validation_accuracy": (0.8, 0.9), "validation_loss": (0.3, 0.4),
                 "best_validation_accuracy": (0.7, 0.75), "best_validation_loss": (0.1, 0.2)}  # fmt: skip


@pytest.mark.parametrize("field", ON_VALIDATION)
def test_list_experiments_filters_and_sorts_by_validation_figures(
    client: TestClient, database: Database, field: str
) -> None:
    low, high = ON_VALIDATION[field]
    states.queue(database, name="waits")
    states.trained(database, [(0.7, 0.1), (0.8, 0.3)], best=1, name="low")
    states.trained(database, [(0.75, 0.2), (0.9, 0.4)], best=1, name="high")
    assert names(client, sort=f"-{field}") == ["high", "low"]
    assert names(client, sort=field, **{f"{field}_min": low, f"{field}_max": high}) == ["low", "high"]
    assert names(client, **{f"{field}_min": high}) == ["high"]
    assert names(client, **{f"{field}_max": low}) == ["low"]


def test_list_experiments_time_range_compares_instants(client: TestClient, database: Database) -> None:
    states.queue(database, name="one")
    created = datetime.fromisoformat(client.get(EXPERIMENTS).json()["items"][0]["created_at"])
    there = created.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert names(client, created_min=there.isoformat(), created_max=there.isoformat()) == ["one"]
    assert names(client, created_min=(there + timedelta(milliseconds=1)).isoformat()) == []
    assert names(client, created_max=(there - timedelta(milliseconds=1)).isoformat()) == []
    refused(client.get(EXPERIMENTS, params={"created_min": "2026-01-01T00:00:00"}), 422, at="created_min")


def test_list_experiments_text_is_matched_literally(client: TestClient, database: Database) -> None:
    for name in ("Baseline 50%", "baseline 500", "other_one", "otherone", None):
        states.queue(database, name=name)
    assert names(client, text="BASE") == ["Baseline 50%", "baseline 500"]
    assert names(client, text="50%") == ["Baseline 50%"]
    assert names(client, text="r_o") == ["other_one"]
    assert names(client, text="line 50", epochs_min=4) == []
    refused(client.get(EXPERIMENTS, params={"text": ""}), 422, at="text")


def test_list_experiments_refuses_a_cursor_of_other_ranges(client: TestClient, database: Database) -> None:
    for _ in range(2):
        states.queue(database)
    cursor = client.get(EXPERIMENTS, params={"limit": 1, "epochs_min": 1}).json()["next_cursor"]
    assert client.get(EXPERIMENTS, params={"epochs_min": 1, "cursor": cursor}).status_code == 200
    others: list[dict[str, Any]] = [{}, {"epochs_min": 2}, {"epochs_max": 1}, {"epochs_min": 1, "text": "x"}]
    for other in others:
        refused(client.get(EXPERIMENTS, params={**other, "cursor": cursor}), 422, "invalid_cursor", at="cursor")


# --- cursors -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cursor(client: TestClient, database: Database) -> str:
    for accuracy in (0.5, 0.6):
        states.finish(database, accuracy)
    page = client.get(EXPERIMENTS, params={"limit": 1, "sort": "test_accuracy", "dataset": "mnist_5k"}).json()
    cursor: str = page["next_cursor"]
    return cursor


@pytest.mark.parametrize(
    "query",
    [{}, {"sort": "test_accuracy"}, {"sort": "-test_accuracy", "dataset": "mnist_5k"}, {"dataset": "mnist_5k"},
     {"sort": "test_loss", "dataset": "mnist_5k"}, {"sort": "test_accuracy", "dataset": "mnist"}],
)  # fmt: skip
@states.on_sqlite
def test_list_experiments_refuses_a_cursor_of_another_filter_or_sort(
    client: TestClient, cursor: str, query: dict[str, str]
) -> None:
    refused(client.get(EXPERIMENTS, params={**query, "cursor": cursor}), 422, "invalid_cursor", at="cursor")


@states.on_sqlite
def test_list_experiments_refuses_a_changed_cursor(client: TestClient, cursor: str) -> None:
    query: dict[str, Any] = {"limit": 1, "sort": "test_accuracy", "dataset": "mnist_5k"}
    assert client.get(EXPERIMENTS, params={**query, "cursor": cursor}).status_code == 200
    value, id, digest = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    for changed in ([0.4, id, digest], [value, str(new_id()), digest], [value, id, digest[::-1]]):
        text = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode()
        refused(client.get(EXPERIMENTS, params={**query, "cursor": text}), 422, "invalid_cursor", at="cursor")


@pytest.mark.parametrize(
    "text",
    ["", "x", "é", "=", "bm90IGpzb24", "%00", *(
        base64.urlsafe_b64encode(text.encode()).decode()
        for text in ("{}", "[]", "1", "null", "[1]", "[null, 1, 2]", "[{}, [], 1]", '[null, "x", "y"]', "[" * 5000,
                     f'[{"9" * 400}, "x", "y"]', '[NaN, "x", "y"]', '[null, "\\ud800", ""]')
    )],
)  # fmt: skip
def test_list_experiments_refuses_a_malformed_cursor(steady: TestClient, text: str) -> None:
    for sort in ("id", "seconds"):
        refused(steady.get(EXPERIMENTS, params={"cursor": text, "sort": sort}), 422, at="cursor")
