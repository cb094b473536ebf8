"""Lists: every row exactly once, one page at a time."""

import base64
import json
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient

from service.api.experiments import SORTS
from service.storage.base import new_id
from service.storage.database import Database
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


def test_each_sort_walks_every_row_once_ties_included(client: TestClient, database: Database) -> None:
    for accuracy in (0.5, 0.9, 0.5, 0.1 + 0.2, 0.9, 0.5):
        states.finish(database, accuracy, run={"seconds": round(accuracy)})
    states.queue(database)
    for sort in get_args(SORTS):
        found = walk(client, sort=sort, limit=2)
        column = sort.removeprefix("-")
        assert len({row["id"] for row in found}) == len(found) == (7 if column == "id" else 6), sort
        places = [(row[column], row["id"]) for row in found]
        assert places == sorted(places, reverse=sort.startswith("-")), sort


def test_a_page_of_exactly_what_is_left_is_the_last(client: TestClient, database: Database) -> None:
    for _ in range(4):
        states.queue(database)
    assert len(walk(client, limit=2)) == 4
    assert client.get(EXPERIMENTS, params={"limit": 4}).json()["next_cursor"] is None


def test_rows_that_arrive_between_pages_neither_repeat_nor_hide_others(client: TestClient, database: Database) -> None:
    old = [str(states.queue(database)) for _ in range(4)]
    first = client.get(EXPERIMENTS, params={"limit": 2}).json()
    states.queue(database)
    second = client.get(EXPERIMENTS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["items"] + second["items"]] == old[::-1]


def test_filters_narrow_and_combine(client: TestClient, database: Database) -> None:
    def found(**query: Any) -> int:
        return len(client.get(EXPERIMENTS, params=query).json()["items"])

    client.post(STUDIES, json={"base": {"dataset": "digits"}, "factors": {"activation": ["tanh"]}, "seeds": [0]})
    study = client.get(EXPERIMENTS).json()["items"][0]["study_id"]
    states.finish(database, activation="relu", tags=["baseline", "x"])
    states.queue(database, activation={"name": "swish", "parameters": {"beta": 2}}, tags=["baseline"])
    assert [found(), found(status="queued"), found(activation="relu"), found(dataset="digits")] == [3, 2, 1, 1]
    assert [found(activation="swish(beta=2)"), found(activation="swish")] == [1, 0]
    assert [found(study=study), found(tag="baseline"), found(tag="base")] == [1, 2, 0]
    assert [found(tag="baseline", status="queued"), found(tag="x", status="queued")] == [1, 0]
    assert found(study=new_id()) == 0


# --- cursors -------------------------------------------------------------------------------------------------------


@pytest.fixture
def cursor(client: TestClient, database: Database) -> str:
    for accuracy in (0.5, 0.6):
        states.finish(database, accuracy)
    page = client.get(EXPERIMENTS, params={"limit": 1, "sort": "test_accuracy", "dataset": "mnist_5k"}).json()
    found: str = page["next_cursor"]
    return found


@pytest.mark.parametrize(
    "query",
    [{}, {"sort": "test_accuracy"}, {"sort": "-test_accuracy", "dataset": "mnist_5k"}, {"dataset": "mnist_5k"},
     {"sort": "test_loss", "dataset": "mnist_5k"}, {"sort": "test_accuracy", "dataset": "mnist"}],
)  # fmt: skip
@states.on_sqlite
def test_a_cursor_belongs_to_its_filter_and_sort(client: TestClient, cursor: str, query: dict[str, str]) -> None:
    refused(client.get(EXPERIMENTS, params={**query, "cursor": cursor}), 422, "invalid_cursor", at="cursor")


@states.on_sqlite
def test_a_changed_cursor_is_refused(client: TestClient, cursor: str) -> None:
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
def test_what_is_no_cursor_is_refused(steady: TestClient, text: str) -> None:
    for sort in ("id", "seconds"):
        refused(steady.get(EXPERIMENTS, params={"cursor": text, "sort": sort}), 422, at="cursor")
