"""Studies over HTTP: submission, presets, dry runs and errors."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, serving
from tests.making import make_epoch

FIELDS = {
    "id", "name", "question", "preset", "base", "factors", "grids", "seeds", "tuning", "tunes", "reuse", "reference",
    "activations", "experiments", "progress", "retryable", "finished", "eta_seconds", "cancelled_at", "edit_version",
    "created_at", "created_by", "revision", "notes", "tags", "archived_at",
}  # fmt: skip
GRID: dict[str, Any] = {
    "name": "dropout",
    "question": "Does it help?",
    "base": {"epochs": 3, "dataset": "mnist_5k"},
    "factors": {"activation": ["relu", "swish"], "dropout": [0, 0.25]},
    "seeds": [0, 1, 2],
}


def test_submit_study_queues_every_combination_per_seed(client: TestClient) -> None:
    answer = client.post(STUDIES, json=GRID)
    study = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"{STUDIES}/{study['id']}")
    assert study.keys() == FIELDS
    assert {name: study[name] for name in GRID} == GRID
    assert (study["experiments"], study["finished"], study["progress"]["queued"]) == (12, False, 12)
    items = client.get(EXPERIMENTS, params={"study": study["id"], "sort": "id"}).json()["items"]
    cells = [(i["spec"]["activation"]["name"], i["spec"]["dropout"]["conv"], i["spec"]["seed"]) for i in items]
    assert cells == [(name, p, seed) for seed in (0, 1, 2) for name in ("relu", "swish") for p in (0, 0.25)]
    assert {item["study_id"] for item in items} == {study["id"]}


def test_submit_study_with_the_quick_preset(client: TestClient) -> None:
    study = client.post(STUDIES, json={"preset": "quick"}).json()
    assert (study["preset"], study["name"], study["experiments"]) == ("quick", "quick", 25)
    assert study["factors"] == {"activation": ["relu", "sigmoid", "tanh", "leaky_relu", "swish"]}
    assert study["base"] == {"dataset": "mnist_5k", "epochs": 3}


def test_submit_study_overrides_the_preset(client: TestClient) -> None:
    body = {"preset": "quick", "base": {"dataset": "digits"}, "seeds": [7], "factors": {"activation": ["relu"],
                                                                                        "epochs": [1, 2]}}  # fmt: skip
    study = client.post(STUDIES, json=body).json()
    assert (study["base"], study["seeds"], study["experiments"]) == ({"dataset": "digits"}, [7], 2)


def test_get_study_shows_progress(client: TestClient, database: Database) -> None:
    study = client.post(STUDIES, json={"factors": {"activation": ["relu", "tanh"]}, "seeds": [0]}).json()
    states.heartbeat(database)
    first, second = states.claim(database)
    states.succeed(database, first, seconds=4.0)
    half = client.get(f"{STUDIES}/{study['id']}").json()
    assert (half["progress"]["succeeded"], half["progress"]["running"], half["finished"]) == (1, 1, False)
    assert half["eta_seconds"] == 4.0
    states.fail(database, second)
    done = client.get(f"{STUDIES}/{study['id']}", params={"wait": 20}).json()
    assert (done["finished"], done["progress"]["failed"], done["eta_seconds"]) == (True, 1, 0.0)
    assert done["revision"] > half["revision"] > study["revision"]


@states.on_sqlite
def test_get_study_of_an_unknown_id_is_404(client: TestClient) -> None:
    refused(client.get(f"{STUDIES}/{new_id()}"), 404, "study_not_found")
    refused(client.get(f"{STUDIES}/7"), 422, at="id")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/base/activation"),
        ({"seeds": []}, "/seeds"),
        ({"seeds": [0.5]}, "/seeds/0"),
        ({"preset": "slow"}, "/preset"),
        ({"preset": ["quick"]}, "/preset"),
        ({"preset": "quick", "base": None}, "/base"),
        ({"factors": {"activation": "relu"}}, "/factors/activation"),
        ({"factor": {}}, "/factor"),
        ({"name": "x" * 201}, "/name"),
        ({"question": "\u0007"}, "/question"),
    ],
)
def test_submit_study_refuses_invalid_specs(steady: TestClient, body: Any, where: str) -> None:
    refused(steady.post(STUDIES, json=body), 422, "validation_error", at=where)
    assert steady.get(EXPERIMENTS).json()["items"] == []


def test_submit_study_refuses_a_grid_over_the_limit(settings: Settings) -> None:
    with serving(settings.model_copy(update={"max_study_experiments": 5})) as client:
        assert client.post(STUDIES, json=GRID | {"factors": {"activation": ["relu"]}}).status_code == 202
        problem = refused(client.post(STUDIES, json=GRID), 422, at="/factors")
        assert "12 experiments" in problem["detail"]
        huge = {f"f{i}": list(range(100)) for i in range(40)}  # 10^80: more than len() can say
        refused(client.post(STUDIES, json=GRID | {"factors": huge}), 422, at="/factors")
        assert client.get("/api/v1/queue").json()["queued"] == 3


# --- dry run -------------------------------------------------------------------------------------------------------


def test_dry_run_counts_and_stores_nothing(client: TestClient) -> None:
    answer = client.post(STUDIES, params={"dry_run": True}, json=GRID, headers={"Idempotency-Key": "k"})
    plan = answer.json()
    assert (answer.status_code, plan["cells"], plan["experiments"]) == (200, 4, 12)
    assert "location" not in answer.headers
    assert client.get(STUDIES).json()["items"] == client.get(EXPERIMENTS).json()["items"] == []
    assert client.post(STUDIES, json=GRID, headers={"Idempotency-Key": "k"}).status_code == 202


def test_dry_run_estimates_by_the_pace_of_the_same_devices(client: TestClient, database: Database) -> None:
    def plan() -> Any:
        return client.post(STUDIES, params={"dry_run": True}, json=GRID).json()

    assert (plan()["seconds"], plan()["basis"]) == (
        None,
        "No worker is alive, so there is no device to estimate for.",
    )
    for worker in ("worker-1", "worker-2"):
        states.heartbeat(database, worker)
    assert "Nothing has been trained yet" in plan()["basis"]
    fence = states.start(database, activation="tanh", epochs=1)
    with database.write("train") as session:
        transitions.keep_execution(session, fence, {"device": "cuda"})
        transitions.record_epoch(session, fence, make_epoch(seconds=2.0))
    assert plan()["seconds"] is None  # no live worker has such a device
    with database.write("train") as session:
        transitions.keep_execution(session, fence, {"device": "cpu"})
    estimate = plan()
    assert (estimate["train_seconds"], estimate["seconds"], estimate["workers"]) == (12 * 3 * 2.0, 12 * 3 * 2.0 / 2, 2)
    assert "same network and batch size" in estimate["basis"]


def test_submit_study_is_atomic(settings: Settings) -> None:
    with serving(settings.model_copy(update={"fault": "submit_study.before_commit:error"})) as client:
        refused(client.post(STUDIES, json=GRID), 500, "internal_error")
        assert client.get(EXPERIMENTS).json()["items"] == []
        assert client.post(STUDIES, json=GRID).json()["experiments"] == 12
