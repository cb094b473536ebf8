"""The routes of MLflow's client, by the requests that it sends; the client itself is in tests/stack/test_mlflow.py."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from tests.api import states
from tests.api.problems import refused
from tests.api.routes.test_weights import keep
from tests.api.serving import EXPERIMENTS, STUDIES, services_of
from tests.api.test_cost import recorded
from tests.making import make_epoch

Json = dict[str, Any]
V2 = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings under which nothing but requests asks the database."""
    return settings.model_copy(update={"reconcile_seconds": 600, "poll_seconds": 60})


@pytest.fixture
def study(client: TestClient, database: Database) -> str:
    """Make a study of two activations and two seeds, which succeed, and return its id."""
    body = {
        "name": "depth", "base": {"dataset": "mnist_5k", "epochs": 2}, "factors": {"activation": ["relu", "tanh"]},
        "seeds": [0, 1], "tags": ["a"],
    }  # fmt: skip
    id = str(client.post(STUDIES, json=body).json()["id"])
    states.train_queued(
        database, lambda spec: 0.9 + 0.01 * spec["seed"] + 0.05 * (spec["activation"]["name"] == "relu")
    )
    return id


def search(client: TestClient, **body: Any) -> Json:
    answer = client.post(f"{V2}/runs/search", json={"run_view_type": "ACTIVE_ONLY", "max_results": 1000, **body})
    assert answer.status_code == 200, answer.text
    content: Json = answer.json()
    return content


def pairs(items: list[Json]) -> Json:
    return {item["key"]: item["value"] for item in items}


def names(content: Json) -> list[str]:
    return [run["info"]["run_name"] for run in content["runs"]]


def test_search_experiments_lists_studies_and_that_of_no_study(client: TestClient, study: str) -> None:
    other = client.post(STUDIES, json={"base": {"activation": "relu"}, "seeds": [0]}).json()["id"]
    asked: Json = {"max_results": 1, "view_type": "ACTIVE_ONLY"}
    first = client.post(f"{V2}/experiments/search", json=asked).json()
    assert [group["name"] for group in first["experiments"]] == [f"study {other[:8]}"]
    second = client.get(f"{V2}/experiments/search", params=asked | {"page_token": first["next_page_token"]}).json()
    assert second["experiments"][0] | {"creation_time": 0, "last_update_time": 0} == {
        "experiment_id": study, "name": "depth", "artifact_location": f"mlflow-artifacts:/{study}",
        "lifecycle_stage": "active", "creation_time": 0, "last_update_time": 0, "tags": [{"key": "a", "value": "true"}],
    }  # fmt: skip
    assert second["experiments"][-1]["experiment_id"] == "0"
    assert "next_page_token" not in second


@pytest.mark.parametrize(
    ("asked", "found"),
    [({"filter": "name LIKE 'de%'"}, ["depth"]), ({"filter": "tags.a = 'true'", "extra": 1}, ["depth"]),
     ({"filter": "attribute.name = 'x'"}, []), ({"order_by": ["name ASC"]}, ["depth", "Default"]),
     ({"view_type": "DELETED_ONLY"}, [])],
    ids=["name", "tag", "nothing", "order", "archived"],
)  # fmt: skip
def test_search_experiments_takes_filters_and_orders(
    client: TestClient, study: str, asked: Json, found: list[str]
) -> None:
    groups = client.post(f"{V2}/experiments/search", json=asked).json()["experiments"]
    assert [group["name"] for group in groups] == found


def test_get_experiment_by_id_and_by_name(client: TestClient, study: str) -> None:
    def read(way: str, **query: str) -> Json:
        group: Json = client.get(f"{V2}/experiments/{way}", params=query).json()["experiment"]
        return group

    assert read("get", experiment_id=study) == read("get-by-name", experiment_name="depth")
    assert read("get", experiment_id=study.replace("-", ""))["experiment_id"] == study
    assert read("get", experiment_id="0")["name"] == "Default"
    client.patch(f"{STUDIES}/{study}", json={"name": None})
    assert read("get-by-name", experiment_name=f"study {study[:8]}")["experiment_id"] == study
    for way, query in (("get", "experiment_id=x"), ("get-by-name", "experiment_name=none"), ("get", "")):
        problem = refused(client.get(f"{V2}/experiments/{way}?{query}"), 404)
        assert problem["error_code"] == "RESOURCE_DOES_NOT_EXIST"
        assert problem["message"]


