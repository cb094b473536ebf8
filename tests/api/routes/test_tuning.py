"""Studies that tune: the rates are tried, chosen once, and the ranking follows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.domain.status import Cause
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.studies import tuning
from service.usecases import rankings
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, serving
from tests.making import make_epoch, make_run
from tests.waiting import await_true

TUNED: dict[str, Any] = {
    "base": {"epochs": 1, "dataset": "mnist_5k"},
    "factors": {"activation": ["relu", "tanh"]},
    "seeds": [0, 1],
    "tuning": {"rates": [0.001, 0.01, 0.1], "seeds": [7, 8]},
}
BEST = {"relu": 0.01, "tanh": 0.1}


def submit(client: TestClient, **fields: Any) -> dict[str, Any]:
    study: dict[str, Any] = client.post(STUDIES, json=TUNED | fields).json()
    return study


def best_first(spec: dict[str, Any]) -> float:
    return 0.9 if spec["optimizer"]["learning_rate"] == BEST[spec["activation"]["name"]] else 0.6


def train(database: Database, accuracy: Callable[[dict[str, Any]], float | None] = best_first) -> int:
    """End every queued experiment with this validation accuracy, or diverged for None; return their number."""
    fences = states.claim(database)
    for fence in fences:
        figure = accuracy(states.read(database, fence.id).spec)
        with database.write("train") as session:
            if figure is None:
                transitions.fail(session, fence, Cause.DIVERGED, "The loss became NaN.")
            else:
                transitions.record_epoch(session, fence, make_epoch(1, validation_accuracy=figure))
                transitions.succeed(session, fence, make_run(figure))
    return len(fences)


def read(client: TestClient, id: str) -> dict[str, Any]:
    study: dict[str, Any] = client.get(f"{STUDIES}/{id}").json()
    return study


def tuned(client: TestClient, id: str) -> dict[str, Any]:
    """Wait until the ranking has started, and return the study."""
    return await_true(lambda: s if (s := read(client, id))["tuning"]["tuned_at"] else None)


def ranking(client: TestClient, id: str) -> list[tuple[str, float, int]]:
    items = client.get(EXPERIMENTS, params={"study": id, "sort": "id"}).json()["items"]
    return [
        (i["spec"]["activation"]["name"], i["spec"]["optimizer"]["learning_rate"], i["spec"]["seed"]) for i in items
    ]


# --- the two stages ------------------------------------------------------------------------------------------------


def test_tuning_ranks_each_cell_with_its_best_rate(client: TestClient, database: Database) -> None:
    study = submit(client)
    id, tuner = study["id"], study["tuning"]["study"]
    assert (study["experiments"], study["finished"], study["eta_seconds"]) == (0, False, None)
    assert (read(client, tuner)["experiments"], read(client, tuner)["tunes"]) == (12, id)
    assert train(database) == 12
    ranked_study = tuned(client, id)
    choices = ranked_study["tuning"]["choices"]
    assert [(c["factors"]["activation"], c["learning_rate"], c["at_edge"]) for c in choices] == [
        ("relu", 0.01, False), ("tanh", 0.1, True)]  # fmt: skip
    assert choices[0]["scores"][1] == {"learning_rate": 0.01, "n": 2, "n_diverged": 0, "validation_accuracy": 0.9,
                                       "validation_loss": 0.4}  # fmt: skip
    assert ranking(client, id) == [("relu", 0.01, 0), ("tanh", 0.1, 0), ("relu", 0.01, 1), ("tanh", 0.1, 1)]
    assert client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}).json()["experiments"] == 6
    assert ranking(client, id)[4:] == [("relu", 0.01, 2), ("tanh", 0.1, 2)]
    assert train(database) == 6
    groups = client.get(f"{STUDIES}/{id}/comparison").json()["groups"]
    assert [(group["factors"], group["n"]) for group in groups] == [
        ({"activation": "relu", "optimizer.learning_rate": 0.01}, 3),
        ({"activation": "tanh", "optimizer.learning_rate": 0.1}, 3),
    ]
    assert read(client, id)["finished"] is True


@states.on_sqlite
def test_dry_run_counts_both_stages(client: TestClient) -> None:
    plan = client.post(STUDIES, params={"dry_run": True}, json=TUNED).json()
    assert (plan["cells"], plan["experiments"], plan["tuning_experiments"]) == (2, 16, 12)
    assert client.get(STUDIES).json()["items"] == []


def test_tuning_leaves_out_a_cell_without_a_working_rate(client: TestClient, database: Database) -> None:
    id = submit(client)["id"]
    train(database, lambda spec: None if spec["activation"]["name"] == "tanh" else best_first(spec))
    choices = tuned(client, id)["tuning"]["choices"]
    assert [(choice["learning_rate"], choice["scores"][0]["n_diverged"]) for choice in choices] == [
        (0.01, 0),
        (None, 2),
    ]
    assert ranking(client, id) == [("relu", 0.01, 0), ("relu", 0.01, 1)]


def test_tuning_ranks_seeds_added_during_the_trials(client: TestClient, database: Database) -> None:
    id = submit(client)["id"]
    assert client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}).json()["experiments"] == 0
    refused(client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2, 7]}), 422, at="/seeds")
    train(database)
    tuned(client, id)
    assert len(ranking(client, id)) == 6


# --- once, whatever happens ----------------------------------------------------------------------------------------


def test_tuning_queues_the_ranking_once(settings: Settings, database: Database) -> None:
    with serving(settings.model_copy(update={"reconcile_seconds": 600})) as client:
        id = UUID(submit(client)["id"])
        assert database.run("start", partial(rankings.start, id=id, code="0")) == 0  # the rates have not been tried yet
        train(database)
        with ThreadPoolExecutor(4) as pool:
            started = list(
                pool.map(lambda _: database.run("start", partial(rankings.start, id=id, code="0")), range(4))
            )
        assert sorted(started) == [0, 0, 0, 4]
        assert len(ranking(client, str(id))) == 4


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_tuning_queues_the_ranking_after_a_crash(settings: Settings, database: Database, point: str) -> None:
    with serving(settings.model_copy(update={"fault": f"start_ranking.{point}:error"})) as client:
        id = submit(client)["id"]
        train(database)
        tuned(client, id)
        assert len(ranking(client, id)) == 4


# --- the study that tunes belongs to the other ---------------------------------------------------------------------


def test_cancel_study_ends_the_trials_and_the_ranking(client: TestClient, database: Database) -> None:
    study = submit(client)
    id, tuner = study["id"], study["tuning"]["study"]
    states.claim(database, limit=1)
    cancelled = client.post(f"{STUDIES}/{id}/cancel").json()
    assert (cancelled["finished"], read(client, tuner)["progress"]["cancelled"]) == (True, 11)
    refused(client.delete(f"{STUDIES}/{id}"), 409, "illegal_transition")
    with database.read() as session:
        assert list(tuning.due(session)) == []


def test_delete_study_deletes_the_trials_too(client: TestClient, database: Database) -> None:
    study = submit(client)
    other = submit(client)
    client.post(f"{STUDIES}/{study['id']}/cancel")
    assert client.delete(f"{STUDIES}/{study['id']}").status_code == 204
    left = {item["id"] for item in client.get(STUDIES).json()["items"]}
    assert left == {other["id"], other["tuning"]["study"]}
    assert len(client.get(EXPERIMENTS).json()["items"]) == 12


def test_retry_study_retries_its_trials_until_rates_are_chosen(client: TestClient, database: Database) -> None:
    study = submit(client)
    id, tuner = study["id"], study["tuning"]["study"]
    for fence in states.claim(database, limit=2):
        states.fail(database, fence, Cause.INVALID_DATA)
    assert client.post(f"{STUDIES}/{id}/retry").json() == {"count": 2}
    assert read(client, tuner)["experiments"] == 14
    states.fail(database, states.claim(database, limit=1)[0], Cause.INVALID_DATA)
    train(database)
    tuned(client, id)
    assert client.post(f"{STUDIES}/{id}/retry").json() == {"count": 0}
    states.fail(database, states.claim(database, limit=1)[0], Cause.INVALID_DATA)
    assert client.post(f"{STUDIES}/{id}/retry").json() == {"count": 1}


def test_trials_cannot_be_changed_on_their_own(client: TestClient) -> None:
    tuner = f"{STUDIES}/{submit(client)['tuning']['study']}"
    refused(client.post(f"{tuner}/cancel"), 409, "illegal_transition")
    refused(client.post(f"{tuner}/retry"), 409, "illegal_transition")
    refused(client.delete(tuner), 409, "illegal_transition")
    refused(client.patch(tuner, json={"seeds": [7, 8, 9]}), 409, "illegal_transition")
    assert client.patch(tuner, json={"name": "rates"}).json()["name"] == "rates"


@pytest.mark.parametrize(
    ("tuning", "where"),
    [({"rates": [0.1]}, "/tuning/rates"), ({"rates": [0.1, "x"]}, "/tuning/rates/1"), ({}, "/tuning/rates"),
     ({"rates": [0.1, 0.2], "seeds": [0]}, "/tuning/seeds/0"), ({"rates": [0.1, 0.2], "x": 1}, "/tuning/x")],
)  # fmt: skip
def test_submit_study_refuses_invalid_tuning(steady: TestClient, tuning: Any, where: str) -> None:
    refused(steady.post(STUDIES, json=TUNED | {"tuning": tuning}), 422, at=where)
