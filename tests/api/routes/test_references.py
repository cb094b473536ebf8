"""The reference of a study over HTTP, and the family of tests that its comparisons belong to."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, STUDIES

THREE: dict[str, Any] = {"factors": {"activation": ["relu", "tanh", "swish"]}, "seeds": [0, 1, 2]}
DEPTHS: dict[str, Any] = {"factors": {"activation": ["relu", "tanh"], "model.dense_layers": [1, 3]}, "seeds": [0, 1]}
TUNING = {"rates": [0.001, 0.01], "seeds": [1000]}
RELU = {"activation": "relu"}
MEANS: dict[str, float] = {"relu": 0.95, "tanh": 0.90, "swish": 0.953}


def submit(client: TestClient, body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = client.post(STUDIES, json=body | fields)
    assert answer.status_code == 202, answer.text
    study: dict[str, Any] = answer.json()
    return study


def by_name(spec: dict[str, Any]) -> float:
    name: str = spec["activation"]["name"]
    seed: int = spec["seed"]
    return MEANS[name] + 0.001 * ((3 * seed + len(name)) % 4)


def family(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    described: dict[str, Any] = answer.json()["family"]
    return described


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        (THREE, "relu"),
        (THREE, '"relu"'),
        (THREE, RELU),
        (THREE, None),
        ({"factors": {"batch_size": [64, 128]}, "base": RELU}, 64),
        ({"factors": {"model.batch_norm": [True, False]}, "base": RELU}, True),
        ({"factors": {"train_samples": [None, 100]}, "base": RELU}, {"train_samples": None}),
        (DEPTHS, {"activation": "relu", "model.dense_layers": 1}),
        ({**DEPTHS, "factors": {"activation": ["relu", "tanh"]}, "tuning": TUNING}, "relu"),
    ],
    ids=str,
)
@states.on_sqlite
def test_submit_study_keeps_its_reference_as_posted(client: TestClient, body: dict[str, Any], reference: Any) -> None:
    study = submit(client, body, reference=reference)
    assert study["reference"] == reference
    assert client.get(f"{STUDIES}/{study['id']}").json()["reference"] == reference


@pytest.mark.parametrize(
    ("body", "reference", "code", "remedy"),
    [
        (THREE, "elu", "unknown_group", "name one of activation=relu; activation=tanh; activation=swish, or give null"),
        (THREE, "all", "unknown_group", "or give null"),
        (THREE, {"epochs": 3}, "unknown_group", "or give null"),
        (DEPTHS, "relu", "not_a_group", "JSON object of factors and values (activation, model.dense_layers)"),
        (DEPTHS, RELU, "ambiguous_group", "names 2 groups of the study; name one of"),
    ],
    ids=str,
)
@states.on_sqlite
def test_submit_study_refuses_a_reference_that_is_no_group(
    client: TestClient, body: dict[str, Any], reference: Any, code: str, remedy: str
) -> None:
    for answer in (
        client.post(STUDIES, json=body | {"reference": reference}),
        client.post(f"{STUDIES}?dry_run=true", json=body | {"reference": reference}),
        client.patch(f"{STUDIES}/{submit(client, body)['id']}", json={"reference": reference}),
    ):
        problem = refused(answer, 422, at="/reference")
        assert (problem["errors"][0]["code"], remedy in problem["errors"][0]["detail"]) == (code, True), problem


@pytest.mark.parametrize("reference", [[1], 1e400, "\0", "\ud800", {"a": {"b": [[[[[[[[1]]]]]]]]}}], ids=ascii)
@states.on_sqlite
def test_submit_study_refuses_a_reference_of_another_kind(client: TestClient, reference: Any) -> None:
    content = json.dumps(THREE | {"reference": reference})
    answer = client.post(STUDIES, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text


def test_edit_study_changes_its_reference(client: TestClient, database: Database) -> None:
    study = submit(client, THREE)
    path = f"{STUDIES}/{study['id']}"
    states.finish_queued(database, by_name)
    before = client.get(f"{path}/comparison")
    edited = client.patch(path, json={"reference": "tanh"}).json()
    assert (edited["reference"], edited["edit_version"]) == ("tanh", 2)
    changed = client.get(f"{path}/comparison", headers={"If-None-Match": before.headers["etag"]})
    assert (changed.status_code, changed.json()["family"]["versus"]) == (200, {"activation": "tanh"})
    cleared = client.patch(path, json={"reference": None}).json()
    assert (cleared["reference"], family(client, f"{path}/comparison")["versus"]) == (None, None)


@states.on_sqlite
def test_edit_study_refuses_a_reference_of_its_trials(client: TestClient) -> None:
    study = submit(client, THREE, tuning=TUNING, reference="relu")
    trials = client.get(f"{STUDIES}/{study['tuning']['study']}").json()
    assert trials["reference"] is None
    refused(client.patch(f"{STUDIES}/{trials['id']}", json={"reference": "relu"}), 409, "illegal_transition")


def test_get_study_comparison_compares_with_the_reference(client: TestClient, database: Database) -> None:
    study = submit(client, THREE, reference="relu")
    path = f"{STUDIES}/{study['id']}/comparison"
    assert family(client, path)["versus"] == RELU  # while its runs are queued too
    states.finish_queued(database, by_name)
    own = client.get(path).json()
    assert (own["family"]["versus"], own["family"]["reference"], len(own["pairs"])) == (RELU, RELU, 2)
    assert own["summary"][1].startswith("2 tests against relu, the study's reference, corrected together (Holm, 0.05).")
    assert own == client.get(path, params={"versus": "relu"}).json()


@pytest.mark.parametrize(("versus", "group", "tests"), [("all", None, "3 tests of all"), ("tanh", "tanh", "2 tests")])
@states.on_sqlite
def test_get_study_comparison_says_that_it_is_another_family(
    client: TestClient, database: Database, versus: str, group: str | None, tests: str
) -> None:
    study = submit(client, THREE, reference="relu")
    states.finish_queued(database, by_name)
    other = client.get(f"{STUDIES}/{study['id']}/comparison", params={"versus": versus}).json()
    assert other["family"]["versus"] == (None if group is None else {"activation": group})
    assert other["summary"][1].startswith(tests)
    assert "another family of tests than the study's own, which compares with relu" in other["summary"][1]


@states.on_sqlite
def test_get_study_comparison_of_another_grouping_compares_all_pairs(client: TestClient, database: Database) -> None:
    study = submit(client, DEPTHS, reference={"activation": "relu", "model.dense_layers": 1})
    path = f"{STUDIES}/{study['id']}/comparison"
    assert family(client, path)["versus"] == {"activation": "relu", "model.dense_layers": 1}
    assert family(client, path, group_by=["model.dense_layers", "activation", "epochs"])["reference"] is not None
    refused(client.get(path, params={"versus": "relu"}), 422, at="versus")


@states.on_sqlite
def test_get_study_comparison_of_a_grid_uses_the_reference_in_it(client: TestClient) -> None:
    grids = [
        {"name": "functions", "factors": {"activation": ["relu", "tanh"]}},
        {"name": "rates", "base": {"activation": "elu"}, "factors": {"optimizer.learning_rate": [0.001, 0.01]}},
    ]
    study = submit(client, {"grids": grids, "seeds": [0]}, reference=RELU)
    path = f"{STUDIES}/{study['id']}/comparison"
    assert family(client, path, grid="functions")["versus"] == RELU
    assert family(client, path, grid="rates")["versus"] is None


def test_get_comparison_of_several_studies_needs_one_reference(client: TestClient, database: Database) -> None:
    pair = {"seeds": [0, 1, 2], "factors": {"activation": ["relu", "tanh"]}}
    relu, also, none = (submit(client, pair, reference=reference)["id"] for reference in ("relu", RELU, None))
    tanh = submit(client, pair, reference="tanh")["id"]
    states.finish_queued(database, by_name)
    assert family(client, COMPARISONS, study=[relu, also])["versus"] == RELU
    assert family(client, COMPARISONS, study=[relu, tanh])["versus"] is None
    assert family(client, COMPARISONS, study=[relu, none])["versus"] is None
    assert family(client, COMPARISONS)["versus"] is None
    assert family(client, COMPARISONS, study=relu, activation="tanh")["versus"] is None
    refused(client.get(COMPARISONS, params={"study": relu, "activation": "tanh", "versus": "relu"}), 422, at="versus")


def test_get_study_report_belongs_to_the_family_of_the_study(client: TestClient, database: Database) -> None:
    study = submit(client, THREE, reference="relu")
    states.finish_queued(database, by_name)
    path = f"{STUDIES}/{study['id']}"
    for query in ({}, {"versus": "all"}):
        summary = client.get(f"{path}/comparison", params=query).json()["summary"]
        report = client.get(f"{path}/report", params={"format": "markdown", **query}).text
        assert all(f"> {sentence}" in report for sentence in summary)
    assert '"reference": "relu"' in report.replace("\\", "")


@pytest.mark.parametrize(
    ("fields", "reference"),
    [
        ({}, "relu"),
        ({"base": {"dataset": "digits"}, "seeds": [7]}, "relu"),
        ({"factors": {"activation": ["tanh", "relu"]}}, "relu"),
        ({"tuning": TUNING}, "relu"),
        ({"factors": {"activation": ["tanh", "elu"]}}, None),
        ({"factors": {"epochs": [1, 2]}}, None),
        ({"base": {"activation": "relu"}}, None),
        ({"grids": [{"name": "a", "factors": {"batch_size": [64, 128]}}]}, None),
        ({"reference": "tanh"}, "tanh"),
        ({"reference": None}, None),
    ],
    ids=str,
)
@states.on_sqlite
def test_submit_study_takes_the_reference_of_its_preset(
    client: TestClient, fields: dict[str, Any], reference: str | None
) -> None:
    assert submit(client, {"preset": "quick"}, **fields)["reference"] == reference