def test_search_runs_has_params_metrics_and_tags(client: TestClient, study: str, database: Database) -> None:
    id = search(client, experiment_ids=[study])["runs"][0]["info"]["run_id"]
    client.patch(f"{EXPERIMENTS}/{id}", json={"name": "best", "tags": ["x"], "notes": "why"})
    (run,) = [run for run in search(client, experiment_ids=[study])["runs"] if run["info"]["run_id"] == id]
    info = run["info"]
    assert (info["run_uuid"], info["experiment_id"], info["status"]) == (id, study, "FINISHED")
    assert info["artifact_uri"] == f"mlflow-artifacts:/{id}"
    assert 0 < info["start_time"] <= info["end_time"]
    params = pairs(run["data"]["params"])
    assert (params["activation"], params["seed"], params["optimizer.learning_rate"]) == ("tanh", "1", "0.001")
    assert (params["model.conv_channels"], params["model.batch_norm"]) == ("[32, 64]", "True")
    assert "classes" not in params
    assert pairs(run["data"]["metrics"])["test_accuracy"] == pytest.approx(0.91)
    assert {metric["step"] for metric in run["data"]["metrics"]} == {2}
    assert pairs(run["data"]["tags"]) == {
        "x": "true", "mlflow.runName": "best", "mlflow.user": "local", "mlflow.note.content": "why",
        "mlflow.source.name": "actlab", "actlab.device": "cpu",
    }  # fmt: skip
    assert run["inputs"]["dataset_inputs"][0]["dataset"]["name"] == "mnist_5k"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"filter": "metrics.test_accuracy > 0.94 and params.activation = 'relu'"}, ["relu, seed 1", "relu, seed 0"]),
        ({"filter": "params.seed = '1'", "order_by": ["metrics.test_accuracy ASC"]}, ["tanh, seed 1", "relu, seed 1"]),
        ({"order_by": ["params.activation DESC", "metrics.`test_accuracy`"]},
         ["tanh, seed 0", "tanh, seed 1", "relu, seed 0", "relu, seed 1"]),
        ({"filter": "attributes.status IN ('FAILED', 'KILLED')"}, []),
        ({"filter": "metrics.auc > 0.5"}, []),
        ({"filter": "params.nothing IS NULL or tags.`mlflow.user` = 'local' and params.seed = '0'",
          "order_by": ["metrics.auc DESC", "params.activation"]}, ["relu, seed 0", "tanh, seed 0"]),
        ({"run_view_type": "DELETED_ONLY"}, []),
    ],
    ids=["metric and param", "order", "two keys", "status", "unknown metric", "tag", "archived"],
)  # fmt: skip
def test_search_runs_takes_filters_and_orders(client: TestClient, study: str, asked: Json, found: list[str]) -> None:
    assert names(search(client, experiment_ids=[study], **asked)) == found


def test_search_runs_pages_through_every_order_once(client: TestClient, study: str, database: Database) -> None:
    states.queue(database, name="alone")
    for order in ([], ["metrics.test_accuracy DESC"], ["attributes.start_time"], ["params.classes", "params.dropout"]):
        asked: Json = {"experiment_ids": [study, "0", "other"], "max_results": 2, "order_by": order}
        pages = [search(client, **asked)]
        while token := pages[-1].get("next_page_token"):
            pages.append(search(client, **asked, page_token=token))
        found = [name for page in pages for name in names(page)]
        assert (len(found), len(set(found)), [len(page["runs"]) for page in pages]) == (5, 5, [2, 2, 1])
    refused(client.post(f"{V2}/runs/search", json=asked | {"filter": "seed = 1", "page_token": "x"}), 422)
    token = search(client, **asked)["next_page_token"]
    moved = asked | {"order_by": ["attributes.run_name"], "page_token": token}
    refused(client.post(f"{V2}/runs/search", json=moved), 422, at="page_token")


def test_search_runs_of_no_study_and_of_none(client: TestClient, study: str, database: Database) -> None:
    states.queue(database, name="alone")
    assert names(search(client, experiment_ids=["0"])) == ["alone"]
    assert search(client, experiment_ids=["0"])["runs"][0]["info"]["status"] == "SCHEDULED"
    assert search(client, experiment_ids=[]) == {"runs": []}


def test_search_runs_has_archived_ones_among_the_deleted(client: TestClient, study: str) -> None:
    id = search(client, experiment_ids=[study])["runs"][0]["info"]["run_id"]
    client.patch(f"{EXPERIMENTS}/{id}", json={"archived": True})
    (deleted,) = search(client, experiment_ids=[study], run_view_type="DELETED_ONLY")["runs"]
    assert (deleted["info"]["run_id"], deleted["info"]["lifecycle_stage"]) == (id, "deleted")
    assert len(search(client, experiment_ids=[study], run_view_type="ALL")["runs"]) == 4


def test_get_run_has_the_newest_value_of_each_metric(client: TestClient, study: str) -> None:
    id = search(client, experiment_ids=[study])["runs"][0]["info"]["run_id"]
    run = client.get(f"{V2}/runs/get", params={"run_id": id, "run_uuid": id}).json()["run"]
    metrics = {metric["key"]: metric for metric in run["data"]["metrics"]}
    assert (metrics["train_loss"]["value"], metrics["train_loss"]["step"]) == (0.5, 2)
    assert metrics["test_accuracy"]["value"] == pytest.approx(0.91)
    refused(client.get(f"{V2}/runs/get", params={"run_id": str(states.SOME_ID)}), 404)
    refused(client.get(f"{V2}/runs/get"), 404)


