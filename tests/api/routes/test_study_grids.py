"""Studies with several grids over HTTP."""

import json
import shlex
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES
from tests.conftest import ROOT
from tests.making import make_epoch
from tests.waiting import await_true

DOCUMENT = ROOT / "docs" / "studies.md"
TWO: dict[str, Any] = {
    "base": {"epochs": 1},
    "grids": [
        {"name": "depth", "factors": {"activation": ["relu", "tanh"], "model.dense_layers": [1, 2]}},
        {"name": "rate", "base": {"activation": "relu"}, "factors": {"optimizer.learning_rate": [0.01, 0.1]},
         "seeds": [7]},
    ],
    "seeds": [0, 1],
}  # fmt: skip


def test_submit_study_with_several_grids(client: TestClient, database: Database) -> None:
    study = client.post(STUDIES, json=TWO).json()
    assert (study["experiments"], study["base"], study["factors"]) == (10, {"epochs": 1}, {})
    assert [(grid["name"], grid["seeds"]) for grid in study["grids"]] == [("depth", None), ("rate", [7])]
    path = f"{STUDIES}/{study['id']}"
    assert client.patch(path, json={"seeds": [0, 1, 2]}).json()["experiments"] == 14
    states.finish_queued(database, lambda spec: 0.9 if spec["activation"]["name"] == "relu" else 0.8)
    depth = client.get(f"{path}/comparison", params={"grid": "depth"}).json()
    assert [(group["factors"], group["n"]) for group in depth["groups"]][:2] == [
        ({"activation": "relu", "model.dense_layers": 1}, 3),
        ({"activation": "relu", "model.dense_layers": 2}, 3),
    ]
    rate = client.get(f"{path}/comparison", params={"grid": "rate"}).json()
    assert {group["factors"]["optimizer.learning_rate"] for group in rate["groups"]} == {0.01, 0.1}
    whole = client.get(f"{path}/comparison").json()
    assert sum(group["n"] for group in whole["groups"]) == 14
    curves = client.get(f"{path}/curves", params={"grid": "rate"})
    assert curves.status_code == 200
    refused(client.get(f"{path}/comparison", params={"grid": "width"}), 422, "validation_error", at="grid")


def test_export_and_report_of_one_grid(client: TestClient, database: Database) -> None:
    id = client.post(STUDIES, json=TWO).json()["id"]
    states.finish_queued(database, lambda spec: 0.9 if spec["activation"]["name"] == "relu" else 0.8)
    path = f"{STUDIES}/{id}"
    for grid, number in (("depth", 8), ("rate", 2), (None, 10)):
        query = {} if grid is None else {"grid": grid}
        assert client.get(f"{path}/export", params=query | {"format": "jsonl"}).text.count("\n") == number
        report = client.get(f"{path}/report", params=query | {"format": "markdown"}).text
        assert f"{number} experiments, {number} succeeded" in report
        assert ("of its grids only" in report) is (grid is not None)
    body = repeated(client.get(f"{path}/report", params={"grid": "depth", "format": "markdown"}).text)
    again = client.post(STUDIES, params={"dry_run": True}, json=body).json()
    assert (again["cells"], again["experiments"], [grid["name"] for grid in body["grids"]]) == (4, 8, ["depth"])
    for what in ("export", "report"):
        refused(client.get(f"{path}/{what}", params={"grid": "width"}), 422, "validation_error", at="grid")
        refused(client.get(f"{STUDIES}/{states.SOME_ID}/{what}", params={"grid": "depth"}), 404, "study_not_found")


def repeated(report: str) -> Any:
    """Return the body that the report's command posts."""
    command = next(line for line in report.splitlines() if line.strip().startswith("curl "))
    return json.loads(shlex.split(command)[-1])


@states.on_sqlite
def test_grid_of_a_tuned_study_has_the_chosen_rates(client: TestClient, database: Database) -> None:
    tuning = {"rates": [0.002, 0.004], "seeds": [9]}
    study = client.post(STUDIES, json=TWO | {"grids": TWO["grids"][:1], "tuning": tuning}).json()
    path, tuner = f"{STUDIES}/{study['id']}", f"{STUDIES}/{study['tuning']['study']}"
    depth = {"grid": "depth", "format": "jsonl"}
    train(database)
    assert await_true(lambda: client.get(path).json()["tuning"]["tuned_at"])
    assert client.get(f"{tuner}/export", params=depth).text.count("\n") == 8
    assert client.get(f"{path}/export", params=depth).text == ""
    train(database)
    assert client.get(f"{path}/export", params=depth).text.count("\n") == 8
    assert len(client.get(f"{path}/comparison", params={"grid": "depth"}).json()["groups"]) == 4
    report = client.get(f"{path}/report", params={"grid": "depth", "format": "markdown"}).text
    assert repeated(report)["tuning"] == tuning


def train(database: Database) -> None:
    for fence in states.claim(database):
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(1))
        states.succeed(database, fence)


@states.on_sqlite
def test_edit_study_refuses_seeds_if_every_grid_has_its_own(client: TestClient) -> None:
    study = client.post(STUDIES, json=TWO | {"grids": TWO["grids"][1:]}).json()["id"]
    refused(client.patch(f"{STUDIES}/{study}", json={"seeds": [0, 1, 2]}), 422, at="/seeds")


@pytest.mark.parametrize(("preset", "cells", "experiments"), [("quick", 5, 25), ("kizrak-2019", 5, 25),
                                                              ("claims", 66, 380)])  # fmt: skip
@states.on_sqlite
def test_dry_run_of_each_preset(client: TestClient, preset: str, cells: int, experiments: int) -> None:
    assert f"| `{preset}` | {cells} | {experiments} |" in DOCUMENT.read_text()
    plan = client.post(STUDIES, params={"dry_run": True}, json={"preset": preset}).json()
    assert (plan["cells"], plan["experiments"]) == (cells, experiments)
    assert "No worker" in plan["basis"]
    assert client.get(EXPERIMENTS).json()["items"] == []
