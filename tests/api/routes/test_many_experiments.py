"""POST /experiments/cancel, /delete, /retry, /tag, /archive: many experiments at once, a block in each transaction."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.tables.base import new_id
from service.usecases import many_experiments
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import EXPERIMENTS, STUDIES, services_of, serving


def ask(client: TestClient, action: str, body: Any, *, dry_run: bool = False, key: str | None = None) -> Any:
    """Return the count of an answer to a request for many experiments."""
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post(f"{EXPERIMENTS}/{action}", json=body, params={"dry_run": dry_run}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"count"}
    return answer.json()["count"]


def statuses(client: TestClient) -> dict[str, str]:
    return {row["name"]: row["status"] for row in client.get(EXPERIMENTS, params={"limit": 500}).json()["items"]}


@pytest.fixture
def mixed(database: Database) -> dict[str, UUID]:
    """Experiments in each status, of the tags a and b, by their names."""
    failed = states.start(database, name="failed", tags=["a"])
    states.fail(database, failed)
    return {
        "failed": failed.id,
        "ended": states.finish(database, name="ended", tags=["b"]),
        "running": states.start(database, name="running", tags=["a"]).id,
        "waits": states.queue(database, name="waits", tags=["a"]),
        "waits too": states.queue(database, name="waits too", tags=["b"]),
    }


def test_count_experiments_takes_the_filters_of_a_list(client: TestClient, mixed: dict[str, UUID]) -> None:
    client.patch(f"{EXPERIMENTS}/{mixed['ended']}", json={"archived": True})
    counts = {"": 5, "archived=false": 4, "tag=a": 3, "tag=b&status=queued": 1, "tag=a&tag=b&archived=true": 1}
    assert {
        query: client.get(f"{EXPERIMENTS}/count?{query}").raise_for_status().json()["count"] for query in counts
    } == counts
    assert refused(client.get(f"{EXPERIMENTS}/count?nothing=1"), 422)


def test_cancel_experiments_by_filters(client: TestClient, mixed: dict[str, UUID]) -> None:
    before = statuses(client)
    selection = {"filters": {"tag": "a"}}
    assert ask(client, "cancel", selection, dry_run=True) == 2
    assert statuses(client) == before
    assert ask(client, "cancel", selection) == 2
    assert statuses(client) == before | {"waits": "cancelled"}  # a running one ends within a step
    assert client.get(f"{EXPERIMENTS}/{mixed['running']}").json()["cancel_requested"] is True
    assert ask(client, "cancel", selection) == 0


def test_cancel_experiments_by_ids(client: TestClient, mixed: dict[str, UUID]) -> None:
    ids = [str(mixed[name]) for name in ("waits too", "ended", "waits too")] + [str(new_id())]
    assert ask(client, "cancel", {"ids": ids}, dry_run=True) == ask(client, "cancel", {"ids": ids}) == 1
    assert statuses(client)["waits too"] == "cancelled"
    assert ask(client, "cancel", {"ids": []}) == 0


def test_delete_experiments_passes_over_what_has_not_ended(client: TestClient, mixed: dict[str, UUID]) -> None:
    again = client.post(f"{EXPERIMENTS}/{mixed['failed']}/retry").json()
    assert ask(client, "delete", {"filters": {}}, dry_run=True) == ask(client, "delete", {"filters": {}}) == 2
    assert statuses(client).keys() == {"running", "waits", "waits too", "failed"}
    left = client.get(f"{EXPERIMENTS}/{again['id']}").json()
    assert left["retry_of"] is None
    assert left["revision"] > again["revision"]


def test_delete_experiments_passes_over_what_another_study_counts(client: TestClient, database: Database) -> None:
    study = {"base": {"activation": "relu"}, "seeds": [0], "reuse": True}
    states.finish(
        database,
        name="counted",
        dataset="mnist",
        activation="relu",
        seed=0,
        epochs=5,
        run={"code": services_of(client).version},
    )
    spec = client.get(EXPERIMENTS).json()["items"][0]["spec"]
    study["base"] = {name: value for name, value in spec.items() if name != "seed"}
    assert client.post(STUDIES, json=study).json()["progress"]["succeeded"] == 1
    states.finish(database, name="free")
    assert ask(client, "delete", {"filters": {}}, dry_run=True) == ask(client, "delete", {"filters": {}}) == 1
    assert statuses(client).keys() == {"counted"}


def test_retry_experiments_queues_those_that_ended(client: TestClient, mixed: dict[str, UUID]) -> None:
    selection = {"filters": {"status": ["failed", "succeeded", "running"]}}
    assert ask(client, "retry", selection, dry_run=True) == ask(client, "retry", selection) == 2
    rows = client.get(f"{EXPERIMENTS}?status=queued&limit=500").json()["items"]
    retries = {row["retry_of"]: row for row in rows if row["retry_of"]}
    assert retries.keys() == {str(mixed["failed"]), str(mixed["ended"])}
    assert retries[str(mixed["failed"])]["tags"] == ["a"]


def tags(client: TestClient) -> dict[str, list[str]]:
    return {row["name"]: row["tags"] for row in client.get(EXPERIMENTS, params={"limit": 500}).json()["items"]}


def test_tag_experiments_adds_and_removes(client: TestClient, mixed: dict[str, UUID]) -> None:
    change = {"filters": {"tag": "a"}, "add": ["new", "b"], "remove": ["a"]}
    before = client.get(f"{EXPERIMENTS}/{mixed['waits']}").json()
    assert ask(client, "tag", change, dry_run=True) == 3
    assert tags(client)["waits"] == ["a"]
    assert ask(client, "tag", change) == 3
    own = tags(client)
    assert own == {"ended": ["b"], "waits too": ["b"]} | {name: ["b", "new"] for name in ("failed", "running", "waits")}
    after = client.get(f"{EXPERIMENTS}/{mixed['waits']}").json()
    assert (after["edit_version"], after["revision"] > before["revision"]) == (before["edit_version"] + 1, True)


def test_tag_experiments_counts_only_those_that_it_changes(client: TestClient, mixed: dict[str, UUID]) -> None:
    change = {"ids": [str(id) for id in mixed.values()], "add": ["b"]}
    assert ask(client, "tag", change, dry_run=True) == ask(client, "tag", change) == 3
    assert ask(client, "tag", change) == 0
    assert ask(client, "tag", {"filters": {}, "remove": ["no such tag"]}) == 0


@pytest.mark.usefixtures("small_blocks")
def test_tag_experiments_changes_none_where_one_would_have_too_many(client: TestClient, database: Database) -> None:
    full = [f"{number}" for number in range(20)]
    for name in ("first", "second", "third"):
        states.queue(database, name=name)
    states.queue(database, name="full", tags=full)
    for dry_run in (True, False):
        answer = client.post(f"{EXPERIMENTS}/tag", json={"filters": {}, "add": ["x"]}, params={"dry_run": dry_run})
        refused(answer, 422, at="/add")
    assert tags(client) == {"first": [], "second": [], "third": [], "full": sorted(full)}
    assert ask(client, "tag", {"filters": {}, "add": ["x"], "remove": ["0"]}) == 4
    assert ask(client, "tag", {"filters": {"tag": "19"}, "add": full[1:]}) == 0


@pytest.mark.parametrize(
    ("change", "at"),
    [({}, ""), ({"add": ["a"], "remove": ["a"]}, ""), ({"add": [""]}, "/add/0"), ({"add": ["x"] * 21}, "/add"),
     ({"add": "a"}, "/add")],
)  # fmt: skip
def test_tag_experiments_refuses_wrong_tags(steady: TestClient, change: Any, at: str) -> None:
    refused(steady.post(f"{EXPERIMENTS}/tag", json={"filters": {}, **change}), 422, at=at)


def test_archive_experiments_hides_those_that_ended(client: TestClient, mixed: dict[str, UUID]) -> None:
    everything: dict[str, Any] = {"filters": {}}
    assert ask(client, "archive", everything, dry_run=True) == ask(client, "archive", everything) == 2
    assert statuses(client).keys() == {"running", "waits", "waits too"}
    archived = client.get(EXPERIMENTS, params={"archived": "true"}).json()["items"]
    assert {row["name"] for row in archived} == {"failed", "ended"}
    assert all(row["archived_at"] for row in archived)
    assert len(client.get(EXPERIMENTS, params={"archived": "any"}).json()["items"]) == 5
    assert client.get(f"{EXPERIMENTS}/{mixed['ended']}").json()["archived_at"] is not None
    assert ask(client, "archive", everything) == 0


def test_archive_experiments_restores(client: TestClient, mixed: dict[str, UUID]) -> None:
    ask(client, "archive", {"filters": {}})
    restored = {"filters": {"tag": "b"}, "archived": False}
    assert ask(client, "archive", restored, dry_run=True) == ask(client, "archive", restored) == 1
    assert statuses(client).keys() == {"running", "waits", "waits too", "ended"}
    assert client.get(f"{EXPERIMENTS}/{mixed['ended']}").json()["archived_at"] is None


def test_archived_experiments_count_in_comparisons(client: TestClient, mixed: dict[str, UUID]) -> None:
    def counted(**filters: str) -> int:
        groups = client.get("/api/v1/comparisons", params={"group_by": "activation", **filters}).json()["groups"]
        return sum(group["n"] for group in groups)

    assert counted() == 1
    ask(client, "archive", {"ids": [str(mixed["ended"])]})
    assert (counted(), counted(archived="false"), counted(archived="true")) == (1, 0, 1)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_experiments, "BLOCK", 2)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n", [3, 4, 5])
@states.on_sqlite
def test_many_experiments_take_several_blocks(client: TestClient, database: Database, n: int) -> None:
    ids = [str(states.queue(database, name=f"{number}", tags=["a"])) for number in range(n)]
    assert ask(client, "cancel", {"ids": ids}) == n
    assert ask(client, "retry", {"filters": {"tag": "a"}}) == n  # not the retries themselves
    assert ask(client, "cancel", {"filters": {}}) == n
    assert ask(client, "delete", {"filters": {"status": "cancelled"}}) == 2 * n
    assert client.get(EXPERIMENTS).json()["items"] == []


@pytest.mark.usefixtures("small_blocks")
@states.on_sqlite
def test_retry_experiments_with_a_key_goes_on_where_it_failed(settings: Settings, database: Database) -> None:
    for number in range(5):
        states.fail(database, states.start(database, name=f"{number}"))
    failing = settings.model_copy(update={"fault": "retry_experiments.after_commit:error:2"})
    with serving(failing) as client:
        key = {"Idempotency-Key": "k"}
        selection: dict[str, Any] = {"filters": {}}
        refused(client.post(f"{EXPERIMENTS}/retry", json=selection, headers=key), 500)
        for fence in states.claim(database):
            states.fail(database, fence)  # so that the retries match too
        assert ask(client, "retry", selection, key="k") == ask(client, "retry", selection, key="k") == 5
        assert len(client.get(EXPERIMENTS).json()["items"]) == 10
        refused(client.post(f"{EXPERIMENTS}/retry", json={"ids": []}, headers=key), 422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("body", "at"),
    [({}, ""), ({"ids": [], "filters": {}}, ""), ({"ids": ["x"]}, "/ids/0"), ({"filters": {"status": "x"}}, None),
     ({"filters": {"limit": 1}}, "/filters/limit"), ({"ids": [str(states.SOME_ID)] * 1001}, "/ids"), ([], "")],
)  # fmt: skip
@pytest.mark.parametrize("action", ["cancel", "delete", "retry", "tag", "archive"])
def test_many_experiments_refuse_wrong_selections(steady: TestClient, action: str, body: Any, at: str | None) -> None:
    if action == "tag" and isinstance(body, dict):
        body = {**body, "add": ["x"]}
    refused(steady.post(f"{EXPERIMENTS}/{action}", json=body), 422, at=at)