def test_get_metric_history_has_each_epoch_and_names_what_is_not_finite(client: TestClient, database: Database) -> None:
    fence: Fence = states.start(database, epochs=3)
    for epoch in (1, 2):
        figures = {"train_loss": None, "non_finite": ["train_loss"]} if epoch == 2 else {}
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(epoch, **figures))

    def history(key: str, id: UUID | str = fence.id) -> Json:
        answer: Json = client.get(f"{V2}/metrics/get-history", params={"run_id": str(id), "metric_key": key}).json()
        return answer

    losses = history("train_loss")["metrics"]
    assert [(value["step"], value["value"]) for value in losses] == [(1, 0.5), (2, "NaN")]
    assert losses[1]["timestamp"] - losses[0]["timestamp"] == 1000
    assert history("train_loss", fence.id.hex)["metrics"] == losses
    assert history("test_accuracy") == history("nothing") == {}


def test_reads_issue_few_statements_whatever_the_number_of_rows(client: TestClient, study: str) -> None:
    id = search(client, experiment_ids=[study])["runs"][0]["info"]["run_id"]

    def statements(method: str, path: str, **options: Any) -> list[str]:
        with recorded(services_of(client).database) as sent:
            assert client.request(method, path, **options).status_code == 200
        return [statement for statement, _ in sent if statement.startswith(("SELECT", "WITH"))]

    asked = {"experiment_ids": [study], "filter": "metrics.test_accuracy > 0.1", "order_by": ["params.seed"]}
    searching = statements("POST", f"{V2}/runs/search", json=asked)
    assert len(searching) == 2  # the rows, and their tags
    assert not any("FROM epochs" in statement for statement in searching)
    assert len(statements("GET", f"{V2}/runs/get", params={"run_id": id})) == 3
    assert len(statements("GET", f"{V2}/metrics/get-history", params={"run_id": id, "metric_key": "l2"})) == 2
    assert len(statements("POST", f"{V2}/experiments/search", json={})) == 2


def test_artifacts_are_the_weights_and_the_report_of_the_study(client: TestClient, study: str) -> None:
    id = search(client, experiment_ids=[study], order_by=["attributes.run_id"])["runs"][0]["info"]["run_id"]
    assert client.get(ARTIFACTS, params={"path": id}).json() == {"files": [{"path": "report.html", "is_dir": False}]}
    assert client.get(ARTIFACTS, params={"path": f"{id}/report.html"}).json() == {"files": []}
    assert client.get(f"{ARTIFACTS}/{id}/report.html").text.startswith("<!doctype html>")
    for path in (f"{id}/x", f"{states.SOME_ID}/report.html", "x"):
        refused(client.get(f"{ARTIFACTS}/{path}"), 404)
    refused(client.get(ARTIFACTS, params={"path": str(states.SOME_ID)}), 404)


def test_artifacts_of_weights_are_their_files(client: TestClient, database: Database, settings: Settings) -> None:
    id = states.finish(database)
    assert client.get(ARTIFACTS, params={"path": str(id)}).json() == {"files": []}
    keep(database, settings, id)
    files = client.get(ARTIFACTS, params={"path": f"/{id}/"}).json()["files"]
    assert files == [{"path": f"{which}.safetensors", "is_dir": False, "file_size": 4000} for which in ("last", "best")]
    assert client.get(f"{ARTIFACTS}/{id}/best.safetensors").content == b"best" * 1000


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{V2}/runs/create"), ("POST", f"{V2}/experiments/create"), ("POST", f"{V2}/runs/log-batch"),
     ("POST", f"{V2}/runs/get"), ("PUT", f"{ARTIFACTS}/x/y"), ("DELETE", f"{ARTIFACTS}/x/y"),
     ("PATCH", f"{V2}/registered-models/update"), ("POST", "/api/3.0/mlflow/traces")],
)  # fmt: skip
def test_write_is_refused_as_the_client_reads_it(steady: TestClient, method: str, path: str) -> None:
    problem = refused(steady.request(method, path, json={}), 403, "forbidden")
    assert problem["error_code"] == "PERMISSION_DENIED"
    assert "/api/v1" in problem["message"]


def test_wrong_request_has_the_code_of_mlflow(steady: TestClient) -> None:
    wrong = refused(steady.post(f"{V2}/runs/search", json={"filter": "seed == 1"}), 422, at="filter")
    assert (wrong["error_code"], wrong["errors"][0]["column"]) == ("INVALID_PARAMETER_VALUE", 6)
    refused(steady.post(f"{V2}/runs/search", json={"order_by": ["tag"]}), 422, at="order_by")
    refused(steady.post(f"{V2}/runs/search", json={"order_by": ["attributes.x DESC"]}), 422, at="order_by")
    unknown = refused(steady.get(f"{V2}/model-versions/search"), 404)
    assert unknown["error_code"] == "ENDPOINT_NOT_FOUND"
    assert steady.post(f"{V2}/logged-models/search", json={"experiment_ids": ["0"]}).json() == {"models": []}
    assert steady.get("/api/3.0/mlflow/server-info").json()["artifact_serving_enabled"] is True
    assert "error_code" not in steady.get("/api/v1/nothing").json()
