"""Changes of studies over HTTP: edits, seeds, cancelling, retries and deletion."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.domain.status import Cause
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.tables.base import new_id
from service.usecases import many_experiments
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving

GRID: dict[str, Any] = {"base": {"epochs": 3}, "factors": {"activation": ["relu", "tanh"]}, "seeds": [0, 1]}


def submit(client: TestClient, **fields: Any) -> str:
    id: str = client.post(STUDIES, json=GRID | fields).json()["id"]
    return id


def experiments_of(client: TestClient, study: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get(EXPERIMENTS, params={"study": study, "sort": "id"}).json()["items"]
    return items


# --- the list ------------------------------------------------------------------------------------------------------


def test_list_studies_pages_newest_first_with_progress(client: TestClient, database: Database) -> None:
    ids = [submit(client, name=f"study {number}", seeds=list(range(number + 1))) for number in range(5)]
    states.succeed(database, states.claim(database, limit=1)[0])
    first = client.get(STUDIES, params={"limit": 3}).json()
    second = client.get(STUDIES, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    items = first["items"] + second["items"]
    assert ([item["id"] for item in items], second["next_cursor"]) == (ids[::-1], None)
    assert items == [client.get(f"{STUDIES}/{id}").json() for id in ids[::-1]]
    assert [item["experiments"] for item in items] == [10, 8, 6, 4, 2]
    assert [item["id"] for item in client.get(STUDIES, params={"sort": "id"}).json()["items"]] == ids


def test_list_studies_filters_by_name_and_preset(client: TestClient) -> None:
    named, preset = submit(client, name="Dropout 50%"), client.post(STUDIES, json={"preset": "quick"}).json()["id"]
    submit(client)

    def matching(**query: str) -> list[str]:
        return [item["id"] for item in client.get(STUDIES, params=query).json()["items"]]

    assert (matching(text="dropout"), matching(text="%"), matching(preset="quick")) == ([named], [named], [preset])
    assert matching(text="dropout", preset="quick") == []


def test_list_studies_filters_by_tag(client: TestClient) -> None:
    ids = [submit(client, tags=tags) for tags in (["b", "a"], ["b"], [])]
    assert client.get(f"{STUDIES}/{ids[0]}").json()["tags"] == ["a", "b"]
    for query, found in (("tag=b", ids[:2]), ("tag=a", ids[:1]), ("tag=a&tag=b", ids[:2]), ("tag=c", [])):
        items = client.get(f"{STUDIES}?sort=id&{query}").json()["items"]
        assert [item["id"] for item in items] == found, query


@states.on_sqlite
def test_list_studies_refuses_a_cursor_of_another_filter(client: TestClient) -> None:
    for _ in range(2):
        submit(client, name="x")
    cursor = client.get(STUDIES, params={"limit": 1, "text": "x"}).json()["next_cursor"]
    for query in ({}, {"text": "y"}, {"text": "x", "sort": "id"}):
        refused(client.get(STUDIES, params={**query, "cursor": cursor}), 422, "invalid_cursor", at="cursor")


# --- edits ---------------------------------------------------------------------------------------------------------


def test_edit_study_is_a_merge_patch(client: TestClient) -> None:
    id = submit(client, name="old", question="Why?")
    edited = client.patch(f"{STUDIES}/{id}", json={"name": "new"}).json()
    assert (edited["name"], edited["question"], edited["edit_version"]) == ("new", "Why?", 2)
    cleared = client.patch(f"{STUDIES}/{id}", json={"question": None}).json()
    assert (cleared["name"], cleared["question"]) == ("new", None)
    assert cleared["revision"] > edited["revision"]


def test_edit_study_replaces_tags_and_notes(client: TestClient) -> None:
    id = submit(client, tags=["a"], notes="first")
    edited = client.patch(f"{STUDIES}/{id}", json={"tags": ["c", "b", "c"], "notes": "second\r\nline"}).json()
    assert (edited["tags"], edited["notes"]) == (["b", "c"], "second\nline")
    cleared = client.patch(f"{STUDIES}/{id}", json={"tags": None, "notes": None}).json()
    assert (cleared["tags"], cleared["notes"], cleared["edit_version"]) == ([], None, 3)
    refused(client.patch(f"{STUDIES}/{id}", json={"tags": ["x"] * 21}), 422, at="/tags")


# --- archiving -----------------------------------------------------------------------------------------------------


def archive(client: TestClient, study: str, archived: bool = True) -> dict[str, Any]:
    answer = client.patch(f"{STUDIES}/{study}", json={"archived": archived})
    assert answer.status_code == 200, answer.text
    edited: dict[str, Any] = answer.json()
    return edited


def listed(client: TestClient, path: str, **query: str) -> list[str]:
    return [item["id"] for item in client.get(path, params={"sort": "id", **query}).json()["items"]]


def test_archive_study_hides_it_with_its_experiments(client: TestClient, database: Database) -> None:
    kept, id = submit(client, name="kept"), submit(client, seeds=[2])
    states.finish_queued(database, lambda spec: 0.9)
    own = [row["id"] for row in experiments_of(client, id)]
    before = client.get(f"{STUDIES}/{id}").json()
    archived = archive(client, id)
    assert archived["archived_at"] is not None
    assert (listed(client, STUDIES), listed(client, STUDIES, archived="true")) == ([kept], [id])
    assert listed(client, STUDIES, archived="any") == [kept, id]
    assert (listed(client, EXPERIMENTS, study=id), listed(client, EXPERIMENTS, study=id, archived="any")) == ([], own)
    assert archived["progress"] == before["progress"]
    assert len(client.get(f"{STUDIES}/{id}/comparison").json()["groups"]) == 2
    assert archive(client, id)["archived_at"] == archived["archived_at"]


def test_archive_study_restores_what_was_archived_with_it(client: TestClient, database: Database) -> None:
    id = submit(client)
    states.finish_queued(database, lambda spec: 0.9)
    first, *others = [row["id"] for row in experiments_of(client, id)]
    client.patch(f"{EXPERIMENTS}/{first}", json={"archived": True})
    revision = archive(client, id)["revision"]
    restored = archive(client, id, archived=False)
    assert (restored["archived_at"], restored["revision"] > revision) == (None, True)
    assert listed(client, EXPERIMENTS, study=id) == others
    assert listed(client, EXPERIMENTS, archived="true") == [first]
    assert archive(client, id, archived=False)["archived_at"] is None


def test_archive_study_keeps_experiments_that_another_study_counts(client: TestClient, database: Database) -> None:
    first = submit(client)
    for fence in states.claim(database):
        states.succeed(database, fence, code=services_of(client).version)
    second = submit(client, seeds=[0], reuse=True)
    archive(client, first)
    assert len(listed(client, EXPERIMENTS, study=second)) == len(listed(client, EXPERIMENTS, study=first)) == 2


def test_archive_study_refuses_one_that_has_not_finished(client: TestClient) -> None:
    id = submit(client)
    refused(client.patch(f"{STUDIES}/{id}", json={"archived": True, "name": "x"}), 409, "illegal_transition")
    assert client.get(f"{STUDIES}/{id}").json()["name"] is None
    client.post(f"{STUDIES}/{id}/cancel")
    assert archive(client, id)["archived_at"] is not None


def test_edit_study_checks_if_match(client: TestClient) -> None:
    id = submit(client)
    assert client.patch(f"{STUDIES}/{id}", json={"name": "a"}, headers={"If-Match": '"1"'}).status_code == 200
    refused(client.patch(f"{STUDIES}/{id}", json={"name": "b"}, headers={"If-Match": '"1"'}), 412)
    assert client.get(f"{STUDIES}/{id}").json()["name"] == "a"


def test_edit_study_queues_new_seeds_in_every_cell(client: TestClient, database: Database) -> None:
    id = submit(client, base={"epochs": 3, "priority": 4, "tags": ["t"]})
    states.claim(database, limit=1)
    before = experiments_of(client, id)
    study = client.patch(f"{STUDIES}/{id}", json={"seeds": [7, 0, 1]}).json()
    assert (study["seeds"], study["experiments"], study["progress"]["running"]) == ([7, 0, 1], 6, 1)
    added = experiments_of(client, id)[len(before) :]
    assert [(experiment["spec"]["activation"]["name"], experiment["spec"]["seed"]) for experiment in added] == [
        ("relu", 7),
        ("tanh", 7),
    ]
    assert all(
        (experiment["priority"], experiment["tags"], experiment["status"]) == (4, ["t"], "queued")
        for experiment in added
    )
    assert {experiment["revision"] for experiment in added} == {study["revision"]}
    assert [experiment["revision"] for experiment in experiments_of(client, id)[: len(before)]] == [
        e["revision"] for e in before
    ]


def test_edit_study_adds_repeated_seeds_once(client: TestClient) -> None:
    id = submit(client)
    for _ in range(2):
        assert client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}).json()["experiments"] == 6


def test_edit_study_adds_a_seed_of_concurrent_requests_once(client: TestClient) -> None:
    id = submit(client)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert client.get(f"{STUDIES}/{id}").json()["experiments"] == 6


@pytest.mark.parametrize(
    ("patch", "where"),
    [
        ({"seeds": [0]}, "/seeds"),
        ({"seeds": []}, "/seeds"),
        ({"seeds": None}, "/seeds"),
        ({"seeds": [0, 1, -1]}, "/seeds/2"),
        ({"seeds": [0, 1, 2, 2]}, "/seeds/3"),
        ({"factors": {}}, "/factors"),
        ({"name": 7}, "/name"),
    ],
    ids=str,
)
@states.on_sqlite
def test_edit_study_refuses_invalid_patches(client: TestClient, patch: Any, where: str) -> None:
    id = submit(client)
    refused(client.patch(f"{STUDIES}/{id}", json=patch), 422, at=where)
    study = client.get(f"{STUDIES}/{id}").json()
    assert (study["experiments"], study["edit_version"]) == (4, 1)


@states.on_sqlite
def test_edit_study_limits_the_number_of_experiments(settings: Settings) -> None:
    with serving(settings.model_copy(update={"max_study_experiments": 5})) as client:
        id = submit(client)
        refused(client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}), 422, at="/seeds")


# --- cancel --------------------------------------------------------------------------------------------------------


def test_cancel_study_ends_queued_and_flags_running_ones(client: TestClient, database: Database) -> None:
    id, other = submit(client), submit(client)
    running, done = states.claim(database, limit=2)
    states.succeed(database, done)
    study = client.post(f"{STUDIES}/{id}/cancel").json()
    assert study["cancelled_at"] is not None
    assert study["progress"] == {"queued": 0, "running": 1, "succeeded": 1, "failed": 0, "cancelled": 2}
    assert states.read(database, running.id).cancel_requested
    assert client.get(f"{STUDIES}/{other}").json()["progress"]["queued"] == 4
    again = client.post(f"{STUDIES}/{id}/cancel")
    assert (again.status_code, again.json()["cancelled_at"]) == (200, study["cancelled_at"])


def test_edit_and_cancel_refuse_an_ended_study(client: TestClient, database: Database) -> None:
    id = submit(client)
    client.post(f"{STUDIES}/{id}/cancel")
    refused(client.patch(f"{STUDIES}/{id}", json={"seeds": [0, 1, 2]}), 409, "illegal_transition")
    assert client.patch(f"{STUDIES}/{id}", json={"seeds": [1, 0], "name": "kept"}).json()["experiments"] == 4
    finished = submit(client)
    states.finish_queued(database, lambda spec: 0.9)
    refused(client.post(f"{STUDIES}/{finished}/cancel"), 409, "illegal_transition")


# --- retry ---------------------------------------------------------------------------------------------------------


def end(database: Database, *ends: Cause | None) -> list[UUID]:
    """End queued experiments, the oldest first: with success for None, else failed for this cause. Return their ids."""
    fences = states.claim(database, limit=len(ends))
    for fence, cause in zip(fences, ends, strict=True):
        if cause is None:
            states.succeed(database, fence)
        else:
            states.fail(database, fence, cause)
    return [fence.id for fence in fences]


def retry(client: TestClient, id: str, *, key: str | None = None, **query: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post(f"{STUDIES}/{id}/retry", params=query, headers=headers)
    assert (answer.status_code, answer.json().keys()) == (200, {"count"}), answer.text
    return answer.json()["count"]


def retried(client: TestClient, study: str) -> set[UUID]:
    return {UUID(row["retry_of"]) for row in experiments_of(client, study) if row["retry_of"]}


def test_retry_study_queues_what_failed_or_was_lost(client: TestClient, database: Database) -> None:
    id, other = submit(client), submit(client)
    failed, lost, _ = end(database, Cause.INVALID_DATA, Cause.WORKER_LOST, None)
    before = experiments_of(client, id)
    assert client.get(f"{STUDIES}/{id}").json()["retryable"] == retry(client, id, dry_run=True) == 2
    assert experiments_of(client, id) == before
    assert retry(client, id) == 2
    assert retried(client, id) == {failed, lost}
    study = client.get(f"{STUDIES}/{id}").json()
    assert (study["progress"]["queued"], study["experiments"], study["retryable"]) == (3, 6, 0)
    assert client.get(f"{STUDIES}/{other}").json()["experiments"] == 4


def test_retry_study_passes_over_what_has_been_retried(client: TestClient, database: Database) -> None:
    id = submit(client, seeds=[0])
    first, second = end(database, Cause.INVALID_DATA, Cause.INVALID_DATA)
    client.post(f"{EXPERIMENTS}/{first}/retry")
    assert (retry(client, id), retry(client, id)) == (1, 0)
    again = end(database, Cause.INVALID_DATA, None)  # the retries may fail too
    assert retry(client, id) == 1
    assert retried(client, id) == {first, second, again[0]}


@states.on_sqlite
def test_retry_study_changes_the_revision_and_wakes_workers(client: TestClient, database: Database) -> None:
    id = submit(client)
    end(database, Cause.INVALID_DATA, Cause.INVALID_DATA)
    before = client.get(f"{STUDIES}/{id}")
    woken: list[int] = []
    services_of(client).waker.wake = woken.append  # type: ignore[assignment, method-assign]
    retry(client, id)
    after = client.get(f"{STUDIES}/{id}", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.json()["finished"], woken) == (200, False, [2])


@pytest.mark.parametrize("n", [3, 4])
def test_retry_study_takes_several_blocks(
    client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch, n: int
) -> None:
    monkeypatch.setattr(many_experiments, "BLOCK", 2)
    id = submit(client, seeds=[0, 1])
    end(database, *[Cause.INVALID_DATA] * n)
    assert (retry(client, id), retry(client, id)) == (n, 0)
    assert len(retried(client, id)) == n


@states.on_sqlite
def test_retry_study_with_a_key_answers_a_repetition_the_same(client: TestClient, database: Database) -> None:
    id, other = submit(client, seeds=[0]), submit(client, seeds=[0])
    end(database, *[Cause.INVALID_DATA] * 4)
    assert retry(client, id, key="k") == 2
    end(database, *[Cause.INVALID_DATA] * 2)
    assert retry(client, id, key="k") == 2
    assert len(retried(client, id)) == 2
    answer = client.post(f"{STUDIES}/{other}/retry", headers={"Idempotency-Key": "k"})
    refused(answer, 422, "idempotency_mismatch")


def test_concurrent_retries_of_a_study_queue_each_experiment_once(client: TestClient, database: Database) -> None:
    id = submit(client, seeds=list(range(5)))
    ids = end(database, *[Cause.INVALID_DATA] * 10)
    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(lambda _: retry(client, id), range(4)))
    assert sum(counts) == 10
    assert retried(client, id) == set(ids)


@pytest.mark.parametrize("query", [{}, {"dry_run": True}])
def test_retry_study_refuses_a_cancelled_study(client: TestClient, database: Database, query: dict[str, Any]) -> None:
    id = submit(client)
    end(database, Cause.INVALID_DATA)
    client.post(f"{STUDIES}/{id}/cancel")
    refused(client.post(f"{STUDIES}/{id}/retry", params=query), 409, "illegal_transition")
    assert retried(client, id) == set()


# --- delete --------------------------------------------------------------------------------------------------------


def test_delete_study_deletes_its_experiments_alone(client: TestClient, database: Database) -> None:
    id, other = submit(client), submit(client)
    refused(client.delete(f"{STUDIES}/{id}"), 409, "illegal_transition")
    client.post(f"{STUDIES}/{id}/cancel")
    first = experiments_of(client, id)[0]["id"]
    retried = client.post(f"{EXPERIMENTS}/{first}/retry").json()["id"]
    refused(client.delete(f"{STUDIES}/{id}"), 409, "illegal_transition")
    client.post(f"{EXPERIMENTS}/{retried}/cancel")
    assert client.delete(f"{STUDIES}/{id}").status_code == 204
    refused(client.get(f"{STUDIES}/{id}"), 404, "study_not_found")
    assert experiments_of(client, id) == []
    assert client.get(f"{STUDIES}/{other}").json()["experiments"] == 4


@states.on_sqlite
def test_changes_of_an_unknown_study_are_404(client: TestClient) -> None:
    path = f"{STUDIES}/{new_id()}"
    for answer in (
        client.patch(path, json={"name": "x"}), client.post(f"{path}/cancel"), client.post(f"{path}/retry"),
        client.post(f"{path}/retry", params={"dry_run": True}), client.delete(path),
    ):  # fmt: skip
        refused(answer, 404, "study_not_found")
