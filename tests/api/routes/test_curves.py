"""Curves over HTTP: their runs, published curves and refusals."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import CURVES, STUDIES
from tests.making import make_epoch


def get(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get(CURVES, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def record(database: Database, fence: Fence, *accuracies: float, **figures: Any) -> None:
    for epoch, accuracy in enumerate(accuracies, start=1):
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(epoch, validation_accuracy=accuracy, **figures))


def trained(database: Database, *accuracies: float, figures: dict[str, Any] | None = None, **fields: Any) -> None:
    fence = states.start(database, **fields)
    record(database, fence, *accuracies, **(figures or {}))
    states.succeed(database, fence)


def test_get_study_curves_groups_by_its_factors_while_it_runs(client: TestClient, database: Database) -> None:
    factors = {"activation": ["swish", "relu"]}
    id = client.post(STUDIES, json={"factors": factors, "base": {"epochs": 3}, "seeds": [0, 1]}).json()["id"]
    for fence in states.claim(database, limit=3):
        spec = states.read(database, fence.id).spec
        record(database, fence, 0.5, 0.7 if spec["seed"] else 0.6)
    own = client.get(f"{STUDIES}/{id}/curves").json()
    assert own == get(client, study=id)
    assert own.keys() == {"metric", "title", "unit", "higher_is_better", "groups", "reference"}
    assert (own["metric"], own["reference"]) == ("validation_accuracy", None)
    assert [group["factors"]["activation"] for group in own["groups"]] == ["relu", "swish"]
    n = {group["factors"]["activation"]: group["n"] for group in own["groups"]}
    assert sorted(n.values()) == [[1, 1], [2, 2]]
    whole = next(group for group in own["groups"] if group["n"] == [2, 2])
    assert (whole["epochs"], whole["mean"]) == ([1, 2], [0.5, pytest.approx(0.65)])
    assert whole["low"][1] < 0.65 < whole["high"][1]
    refused(client.get(f"{STUDIES}/{new_id()}/curves"), 404, "study_not_found")


def test_get_curves_takes_the_same_run_as_a_comparison(client: TestClient, database: Database) -> None:
    trained(database, 0.3)
    states.fail(database, states.start(database))
    trained(database, 0.5)
    trained(database, 0.9, seed=1)
    record(database, states.start(database), 0.1)
    (group,) = get(client, seeds=True)["groups"]
    assert (group["n"], group["seeds"]) == ([2], {"0": [0.5], "1": [0.9]})


def test_get_curves_shows_queued_groups_without_epochs(client: TestClient, database: Database) -> None:
    states.queue(database)
    (group,) = get(client)["groups"]
    assert (group["factors"], group["epochs"], group["mean"], group["n"]) == ({"activation": "relu"}, [], [], [])


def test_get_curves_counts_diverged_runs_and_leaves_them_out(client: TestClient, database: Database) -> None:
    trained(database, 0.8, 0.9)
    fence = states.start(database, seed=1)
    record(database, fence, 0.6)
    with database.write("epoch") as session:
        wrong = {"validation_loss": None, "validation_accuracy": 0.1, "non_finite": ["validation_loss"]}
        transitions.record_epoch(session, fence, make_epoch(2, **wrong))
    states.fail(database, fence)
    (group,) = get(client, metric="validation_loss", seeds=True)["groups"]
    assert (group["n"], group["n_non_finite"], group["n_diverged"]) == ([2, 1], [0, 1], 1)
    assert group["seeds"] == {"0": [0.4, 0.4], "1": [0.4, None]}
    assert (group["low"][1], group["high"][1]) == (None, None)


def test_get_curves_of_total_loss_includes_l2(client: TestClient, database: Database) -> None:
    trained(database, 0.5, figures={"train_loss": 0.5, "validation_loss": 0.25, "l2": 0.125})
    for metric, mean in (("train_total_loss", 0.625), ("validation_total_loss", 0.375), ("l2", 0.125)):
        assert get(client, metric=metric)["groups"][0]["mean"] == [mean]


def test_get_curves_with_a_level(client: TestClient, database: Database) -> None:
    for seed, accuracies in enumerate([(0.5, 0.9), (0.9,), (0.5, 0.6)]):
        trained(database, *accuracies, seed=seed)
    (group,) = get(client, level=0.9)["groups"]
    assert group["reached"] == {"level": 0.9, "n": 3, "n_reached": 2, "median_epochs": 2.0, "median_seconds": 2.0}
    refused(client.get(CURVES, params={"level": 0.9, "metric": "l2"}), 422, at="level")
    refused(client.get(CURVES, params={"level": "nan"}), 422, at="level")


def test_get_curves_shows_the_published_curves_with_defects(client: TestClient, database: Database) -> None:
    trained(database, 0.5, dataset="mnist_5k", epochs=3)
    reference = get(client, metric="validation_total_loss", reference="kizrak-2019")["reference"]
    assert (reference["metric"], reference["differs"]) == ("test_loss", ["dataset", "epochs"])
    assert len(reference["curves"]) == 5
    assert reference["curves"][2]["factors"] == {"activation": "relu"}
    assert reference["curves"][2]["values"][:2] == [0.0498, 0.0405]
    assert any("test set is also the validation set" in defect for defect in reference["defects"])
    refused(client.get(CURVES, params={"metric": "validation_loss", "reference": "kizrak-2019"}), 422, at="reference")


def test_get_curves_of_the_articles_protocol_differ_in_nothing(client: TestClient, database: Database) -> None:
    states.queue(database, dataset="mnist", epochs=20)
    assert get(client, reference="kizrak-2019")["reference"]["differs"] == []


def test_get_curves_sums_seconds_unless_devices_are_mixed(client: TestClient, database: Database) -> None:
    trained(database, 0.5, 0.6, figures={"seconds": 2.0})
    assert get(client)["groups"][0]["seconds"] == [2.0, 4.0]
    fence = states.start(database, seed=1)
    with database.write("execution") as session:
        transitions.keep_execution(session, fence, {"device": "cuda"})
    record(database, fence, 0.5)
    assert get(client)["groups"][0]["seconds"] is None


@states.on_sqlite
@pytest.mark.parametrize("fingerprint", [{"device_name": "another"}, {"threads": 4}], ids=str)
def test_get_curves_have_no_seconds_on_several_machines(
    client: TestClient, database: Database, fingerprint: dict[str, Any]
) -> None:
    for seed, run in enumerate(({}, {}, fingerprint)):
        fence = states.start(database, seed=seed)
        record(database, fence, 0.5)
        states.succeed(database, fence, **run)
        assert (get(client)["groups"][0]["seconds"] is None) == bool(run)


def test_get_curves_answers_304_until_an_epoch_ends(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = client.post(STUDIES, json={"base": {"activation": "relu"}, "seeds": [0]}).json()["id"]
    (fence,) = states.claim(database)
    for path in (f"{STUDIES}/{id}/curves", CURVES):
        etag = client.get(path).headers["etag"]
        with monkeypatch.context() as patched:
            patched.setattr("service.api.routes.curves._curves", lambda *_: pytest.fail("read again"))
            assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
        record(database, fence, 0.5)
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_get_curves_refuses_what_a_comparison_refuses(client: TestClient, database: Database) -> None:
    trained(database, 0.5, epochs=1)
    trained(database, 0.5, epochs=2)
    assert refused(client.get(CURVES), 422, at="group_by")["errors"][0]["code"] == "confounded"
    assert len(get(client, group_by=["activation", "epochs"])["groups"]) == 2
    fence = states.start(database, seed=3, epochs=1)
    states.succeed(database, fence, device="cuda")
    refused(client.get(CURVES, params={"group_by": "epochs"}), 422, at="allow_mixed")
    assert len(get(client, group_by="epochs", allow_mixed=True)["groups"]) == 2


@pytest.mark.parametrize("limit", ["MOST_EPOCHS", "MOST_EXPERIMENTS"])
@states.on_sqlite
def test_get_curves_refuses_too_many_experiments(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    for seed in range(2):
        trained(database, 0.5, seed=seed)
    monkeypatch.setattr(f"service.storage.analysis.curves.{limit}", 1)
    problem = refused(client.get(CURVES), 422)
    assert "narrow the filter" in problem["detail"]


@pytest.mark.parametrize(
    ("query", "where"),
    [({"metric": "test_accuracy"}, "metric"), ({"reference": "kizrak"}, "reference"), ({"seeds": "some"}, "seeds"),
     ({"group_by": "seed"}, "group_by"), ({"versus": "relu"}, "versus")],
)  # fmt: skip
def test_get_curves_refuses_invalid_queries(steady: TestClient, query: Any, where: str) -> None:
    refused(steady.get(CURVES, params=query), 422, at=where)
