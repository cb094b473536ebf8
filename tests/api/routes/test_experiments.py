"""Experiments over HTTP, from submission to deletion."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.domain.status import Cause
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.records import attempts
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES
from tests.making import make_epoch

FIELDS = {
    "id", "name", "status", "cause", "detail", "remedy", "waiting_reason", "queue_position", "cancel_requested",
    "attempt", "lost_count", "study_id", "created_by", "activation_label", "spec", "tags", "notes", "priority",
    "epochs_done", "test_accuracy", "test_loss", "best_epoch", "best_test_accuracy", "best_test_loss",
    "validation_accuracy", "validation_loss", "best_validation_accuracy", "best_validation_loss", "early_loss",
    "images_per_second", "seconds", "retry_of", "edit_version", "created_at", "started_at", "finished_at",
    "archived_at", "revision",
}  # fmt: skip


def at(id: UUID | str, part: str = "") -> str:
    return f"{EXPERIMENTS}/{id}{part}"


def test_submit_experiment_stores_every_default(client: TestClient) -> None:
    answer = client.post(EXPERIMENTS, json={"activation": "relu", "name": "first", "tags": ["b", "a", "b"]})
    body = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == at(body["id"])
    assert body.keys() == FIELDS
    assert (body["status"], body["name"], body["tags"]) == ("queued", "first", ["a", "b"])
    assert (body["activation_label"], body["spec"]["epochs"]) == ("relu", 20)
    assert body["spec"]["optimizer"]["learning_rate"] == 0.001
    assert body["spec"].keys().isdisjoint({"name", "tags", "notes", "priority"})
    assert client.get(answer.headers["location"]).json() == body


def test_get_experiment_shows_reason_and_position_while_queued(client: TestClient, database: Database) -> None:
    states.queue(database)
    second = states.queue(database)
    assert client.get(at(second)).json()["waiting_reason"].startswith("No worker is alive")
    states.heartbeat(database)
    experiment = client.get(at(second)).json()
    assert (experiment["queue_position"], experiment["waiting_reason"]) == (2, "It is behind 1 other.")
    urgent = client.post(EXPERIMENTS, json={"activation": "tanh", "priority": 9}).json()
    assert (urgent["queue_position"], urgent["waiting_reason"]) == (1, "It is next in line.")


def test_get_experiment_shows_figures_of_a_success(client: TestClient, database: Database) -> None:
    experiment = client.get(at(states.finish(database, accuracy=0.9))).json()
    assert (experiment["status"], experiment["test_accuracy"], experiment["best_epoch"]) == ("succeeded", 0.9, 3)
    assert (
        experiment["waiting_reason"]
        is experiment["queue_position"]
        is experiment["cause"]
        is experiment["remedy"]
        is None
    )
    assert experiment["created_at"].endswith("Z")
    assert experiment["started_at"] <= experiment["finished_at"]


def test_get_experiment_shows_cause_and_remedy_of_a_failure(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    states.fail(database, fence)
    experiment = client.get(at(fence.id)).json()
    assert (experiment["status"], experiment["cause"]) == ("failed", "diverged")
    assert "NaN" in experiment["detail"]
    assert experiment["remedy"] == Cause.DIVERGED.remedy


@pytest.mark.parametrize(
    ("method", "part"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry"), ("GET", "/metrics"),
     ("GET", "/diagnostics"), ("GET", "/result"), ("GET", "/attempts"), ("GET", "/log")],
)  # fmt: skip
@states.on_sqlite
def test_routes_answer_404_for_unknown_and_422_for_malformed_ids(client: TestClient, method: str, part: str) -> None:
    json = {"name": "x"} if method == "PATCH" else None
    refused(client.request(method, at(new_id(), part), json=json), 404, "experiment_not_found")
    refused(client.request(method, at("not-an-id", part), json=json), 422, "validation_error", at="id")


# --- editing -------------------------------------------------------------------------------------------------------


def test_edit_experiment_is_a_merge_patch(client: TestClient, database: Database) -> None:
    id = states.queue(database, name="old", tags=["a", "b"], notes="kept")
    edited = client.patch(at(id), json={"name": None, "tags": ["b", "c", "c"]}).json()
    assert (edited["name"], edited["tags"], edited["notes"]) == (None, ["b", "c"], "kept")
    assert edited["edit_version"] == 2
    assert client.get(at(id)).json() == edited
    assert client.patch(at(id), json={"tags": None}).json()["tags"] == []


def test_edit_experiment_archives_what_has_ended(client: TestClient, database: Database) -> None:
    id, queued = states.finish(database), states.queue(database)
    archived = client.patch(at(id), json={"archived": True}).json()["archived_at"]
    assert archived is not None
    assert client.patch(at(id), json={"archived": True, "name": "x"}).json()["archived_at"] == archived
    assert client.patch(at(id), json={"archived": None}).json()["archived_at"] == archived
    assert client.patch(at(id), json={"archived": False}).json()["archived_at"] is None
    refused(client.patch(at(queued), json={"archived": True, "name": "x"}), 409, "illegal_transition")
    assert client.get(at(queued)).json()["name"] is None


def test_edit_experiment_checks_if_match(client: TestClient, database: Database) -> None:
    id = states.queue(database)
    seen = {"If-Match": '"1"'}
    assert client.patch(at(id), json={"name": "mine"}, headers=seen).status_code == 200
    refused(client.patch(at(id), json={"name": "yours"}, headers=seen), 412, "precondition_failed")
    assert client.patch(at(id), json={"notes": "any"}, headers={"If-Match": "*"}).status_code == 200
    assert client.get(at(id)).json()["name"] == "mine"


@pytest.mark.parametrize(
    ("patch", "where"),
    [({"name": 1}, "/name"), ({"name": "x" * 201}, "/name"), ({"tags": "a"}, "/tags"), ({"tags": [""]}, "/tags/0"),
     ({"tags": ["x"] * 21}, "/tags"), ({"notes": "\0"}, "/notes"), ({"notes": "x" * 10_001}, "/notes"),
     ({"status": "failed"}, "/status"), ([], "")],
)  # fmt: skip
@states.on_sqlite
def test_edit_experiment_refuses_invalid_edits(client: TestClient, database: Database, patch: Any, where: str) -> None:
    refused(client.patch(at(states.queue(database)), json=patch), 422, at=where)


# --- cancel, retry, delete -----------------------------------------------------------------------------------------


def test_cancel_experiment_ends_a_queued_one_and_is_idempotent(client: TestClient, database: Database) -> None:
    id = states.queue(database)
    first = client.post(at(id, "/cancel"))
    assert (first.status_code, first.json()["status"], first.json()["cause"]) == (200, "cancelled", "cancelled")
    assert client.post(at(id, "/cancel")).json() == first.json()


def test_cancel_experiment_requests_a_running_one_to_stop(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    cancelled = client.post(at(fence.id, "/cancel")).json()
    assert (cancelled["status"], cancelled["cancel_requested"]) == ("running", True)
    with database.write("end") as session:
        transitions.end_cancelled(session, fence)
    assert client.get(at(fence.id)).json()["status"] == "cancelled"


def queued(client: TestClient, database: Database) -> UUID:
    return states.queue(database)


def running(client: TestClient, database: Database) -> UUID:
    return states.start(database).id


def succeeded(client: TestClient, database: Database) -> UUID:
    return states.finish(database)


def failed(client: TestClient, database: Database) -> UUID:
    fence = states.start(database)
    states.fail(database, fence)
    return fence.id


def cancelled(client: TestClient, database: Database) -> UUID:
    id = states.queue(database)
    client.post(at(id, "/cancel"))
    return id


State = Callable[[TestClient, Database], UUID]


ALLOWED: dict[State, tuple[int, int, int]] = {  # cancel, retry, delete
    queued: (200, 409, 409),
    running: (200, 409, 409),
    succeeded: (409, 202, 204),
    failed: (409, 202, 204),
    cancelled: (200, 202, 204),
}


@pytest.mark.parametrize(
    ("index", "method", "part"), [(0, "POST", "/cancel"), (1, "POST", "/retry"), (2, "DELETE", "")]
)
@pytest.mark.parametrize("state", ALLOWED, ids=lambda state: state.__name__)
@states.on_sqlite
def test_routes_allow_what_each_status_permits(
    client: TestClient, database: Database, state: State, index: int, method: str, part: str
) -> None:
    id = state(client, database)
    before = client.get(at(id)).json()
    answer = client.request(method, at(id, part))
    assert answer.status_code == ALLOWED[state][index], answer.text
    if answer.status_code == 409:
        refused(answer, 409, "illegal_transition")
        assert client.get(at(id)).json() == before


def test_retry_experiment_queues_the_same_spec(client: TestClient, database: Database) -> None:
    old = states.finish(database, name="mine", tags=["t"], epochs=7, seed=3)
    answer = client.post(at(old, "/retry"))
    new = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, at(new["id"]))
    assert (new["retry_of"], new["status"], new["name"], new["tags"]) == (str(old), "queued", "mine", ["t"])
    assert new["spec"] == client.get(at(old)).json()["spec"]


def test_retry_experiment_counts_in_its_study(client: TestClient, database: Database) -> None:
    study = client.post(STUDIES, json={"factors": {"activation": ["relu"]}, "seeds": [0]}).json()
    (fence,) = states.claim(database)
    states.fail(database, fence)
    before = client.get(f"{STUDIES}/{study['id']}").json()
    retried = client.post(at(fence.id, "/retry")).json()
    after = client.get(f"{STUDIES}/{study['id']}").json()
    assert (retried["study_id"], after["experiments"]) == (study["id"], 2)
    assert after["revision"] == retried["revision"] > before["revision"]


def test_delete_experiment_deletes_all_its_records(client: TestClient, database: Database) -> None:
    id = states.finish(database, tags=["t"])
    retry = client.post(at(id, "/retry")).json()
    answer = client.delete(at(id))
    assert (answer.status_code, answer.content) == (204, b"")
    for part in ("", "/metrics", "/diagnostics", "/result", "/attempts", "/log"):
        refused(client.get(at(id, part)), 404, "experiment_not_found")
    refused(client.delete(at(id)), 404)
    left = client.get(at(retry["id"])).json()
    assert left["retry_of"] is None
    assert left["revision"] > retry["revision"]


# --- what running leaves behind ------------------------------------------------------------------------------------


def test_get_metrics_returns_all_or_since_a_revision(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    for epoch in (1, 2):
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(epoch))
    seen = client.get(at(fence.id, "/metrics")).json()
    assert [item["epoch"] for item in seen["items"]] == [1, 2]
    assert seen["items"][0].keys() == {
        "epoch", "attempt", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "l2",
        "learning_rate", "seconds", "images_per_second", "non_finite",
    }  # fmt: skip
    with database.write("epoch") as session:
        transitions.record_epoch(session, fence, make_epoch(3, train_loss=None, non_finite=["train_loss"]))
    new = client.get(at(fence.id, "/metrics"), params={"since": seen["revision"]}).json()
    assert [(item["epoch"], item["train_loss"], item["non_finite"]) for item in new["items"]] == [
        (3, None, ["train_loss"])
    ]
    assert new["valid_through_epoch"] == 3
    assert client.get(at(fence.id, "/metrics"), params={"since": new["revision"]}).json()["items"] == []


def test_get_result_after_success(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    assert "running" in refused(client.get(at(fence.id, "/result")), 409, "result_not_ready")["detail"]
    states.succeed(database, fence, accuracy=0.75)
    result = client.get(at(fence.id, "/result")).json()
    assert result.keys() == {"last", "best", "per_class", "confusion_matrix", "fingerprint", "collapse", "checksum"}
    assert result["last"] == {"epoch": 3, "test_loss": 0.1, "test_accuracy": 0.75, "interval": [0.9, 1.0]}
    assert result["fingerprint"]["device"] == "cpu"


def test_get_result_names_the_reason_when_there_is_none(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    states.fail(database, fence)
    problem = refused(client.get(at(fence.id, "/result")), 409, "result_not_ready")
    assert "diverged" in problem["detail"]


def test_list_attempts_and_get_log(client: TestClient, database: Database) -> None:
    fence = states.start(database)
    with database.write("log") as session:
        attempts.keep_log(session, fence.id, fence.attempt, "epoch 1 ✓\n")
        transitions.release(session, fence)
    (tried,) = client.get(at(fence.id, "/attempts")).json()["items"]
    assert tried.keys() == {
        "attempt", "worker", "started_at", "ended_at", "outcome", "cause", "detail", "epochs", "log_tail",
    }  # fmt: skip
    assert (tried["attempt"], tried["outcome"], tried["log_tail"]) == (1, "released", "epoch 1 ✓\n")
    log = client.get(at(fence.id, "/log"))
    assert (log.text, log.headers["content-type"]) == ("epoch 1 ✓\n", "text/plain; charset=utf-8")


def test_get_log_is_empty_before_the_first_attempt(client: TestClient, database: Database) -> None:
    assert client.get(at(states.queue(database), "/log")).text == ""
