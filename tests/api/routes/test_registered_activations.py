"""Registered formulas over HTTP: versions, specs that use them, and archived names."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.activations.registry import RESERVED
from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import ACTIVATIONS, EXPERIMENTS, STUDIES

MINE = f"{ACTIVATIONS}/mine"
FIRST = {
    "formula": "x*sigmoid( a*x )",
    "parameters": {"a": {"value": 0.5, "learnable": True}},
    "note": "To begin with.",
}
SECOND = {"formula": "x * tanh(a * x) + b", "parameters": {"a": 2, "b": {"value": 0.25}}}


def register(client: TestClient, name: str = "mine", **fields: Any) -> Any:
    answer = client.post(ACTIVATIONS, json={"name": name, **FIRST, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def replace(client: TestClient, **fields: Any) -> Any:
    answer = client.put(MINE, json={**SECOND, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def submit(client: TestClient, activation: Any, **fields: Any) -> Any:
    answer = client.post(EXPERIMENTS, json={"activation": activation, **fields})
    assert answer.status_code == 202, answer.text
    return answer.json()


def names(client: TestClient, **query: Any) -> list[str]:
    return [item["name"] for item in client.get(ACTIVATIONS, params=query).json()["items"] if item["version"]]


# --- registering ---------------------------------------------------------------------------------------------------


def test_register_activation_answers_like_the_catalogue(client: TestClient) -> None:
    answer = client.post(ACTIVATIONS, json={"name": "mine", **FIRST})
    assert (answer.status_code, answer.headers["location"]) == (201, MINE)
    made = answer.json()
    assert (made["name"], made["version"], made["newest_version"], made["note"]) == ("mine", 1, 1, "To begin with.")
    assert made["formula"] == "x * sigmoid(a * x)"
    (a,) = made["parameters"]
    assert (a["name"], a["default"], a["learnable"], a["may_learn"]) == ("a", 0.5, True, True)
    assert made["properties"]["slope_at_0"] == pytest.approx(0.5)
    assert made["latex"] == r"x \, \sigma\left(a \, x\right)"
    assert made["same_as"] is None
    assert made["created_at"]
    assert client.get(MINE).json() == made
    listed = client.get(ACTIVATIONS).json()["items"]
    assert listed[-1] == made
    assert len(listed) == 31
    assert listed[0].keys() == made.keys()


def test_register_activation_recognises_a_catalogue_function(client: TestClient) -> None:
    assert register(client, formula="x / (1 + exp(-x))", parameters={})["same_as"] == "silu"


def test_register_activation_refuses_a_taken_name(client: TestClient) -> None:
    register(client)
    problem = refused(client.post(ACTIVATIONS, json={"name": "mine", **FIRST}), 409, "name_taken")
    assert f"PUT {MINE}" in problem["detail"]
    assert "another name" in refused(client.post(ACTIVATIONS, json={"name": "relu", "formula": "x"}), 409)["detail"]
    assert client.get(f"{ACTIVATIONS}/relu").json()["formula"] == "where(x > 0, x, 0)"


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"formula": "x"}, "/name"), ({"name": "", "formula": "x"}, "/name"), ({"name": "X", "formula": "x"}, "/name"),
        ({"name": "a" * 61, "formula": "x"}, "/name"), ({"name": "1a", "formula": "x"}, "/name"),
        ({"name": "a\n", "formula": "x"}, "/name"), ({"name": "\ud800", "formula": "x"}, "/name"),
        ({"name": 1, "formula": "x"}, "/name"), ({"name": "mine"}, "/formula"),
        ({"name": "mine", "formula": "y"}, "/formula"),
        ({"name": "mine", "formula": "a * x"}, "/formula"), ({"name": "mine", "formula": ""}, "/formula"),
        ({"name": "mine", "formula": "x", "parameters": {"a": 1}}, "/parameters"),
        ({"name": "mine", "formula": "x * a", "parameters": {"a": 1e7}}, "/parameters/a"),
        ({"name": "mine", "formula": "x * a", "parameters": {"a": None}}, "/parameters/a"),
        ({"name": "mine", "formula": "x", "parameters": {"\ud800": 1}}, "/parameters"),
        ({"name": "mine", "formula": "x", "parameters": []}, "/parameters"),
        ({"name": "mine", "formula": "x", "note": "a\0b"}, "/note"),
        ({"name": "mine", "formula": "x", "version": 1}, "/version"),
        *(({"name": name, "formula": "x"}, "/name") for name in sorted(RESERVED)),
    ],
    ids=lambda value: ascii(value)[:60],
)  # fmt: skip
def test_register_activation_refuses_invalid_definitions(steady: TestClient, body: dict[str, Any], at: str) -> None:
    content = json.dumps(body)
    refused(steady.post(ACTIVATIONS, content=content, headers={"Content-Type": "application/json"}), 422, at=at)
    assert names(steady) == []


def test_register_activation_is_idempotent_with_a_key(client: TestClient) -> None:
    def post(**fields: Any) -> Any:
        return client.post(ACTIVATIONS, json={"name": "mine", **FIRST, **fields}, headers={"Idempotency-Key": "k"})

    first, again = post(), post()
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert again.json() == first.json()
    refused(post(formula="a * x"), 422, "idempotency_mismatch")
    replace(client)
    assert post().json()["newest_version"] == 2


def test_register_activation_gives_a_name_to_one_of_several_requests(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post(ACTIVATIONS, json={"name": "mine", **FIRST}), range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert names(client) == ["mine"]


# --- versions ------------------------------------------------------------------------------------------------------


def test_edit_activation_adds_a_version_and_keeps_older_ones(client: TestClient) -> None:
    first, second = register(client), replace(client)
    assert (second["version"], second["newest_version"], second["note"]) == (2, 2, None)
    assert client.get(MINE).json() == second
    assert client.get(MINE, params={"version": 1}).json() == {**first, "newest_version": 2}
    assert names(client) == ["mine"]
    refused(client.get(MINE, params={"version": 3}), 404, "activation_not_found")
    refused(client.get(f"{MINE}/curve", params={"version": 3}), 404)
    refused(client.get(MINE, params={"version": 2**31}), 422, at="version")
    refused(client.get(f"{ACTIVATIONS}/relu", params={"version": 1}), 404)


def test_edit_activation_with_the_same_formula_adds_no_version(client: TestClient) -> None:
    register(client)
    same = {**FIRST, "formula": "x * sigmoid(a * x)"}
    assert client.put(MINE, json=same).json()["version"] == 1
    assert client.put(MINE, json=same | {"note": "Otherwise."}).json()["version"] == 2


def test_edit_activation_checks_if_match(client: TestClient) -> None:
    register(client)
    refused(client.put(MINE, json=SECOND, headers={"If-Match": '"2"'}), 412, "precondition_failed")
    assert client.put(MINE, json=SECOND, headers={"If-Match": '"1"'}).json()["version"] == 2


def test_edit_activation_numbers_concurrent_versions(client: TestClient) -> None:
    register(client)
    with ThreadPoolExecutor(6) as pool:
        made = pool.map(lambda n: client.put(MINE, json={"formula": f"x + {n}"}).json()["version"], range(6))
    assert sorted(made) == [2, 3, 4, 5, 6, 7]


def test_edit_activation_refuses_the_catalogue(client: TestClient) -> None:
    for name, status, code in (("relu", 409, "not_changeable"), ("nobody", 404, "activation_not_found")):
        refused(client.put(f"{ACTIVATIONS}/{name}", json=SECOND), status, code)
        refused(client.delete(f"{ACTIVATIONS}/{name}"), status, code)


def test_get_curve_uses_version_and_parameters(steady_mine: TestClient) -> None:
    def values(**query: Any) -> Any:
        return steady_mine.get(f"{MINE}/curve", params={"from": -1, "to": 1, "points": 3, **query}).json()["y"]

    assert values() == pytest.approx([0.964028 + 0.25, 0.25, 0.964028 + 0.25], abs=1e-6)
    assert values(version=1) == pytest.approx([-0.377541, 0, 0.622459], abs=1e-6)
    assert values(version=2, parameters='{"b": 0, "a": {"value": 0}}') == [0, 0, 0]
    query = {"parameters": '{"c": 1}'}
    refused(steady_mine.get(f"{MINE}/curve", params=query), 422, at="parameters")


@pytest.fixture
def steady_mine(client: TestClient) -> TestClient:
    register(client)
    replace(client)
    return client


# --- specs ---------------------------------------------------------------------------------------------------------

FIRST_KEPT = {"name": "mine", "version": 1, "formula": "x * sigmoid(a * x)"}
LEARNED = {"value": 0.5, "learnable": True}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("mine", {"a": LEARNED}),
        ({"name": "mine"}, {"a": LEARNED}),
        ({"name": "mine", "version": 1}, {"a": LEARNED}),
        ({"name": "mine", "parameters": {"a": 3}}, {"a": {"value": 3, "learnable": True}}),
        ({"name": "mine", "parameters": {"a": {"learnable": False}}}, {"a": {"value": 0.5, "learnable": False}}),
        ({"name": "mine", "version": 1, "formula": "x*sigmoid(a*x)", "parameters": {"a": LEARNED}}, {"a": LEARNED}),
    ],
)  # fmt: skip
def test_submit_experiment_stores_the_registered_formula(client: TestClient, sent: Any, stored: Any) -> None:
    register(client)
    assert submit(client, sent)["spec"]["activation"] == {**FIRST_KEPT, "parameters": stored}


def test_experiment_keeps_its_formula_when_the_name_changes(client: TestClient, database: Database) -> None:
    register(client)
    old = submit(client, "mine")
    replace(client)
    new = submit(client, "mine")
    client.delete(MINE)
    states.finish_queued(database, lambda spec: 0.9)
    assert client.get(f"{EXPERIMENTS}/{old['id']}").json()["spec"] == old["spec"]
    again = client.post(f"{EXPERIMENTS}/{old['id']}/retry").json()
    assert again["spec"]["activation"] == {**FIRST_KEPT, "parameters": {"a": LEARNED}}
    assert new["spec"]["activation"]["version"] == 2
    label = "mine v1 (a=0.5 learnable)"
    items = client.get(EXPERIMENTS, params={"activation": label}).json()["items"]
    assert {item["id"] for item in items} == {old["id"], again["id"]}
    compared = client.get(
        "/api/v1/comparisons", params={"id": [old["id"], new["id"]], "group_by": "activation"}
    ).json()["groups"]
    assert {group["factors"]["activation"] for group in compared} == {label, "mine v2 (a=2, b=0.25)"}


@pytest.mark.parametrize(
    ("activation", "at", "says"),
    [
        ("nobody", "name", "choose one of"),
        ({"name": "nobody", "version": 1}, "name", "No formula is registered"),
        ({"name": "mine", "version": 3}, "version", "versions 1 to 2"),
        ({"name": "mine", "version": 0}, None, "greater than or equal to 1"),
        ({"name": "mine", "version": 2**70}, None, "less than or equal to"),
        ({"name": "mine", "version": "1"}, None, "valid integer"),
        ({"name": "mine", "version": True}, None, "valid integer"),
        ({"name": "relu", "version": 1}, "name", "No formula is registered"),
        ({"name": "relu", "version": 1, "formula": "x"}, "name", "No formula is registered"),
        ({"name": "nobody", "version": 1, "formula": "x"}, "name", "No formula is registered"),
        ({"name": "mine", "version": 1, "formula": "x * x"}, "formula", "Version 1 of mine is x * sigmoid(a * x)"),
        ({"name": "mine", "version": 1, "formula": 7}, "formula", "Version 1 of mine"),
        ({"name": "mine", "formula": "x"}, None, "Unknown activation"),
        ({"name": "mine", "parameters": {"c": 1}}, "parameters", "does not use c"),
        ({"name": "mine", "parameters": {"a": 1e9}}, "parameters/a", "must lie from"),
        ({"name": "mine", "parameters": [1]}, "parameters", "an object"),
        ({"name": "mine\n"}, "name", "choose one of"),
        ({"name": "x" * 5000}, "name", "choose one of"),
    ],
    ids=lambda value: ascii(value)[:60],
)  # fmt: skip
@states.on_sqlite
def test_submit_experiment_refuses_an_unregistered_name(
    steady_mine: TestClient, activation: Any, at: str | None, says: str
) -> None:
    problem = refused(steady_mine.post(EXPERIMENTS, json={"activation": activation}), 422, "validation_error")
    assert says in problem["detail"]
    if at is not None:
        assert [item["pointer"] for item in problem["errors"]] == [f"/activation/{at}"]
    problem = refused(steady_mine.post(STUDIES, json={"factors": {"activation": ["relu", activation]}}), 422)
    assert all(item["pointer"].startswith("/factors/activation/1") for item in problem["errors"])
    assert steady_mine.get(EXPERIMENTS).json()["items"] == []


def test_submit_experiment_names_a_wrong_activation_with_other_errors(steady: TestClient) -> None:
    problem = refused(steady.post(EXPERIMENTS, json={"activation": "nobody", "epochs": 0}), 422)
    assert [item["pointer"] for item in problem["errors"]] == ["/activation/name", "/epochs"]


def test_preview_activation_accepts_a_registered_name(client: TestClient) -> None:
    register(client)
    preview = client.post(f"{ACTIVATIONS}/preview", json={"name": "mine", "parameters": {"a": 0}}).json()
    assert (preview["formula"], preview["computed_as"]) == ("x * sigmoid(a * x)", "x * sigmoid(a * x)")
    assert preview["properties"]["slope_at_0"] == 0.5


# --- studies -------------------------------------------------------------------------------------------------------


def activations_of(client: TestClient, study: str) -> set[tuple[int, str, int]]:
    items = client.get(EXPERIMENTS, params={"study": study, "limit": 500}).json()["items"]
    shown = [(item["spec"]["seed"], item["spec"]["activation"]) for item in items]
    return {(seed, activation["name"], activation.get("version", 0)) for seed, activation in shown}


def test_edit_study_adds_seeds_with_the_original_version(client: TestClient) -> None:
    register(client)
    study = client.post(STUDIES, json={"factors": {"activation": ["relu", "mine"]}, "seeds": [0]}).json()
    assert study["activations"] == {"mine": 1}
    replace(client)
    client.delete(MINE)
    patched = client.patch(f"{STUDIES}/{study['id']}", json={"seeds": [0, 1]})
    assert patched.status_code == 200, patched.text
    assert activations_of(client, study["id"]) == {(0, "relu", 0), (0, "mine", 1), (1, "relu", 0), (1, "mine", 1)}


def test_submit_study_varies_versions_and_parameters(client: TestClient) -> None:
    register(client)
    replace(client, formula="a * x", parameters={"a": 1})
    grid = {"activation.version": [1, 2], "activation.parameters.a.value": [1, 2]}
    body = {"base": {"activation": "mine"}, "factors": grid, "seeds": [0]}
    study = client.post(STUDIES, json=body).json()
    assert study["experiments"] == 4
    assert activations_of(client, study["id"]) == {(0, "mine", 1), (0, "mine", 2)}
    dry = client.post(STUDIES, json=body, params={"dry_run": True}).json()
    assert dry["experiments"] == 4


# --- archiving -----------------------------------------------------------------------------------------------------


def test_archive_activation_hides_and_reserves_the_name(client: TestClient) -> None:
    register(client)
    assert client.delete(MINE).status_code == 204
    assert client.delete(MINE).status_code == 204
    assert names(client) == []
    assert names(client, archived=True) == ["mine"]
    assert client.get(MINE).json()["archived_at"]
    assert client.get(f"{MINE}/curve").status_code == 200
    problem = refused(client.post(EXPERIMENTS, json={"activation": "mine"}), 422, at="/activation/name")
    assert f"PUT {MINE}" in problem["detail"]
    refused(client.post(ACTIVATIONS, json={"name": "mine", **FIRST}), 409, "name_taken")


def test_edit_activation_restores_an_archived_name(client: TestClient) -> None:
    register(client)
    client.delete(MINE)
    back = client.put(MINE, json=FIRST).json()
    assert (back["version"], back["archived_at"]) == (1, None)
    client.delete(MINE)
    assert (replace(client)["version"], names(client)) == (2, ["mine"])
    assert submit(client, "mine")["spec"]["activation"]["version"] == 2


# --- the list ------------------------------------------------------------------------------------------------------


def test_list_activations_has_the_catalogue_on_the_first_page(client: TestClient) -> None:
    for index in range(5):
        register(client, f"f{index}")
    client.delete(f"{ACTIVATIONS}/f1")
    first = client.get(ACTIVATIONS, params={"limit": 2}).json()
    assert [item["name"] for item in first["items"][30:]] == ["f0", "f2"]
    second = client.get(ACTIVATIONS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in second["items"]] == ["f3", "f4"]
    assert second["next_cursor"] is None
    refused(client.get(ACTIVATIONS, params={"cursor": first["next_cursor"], "archived": True}), 422, at="cursor")


def test_list_activations_answers_304(client: TestClient) -> None:
    register(client)
    for path in (ACTIVATIONS, MINE, f"{ACTIVATIONS}/relu"):
        etag = client.get(path).headers["etag"]
        assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    etag = client.get(MINE).headers["etag"]
    replace(client)
    assert client.get(MINE, headers={"If-None-Match": etag}).status_code == 200
