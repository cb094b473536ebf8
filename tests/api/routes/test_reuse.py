"""Studies that reuse the finished experiments of other studies."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.storage.analysis.article_claims import observe
from service.storage.engine.database import Database
from service.storage.queue import transitions
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, services_of
from tests.making import make_epoch, make_fingerprint, make_layer
from tests.waiting import await_true

SMALL: dict[str, Any] = {"base": {"epochs": 1}, "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}
WIDE = SMALL | {"factors": {"activation": ["relu", "tanh", "swish"]}, "reuse": True}


@pytest.fixture
def version(client: TestClient) -> str:
    return services_of(client).version


def submit(client: TestClient, spec: Any) -> dict[str, Any]:
    answer = client.post(STUDIES, json=spec)
    assert answer.status_code == 202, answer.text
    study: dict[str, Any] = answer.json()
    return study


def succeed_all(database: Database, version: str, **fingerprint: Any) -> None:
    for fence in states.claim(database):
        states.succeed(database, fence, 0.9, **{"code": version, **fingerprint})


def ids(client: TestClient, study: str) -> list[str]:
    items = client.get(EXPERIMENTS, params={"study": study, "sort": "id", "limit": 500}).json()["items"]
    return [item["id"] for item in items]


def test_reuse_counts_trained_experiments_and_queues_the_rest(
    client: TestClient, database: Database, version: str
) -> None:
    first = submit(client, SMALL)["id"]
    succeed_all(database, version)
    plan = client.post(STUDIES, params={"dry_run": True}, json=WIDE).json()
    assert (plan["experiments"], plan["reused"]) == (6, 4)
    second = submit(client, WIDE)
    assert (second["experiments"], second["progress"]["queued"], second["progress"]["succeeded"]) == (6, 2, 4)
    assert set(ids(client, second["id"])) > set(ids(client, first))
    assert len(ids(client, first)) == 4
    succeed_all(database, version)
    groups = client.get(f"{STUDIES}/{second['id']}/comparison").json()["groups"]
    assert {group["factors"]["activation"]: group["n"] for group in groups} == {"relu": 2, "tanh": 2, "swish": 2}
    export = client.get(f"{STUDIES}/{second['id']}/export", params={"format": "jsonl"}).text
    assert export.count("\n") == 6
    assert submit(client, WIDE)["progress"] == {"queued": 0, "running": 0, "succeeded": 6, "failed": 0, "cancelled": 0}


def test_reuse_is_off_by_default(client: TestClient, database: Database, version: str) -> None:
    submit(client, SMALL)
    succeed_all(database, version)
    assert submit(client, SMALL)["progress"]["queued"] == 4


def test_reuse_applies_to_seeds_added_later(client: TestClient, database: Database, version: str) -> None:
    submit(client, SMALL | {"seeds": [5]})
    succeed_all(database, version)
    study = submit(client, SMALL | {"reuse": True})
    added = client.patch(f"{STUDIES}/{study['id']}", json={"seeds": [0, 1, 5]}).json()
    assert (added["experiments"], added["progress"]["queued"], added["progress"]["succeeded"]) == (6, 4, 2)


@pytest.mark.parametrize("other", [{"code": "0.0.1"}, {"mixed": True}, {"torch": "1.0"}, {"device": "cuda"}], ids=str)
def test_reuse_requires_the_same_version_and_fingerprint(
    client: TestClient, database: Database, version: str, other: dict[str, Any]
) -> None:
    states.heartbeat(database, device="cpu", versions={"torch": make_fingerprint().torch})
    submit(client, SMALL)
    succeed_all(database, version, **other)
    assert submit(client, SMALL | {"reuse": True})["progress"]["queued"] == 4


def test_reuse_takes_experiments_of_one_fingerprint(client: TestClient, database: Database, version: str) -> None:
    submit(client, SMALL)
    fences = states.claim(database)
    for fence, threads in zip(fences, (1, 1, 1, 2), strict=True):
        states.succeed(database, fence, 0.9, code=version, threads=threads)
    assert submit(client, SMALL | {"reuse": True})["progress"]["succeeded"] == 3


def test_reuse_skips_failed_experiments(client: TestClient, database: Database) -> None:
    submit(client, SMALL)
    for fence in states.claim(database):
        states.fail(database, fence)
    assert submit(client, SMALL | {"reuse": True})["progress"]["queued"] == 4


def test_delete_study_keeps_experiments_that_others_reuse(client: TestClient, database: Database, version: str) -> None:
    first = submit(client, SMALL)["id"]
    succeed_all(database, version)
    second, third = (submit(client, SMALL | {"reuse": True})["id"] for _ in range(2))
    reused = ids(client, first)
    refused(client.delete(f"{EXPERIMENTS}/{reused[0]}"), 409, "illegal_transition")
    assert client.delete(f"{STUDIES}/{first}").status_code == 204
    assert ids(client, second) == ids(client, third) == reused
    assert client.get(f"{EXPERIMENTS}/{reused[0]}").json()["study_id"] == second
    assert client.delete(f"{STUDIES}/{third}").status_code == 204
    assert ids(client, second) == reused
    assert client.delete(f"{STUDIES}/{second}").status_code == 204
    assert client.get(EXPERIMENTS).json()["items"] == []


def test_reuse_counts_as_evidence_for_claims(client: TestClient, database: Database, version: str) -> None:
    five = {"base": {"epochs": 1}, "factors": {"activation": ["sigmoid", "tanh"]}, "seeds": list(range(5))}
    submit(client, five)
    for fence in states.claim(database):
        with database.write("start") as session:
            transitions.record_start(session, fence, [make_layer(0)])
        early = 0.8 if states.read(database, fence.id).activation == "sigmoid" else 0.4
        states.succeed(database, fence, 0.9, code=version, early_loss=early * (1 + fence.id.int % 7 / 100))
    second = submit(client, five | {"reuse": True})["id"]
    fourth = client.get(f"{STUDIES}/{second}/claims").json()["claims"][3]
    assert (fourth["verdict"], fourth["parts"][0]["n"]) == ("supported", 5)
    with database.read() as session:
        seen = observe(session, UUID(second)).settings(["seed"])
    assert all(run.layers for setting in seen for side in setting.sides.values() for run in side.runs.values())


# --- with tuning ---------------------------------------------------------------------------------------------------

TUNED = SMALL | {"reuse": True, "tuning": {"rates": [0.001, 0.01], "seeds": [7]}}
TRIALS = SMALL | {"factors": SMALL["factors"] | {"optimizer.learning_rate": [0.001, 0.01]}, "seeds": [7]}


def train(database: Database, version: str) -> int:
    """End every queued experiment, tanh and 0.01 being best; return their number."""
    fences = states.claim(database)
    for fence in fences:
        rate = states.read(database, fence.id).spec["optimizer"]["learning_rate"]
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(1, validation_accuracy=0.8 + rate))
        states.succeed(database, fence, 0.9, code=version)
    return len(fences)


def ranking(client: TestClient, id: str) -> dict[str, Any]:
    """Wait until the ranking has started, and return the study."""
    return await_true(lambda: s if (s := client.get(f"{STUDIES}/{id}").json())["tuning"]["tuned_at"] else None)


def test_reuse_applies_to_trials_and_the_ranking(client: TestClient, database: Database, version: str) -> None:
    submit(client, TRIALS | {"factors": TRIALS["factors"] | {"activation": ["tanh"]}})
    submit(client, SMALL | {"base": {"epochs": 1, "optimizer": {"learning_rate": 0.01}}, "seeds": [0]})
    train(database, version)
    plan = client.post(STUDIES, params={"dry_run": True}, json=TUNED).json()
    assert (plan["experiments"], plan["tuning_experiments"], plan["reused"]) == (8, 4, 2)
    study = submit(client, TUNED)
    tuner = client.get(f"{STUDIES}/{study['tuning']['study']}").json()
    assert (tuner["progress"]["succeeded"], tuner["progress"]["queued"], study["experiments"]) == (2, 2, 0)
    assert train(database, version) == 2
    ranked_study = ranking(client, study["id"])
    choices = ranked_study["tuning"]["choices"]
    assert [(c["factors"]["activation"], c["learning_rate"], len(c["scores"])) for c in choices] == [
        ("relu", 0.01, 2), ("tanh", 0.01, 2)]  # fmt: skip
    assert (ranked_study["progress"]["succeeded"], ranked_study["progress"]["queued"]) == (2, 2)
    assert train(database, version) == 2
    groups = client.get(f"{STUDIES}/{study['id']}/comparison").json()["groups"]
    assert [group["n"] for group in groups] == [2, 2]


def test_reuse_of_everything_trains_nothing(client: TestClient, database: Database, version: str) -> None:
    first = submit(client, TUNED)
    assert train(database, version) == 4
    ranking(client, first["id"])
    assert train(database, version) == 4
    second = ranking(client, submit(client, TUNED)["id"])
    assert (second["finished"], second["progress"]["succeeded"], train(database, version)) == (True, 4, 0)
    assert second["tuning"]["choices"] == ranking(client, first["id"])["tuning"]["choices"]
    assert client.delete(f"{STUDIES}/{first['id']}").status_code == 204
    tuner = client.get(f"{STUDIES}/{second['tuning']['study']}").json()
    assert (tuner["progress"]["succeeded"], client.get(f"{STUDIES}/{second['id']}").json()["experiments"]) == (4, 4)
