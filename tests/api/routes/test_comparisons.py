"""Comparisons over HTTP: grouping, pooling and the reference."""

import json
import math
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from service.storage.engine.database import Database
from service.storage.tables.base import new_id
from tests.api import states
from tests.api.problems import refused
from tests.api.serving import COMPARISONS, EXPERIMENTS, STUDIES

# By activation, then seed: swish is clearly better than relu, tanh lies between the two.
SCORES = {"relu": (0.90, 0.91, 0.925), "tanh": (0.91, 0.93, 0.95), "swish": (0.978, 0.98, 0.982)}


def by_score(spec: dict[str, Any]) -> float:
    return SCORES[spec["activation"]["name"]][spec["seed"]]


@pytest.fixture
def study(client: TestClient, database: Database) -> str:
    id: str = client.post(STUDIES, json={"factors": {"activation": list(SCORES)}, "seeds": [0, 1, 2]}).json()["id"]
    states.finish_queued(database, by_score)
    return id


def get(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.get(COMPARISONS, params=query)
    assert answer.status_code == 200, answer.text
    comparison: dict[str, Any] = answer.json()
    return comparison


def test_get_comparison_groups_a_study_by_its_factors(client: TestClient, study: str) -> None:
    comparison = get(client, study=study)
    assert comparison.keys() == {"metric", "groups", "pairs", "family", "summary", "seeds_needed", "effects"}
    assert [group["factors"] for group in comparison["groups"]] == [
        {"activation": n} for n in ("swish", "tanh", "relu")
    ]
    best = comparison["groups"][0]
    assert best.keys() == {
        "factors", "names", "n", "n_duplicate", "n_diverged", "n_failed", "n_pending", "mean", "sd", "median", "min",
        "max", "interval", "test_image_interval", "seeds", "rank",
    }  # fmt: skip
    assert (best["n"], best["median"], best["rank"]) == (3, 0.98, [1, 1])
    assert best["mean"] == pytest.approx(0.98)
    low, high = best["interval"]  # t(0.975, 2) = 4.303; sd 0.002 over sqrt(3)
    assert (low, high) == (pytest.approx(0.98 - 0.004968, abs=1e-5), pytest.approx(0.98 + 0.004968, abs=1e-5))
    assert [len(comparison["pairs"]), comparison["family"]["pairs"]] == [3, 3]
    assert comparison["pairs"][0].keys() >= {
        "a", "b", "test", "difference", "interval", "p", "p_holm", "p_attainable", "hedges_g", "verdict",
    }  # fmt: skip


def test_get_comparison_with_seeds(client: TestClient, study: str) -> None:
    assert get(client, study=study)["groups"][0]["seeds"] is None
    for group in get(client, study=study, seeds=True)["groups"]:
        values = group["seeds"].values()
        assert (len(values), min(values), max(values)) == (group["n"], group["min"], group["max"])


@states.on_sqlite
@pytest.mark.parametrize(
    ("metric", "first"),
    [("validation_accuracy", "relu"), ("validation_loss", "tanh"), ("best_validation_accuracy", "tanh"),
     ("best_validation_loss", "tanh")],
)  # fmt: skip
def test_get_comparison_by_validation_figures(client: TestClient, database: Database, metric: str, first: str) -> None:
    for seed in range(3):
        states.trained(database, [(0.7, 0.2), (0.9, 0.4)], best=1, activation="relu", seed=seed)
        states.trained(database, [(0.8, 0.1), (0.6, 0.3)], best=1, activation="tanh", seed=seed)
    groups = get(client, metric=metric)["groups"]
    assert [group["n"] for group in groups] == [3, 3]
    assert groups[0]["factors"] == {"activation": first}


@pytest.mark.parametrize("versus", ["relu", '"relu"', '{"activation": "relu"}'])
def test_get_comparison_versus_one_group(client: TestClient, study: str, versus: str) -> None:
    comparison = get(client, study=study, versus=versus)
    assert comparison["family"]["versus"] == {"activation": "relu"}
    assert [(pair["a"]["activation"], pair["b"]["activation"]) for pair in comparison["pairs"]] == [
        ("swish", "relu"),
        ("tanh", "relu"),
    ]
    assert comparison["pairs"][0]["verdict"] == "better"


@states.on_sqlite
def test_get_comparison_within_a_margin(client: TestClient, study: str) -> None:
    verdicts = {}
    for margin in (None, 0.005, 0.5, 0):
        comparison = get(client, study=study, versus="relu", **({} if margin is None else {"margin": margin}))
        pairs = {pair["a"]["activation"]: pair for pair in comparison["pairs"]}
        verdicts[margin] = pairs["tanh"]["verdict"], pairs["tanh"]["within_margin"], comparison["family"]["margin"]
        assert pairs["swish"]["verdict"] == "better"
    assert verdicts == {
        None: ("undecided", False, 0.005),
        0.005: ("undecided", False, 0.005),
        0.5: ("equivalent", True, 0.5),
        0: ("undecided", None, None),
    }
    refused(client.get(COMPARISONS, params={"study": study, "margin": -0.1}), 422, at="margin")


def test_get_comparison_counts_pending_failed_and_repeated_runs(client: TestClient, database: Database) -> None:
    for seed in (0, 1):
        states.finish(database, 0.9, seed=seed)
    states.finish(database, 0.8, seed=1)
    states.fail(database, states.start(database, seed=2))
    states.queue(database, seed=3)
    (group,) = get(client)["groups"]
    counts = {name: group[name] for name in ("n", "n_duplicate", "n_diverged", "n_failed", "n_pending")}
    assert counts == {"n": 2, "n_duplicate": 1, "n_diverged": 1, "n_failed": 0, "n_pending": 1}


def test_get_comparison_of_no_experiments_has_no_groups(client: TestClient) -> None:
    comparison = get(client)
    assert (comparison["groups"], comparison["pairs"]) == ([], [])


@pytest.mark.parametrize(
    ("factors", "groups", "versus"),
    [
        ({"classes": [[0, 1], [2, 3]]}, [{"classes": "[0, 1]"}, {"classes": "[2, 3]"}], "[0, 1]"),
        ({"dropout": [0.25, {"dense": 0}]}, [{"dropout": 0.25}, {"dropout": '{"conv": 0.25, "dense": 0.0}'}], "0.25"),
        ({"activation.parameters.beta": [1, 2]}, [{"activation": "swish"}, {"activation": "swish(beta=2)"}], "swish"),
        ({"early_stopping.patience": [3, 5]},
         [{"early_stopping": '{"patience": 3, "min_delta": 0.0}'},
          {"early_stopping": '{"patience": 5, "min_delta": 0.0}'}], '{"patience": 3, "min_delta": 0.0}'),
        ({"model.batch_norm": [True, False]}, [{"model.batch_norm": True}, {"model.batch_norm": False}], "true"),
    ],
    ids=["lists", "short forms", "parameters", "optional objects", "flags"],
)  # fmt: skip
@states.on_sqlite
def test_get_comparison_groups_by_any_factor(
    client: TestClient, database: Database, factors: Any, groups: Any, versus: str
) -> None:
    base = {} if "activation" in factors else {"activation": "swish"}
    id = client.post(STUDIES, json={"base": base, "factors": factors, "seeds": [0]}).json()["id"]
    comparison = get(client, study=id, versus=versus)
    assert sorted(map(json.dumps, (group["factors"] for group in comparison["groups"]))) == sorted(
        map(json.dumps, groups)
    )
    assert comparison["family"]["versus"] == groups[0]


@states.on_sqlite
def test_get_comparison_versus_an_object_of_factors(client: TestClient, database: Database) -> None:
    factors = {"activation": ["relu", "tanh"], "epochs": [1, 2]}
    id = client.post(STUDIES, json={"factors": factors, "seeds": [0]}).json()["id"]
    comparison = get(client, study=id, versus='{"epochs": 1, "activation": "tanh"}')
    assert comparison["family"]["versus"] == {"activation": "tanh", "epochs": 1}
    for versus in ("relu", "[1]", '{"epoch": 1}', "{"):
        refused(client.get(COMPARISONS, params={"study": id, "versus": versus}), 422, at="versus")
    ambiguous = client.get(COMPARISONS, params={"study": id, "versus": '{"epochs": 1}'})
    assert refused(ambiguous, 422, at="versus")["errors"][0]["code"] == "ambiguous_group"


def test_get_study_comparison(client: TestClient, study: str) -> None:
    own = client.get(f"{STUDIES}/{study}/comparison", params={"versus": "relu"})
    assert own.json() == get(client, study=study, versus="relu")
    refused(client.get(f"{STUDIES}/{new_id()}/comparison"), 404, "study_not_found")


def test_get_comparison_selects_by_ids(client: TestClient, database: Database) -> None:
    ids = [str(states.finish(database, 0.9 + seed / 100, seed=seed)) for seed in range(3)]
    comparison = get(client, id=ids[:2])
    assert (comparison["groups"][0]["n"], comparison["groups"][0]["max"]) == (2, 0.91)
    assert get(client, id=str(new_id()))["groups"] == []
    refused(client.get(COMPARISONS, params={"id": "x"}), 422, at="id")


def test_get_comparison_selects_by_filters(client: TestClient, database: Database) -> None:
    for epochs in (1, 2):
        states.finish(database, epochs=epochs, tags=[f"t{epochs}"])
    for query in ({"epochs_max": 1}, {"tag": "t1"}):
        assert get(client, **query)["groups"][0]["n"] == 1


def test_get_comparison_counts_the_newest_success_of_a_seed(client: TestClient, database: Database) -> None:
    for accuracy, right in ((0.9, b"\xff\x80"), (0.1, b"\x01\x00"), (0.8, b"\xff\x00")):
        states.finish(database, accuracy, run={"correct": right})
    states.fail(database, states.start(database))
    (group,) = get(client)["groups"]
    assert (group["n"], group["n_duplicate"], group["mean"]) == (1, 3, 0.8)
    low, high = group["test_image_interval"]  # 8 of 10, resampled: a binomial law of sd 0.126
    assert (low, high) == (pytest.approx(0.5, abs=0.11), 1.0)


def test_get_comparison_pools_specs_that_differ_in_no_figure(client: TestClient, database: Database) -> None:
    states.finish(database, 0.9, seed=0, diagnostics=True)
    states.finish(database, 0.8, seed=0, diagnostics=False)
    states.finish(database, 0.7, seed=1, diagnostics=False)
    (group,) = get(client)["groups"]
    assert (group["n"], group["n_duplicate"], group["min"], group["max"]) == (2, 1, 0.7, 0.8)


def test_get_comparison_reads_image_bits_for_accuracies_alone(
    client: TestClient, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {group["test_image_interval"] is None for group in get(client, study=study)["groups"]} == {False}
    assert get(client, study=study, metric="test_loss")["groups"][0]["test_image_interval"] is None
    monkeypatch.setattr("service.storage.analysis.comparisons.MOST_IMAGE_RESULTS", 8)
    assert get(client, study=study)["groups"][0]["test_image_interval"] is None


def test_get_comparison_of_learning_speed(client: TestClient, database: Database) -> None:
    for seed, loss in enumerate((0.5, 0.4, None)):
        states.finish(database, seed=seed, run={"early_loss": loss})
    (group,) = get(client, metric="learning_speed")["groups"]
    assert group["mean"] == pytest.approx((math.log(0.5) + math.log(0.4)) / 2)
    assert (group["n"], group["n_diverged"], group["n_failed"]) == (2, 0, 1)  # one epoch: not measured, not diverged


def test_get_comparison_has_main_effects_of_two_factors(client: TestClient, database: Database) -> None:
    factors = {"activation": ["relu", "tanh"], "batch_size": [32, 64]}
    id = client.post(STUDIES, json={"factors": factors, "seeds": [0, 1, 2]}).json()["id"]
    states.finish_queued(database, lambda spec: 0.5 + spec["batch_size"] / 200 + spec["seed"] / 1000)
    by_factor = {effect["factor"]: effect for effect in get(client, study=id)["effects"]}
    assert by_factor["batch_size"]["range"] == pytest.approx(0.16)
    assert by_factor["activation"]["range"] == pytest.approx(0.0)
    assert [level["value"] for level in by_factor["batch_size"]["levels"]] == [64, 32]
    assert (by_factor["batch_size"]["n"], by_factor["batch_size"]["combinations"]) == (3, 2)


# --- ETags ---------------------------------------------------------------------------------------------------------


def test_get_comparison_answers_304_until_a_change(
    client: TestClient, database: Database, study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, query in ((f"{STUDIES}/{study}/comparison", {}), (COMPARISONS, {"study": study}), (COMPARISONS, {})):
        etag = client.get(path, params=query).headers["etag"]
        with monkeypatch.context() as patched:
            patched.setattr("service.api.routes.comparisons._compare", lambda *_: pytest.fail("compared again"))
            assert client.get(path, params=query, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("change", ["edit", "delete", "retry", "finish"])
def test_get_comparison_changes_its_etag_with_the_set(
    client: TestClient, database: Database, study: str, change: str
) -> None:
    ids = [
        experiment["id"]
        for experiment in client.get(EXPERIMENTS, params={"study": study, "sort": "id"}).json()["items"]
    ]
    client.patch(f"{EXPERIMENTS}/{ids[0]}", json={"tags": ["a"]})
    requests: list[tuple[str, dict[str, str]]] = [
        (f"{STUDIES}/{study}/comparison", {}),
        (COMPARISONS, {"study": study}),
        (COMPARISONS, {"tag": "a"}),
    ]
    before = [client.get(path, params=query).headers["etag"] for path, query in requests]
    if change == "edit":
        client.patch(f"{EXPERIMENTS}/{ids[0]}", json={"tags": []})
    elif change == "delete":
        client.delete(f"{EXPERIMENTS}/{ids[0]}")
    else:
        client.post(f"{EXPERIMENTS}/{ids[0]}/retry")
    if change == "finish":
        states.finish_queued(database, by_score)
    after = [client.get(path, params=query, headers={"If-None-Match": etag})
             for (path, query), etag in zip(requests, before, strict=True)]  # fmt: skip
    assert [answer.status_code for answer in after] == [200, 200, 200]


# --- what may not be pooled ----------------------------------------------------------------------------------------


def test_get_comparison_refuses_to_pool_different_specs(client: TestClient, database: Database) -> None:
    states.finish(database, epochs=1)
    states.finish(database, epochs=2, dropout=0)
    problem = refused(client.get(COMPARISONS), 422, at="group_by")
    assert problem["errors"][0]["code"] == "confounded"
    assert "differ in epochs, dropout" in problem["detail"]
    assert len(get(client, group_by=["activation", "epochs", "dropout"])["groups"]) == 2


def test_get_comparison_refuses_confounded_groups(client: TestClient, database: Database) -> None:
    """The effect of more epochs must not be taken for one of the activation."""
    for seed in range(3):
        states.finish(database, activation="relu", epochs=3, seed=seed, accuracy=0.97 + seed / 1000)
        states.finish(database, activation="tanh", epochs=1, seed=seed, accuracy=0.88 + seed / 1000)
    problem = refused(client.get(COMPARISONS), 422, at="group_by")
    assert "differ in epochs" in problem["detail"]
    assert len(get(client, group_by=["activation", "epochs"])["pairs"]) == 1


def test_get_comparison_ignores_fields_that_change_no_figure(client: TestClient, database: Database) -> None:
    states.finish(database, activation="relu", diagnostics=True, max_seconds=100.0)
    states.finish(database, activation="tanh", diagnostics=False)
    assert len(get(client)["groups"]) == 2


@pytest.mark.parametrize("fingerprint", [{"device": "cuda"}, {"precision": "bfloat16"}, {"code": "0.2.0"}], ids=str)
def test_get_comparison_pools_machines_with_allow_mixed(
    client: TestClient, database: Database, fingerprint: dict[str, str]
) -> None:
    states.finish(database, seed=0)
    states.finish(database, seed=1, run=fingerprint)
    problem = refused(client.get(COMPARISONS), 422, at="allow_mixed")
    assert problem["errors"][0]["code"] == "mixed_machines"
    assert next(iter(fingerprint)) in problem["detail"]
    assert get(client, allow_mixed=True)["groups"][0]["n"] == 2


@pytest.mark.parametrize("fingerprint", [{"precision": "bfloat16"}, {"code": "0.2.0"}], ids=str)
def test_get_comparison_pools_times_over_no_precisions_and_versions(
    client: TestClient, database: Database, fingerprint: dict[str, str]
) -> None:
    states.finish(database, seed=0)
    states.finish(database, seed=1, run=fingerprint)
    seconds = refused(client.get(COMPARISONS, params={"allow_mixed": True, "metric": "seconds"}), 422)
    assert "narrow the filter" in seconds["detail"]


OTHER_MACHINES: list[tuple[dict[str, Any], str]] = [
    ({"device_name": "another"}, "another, 1 thread"),
    ({"threads": 4}, "test, 4 threads"),
    ({"device": "cuda", "device_name": "a GPU"}, "a GPU, 1 thread"),
]


@pytest.mark.parametrize(("fingerprint", "name"), OTHER_MACHINES)
def test_get_comparison_groups_times_by_machine(
    client: TestClient, database: Database, fingerprint: dict[str, Any], name: str
) -> None:
    for seed in range(3):
        for activation, accuracy, seconds in (("relu", 0.9, 2.0), ("tanh", 0.8, 3.0)):
            states.finish(database, accuracy, activation=activation, seed=seed, run={"seconds": seconds + seed / 10})
            run = {"seconds": 10 * seconds + seed, **fingerprint}
            states.finish(database, accuracy, activation=activation, seed=seed, run=run)
    means = {tuple(group["factors"].values()): (group["n"], group["mean"], group["n_duplicate"])
             for group in get(client, metric="seconds")["groups"]}  # fmt: skip
    assert means == {
        ("relu", "test, 1 thread"): (3, pytest.approx(2.1), 0), ("tanh", "test, 1 thread"): (3, pytest.approx(3.1), 0),
        ("relu", name): (3, pytest.approx(21.0), 0), ("tanh", name): (3, pytest.approx(31.0), 0),
    }  # fmt: skip
    versus = json.dumps({"activation": "relu", "machine": name})
    assert get(client, metric="seconds", versus=versus)["family"]["versus"]["machine"] == name
    refused(client.get(COMPARISONS, params={"metric": "seconds", "versus": "relu"}), 422, at="versus")
    accuracy = get(client, allow_mixed=True)["groups"]
    assert [(list(group["factors"]), group["n"], group["n_duplicate"]) for group in accuracy] == [
        (["activation"], 3, 3)
    ] * 2


def test_get_comparison_of_times_on_one_machine_has_no_machine(client: TestClient, database: Database) -> None:
    for activation in ("relu", "tanh"):
        states.finish(database, activation=activation)
    comparison = get(client, metric="seconds", versus="relu")
    assert [list(group["factors"]) for group in comparison["groups"]] == [["activation"]] * 2


@states.on_sqlite
def test_get_comparison_counts_runs_without_a_time_with_their_machine(client: TestClient, database: Database) -> None:
    for seed in range(3):
        states.finish(database, seed=seed, run={"device_name": "most"})
    states.finish(database, seed=7, run={"device_name": "other"})
    for seed in (7, 8):
        states.queue(database, seed=seed)
    states.queue(database, activation="tanh")
    groups = {tuple(group["factors"].values()): (group["n"], group["n_pending"])
              for group in get(client, metric="seconds")["groups"]}  # fmt: skip
    assert groups == {
        ("relu", "most, 1 thread"): (3, 1), ("relu", "other, 1 thread"): (1, 1), ("tanh", "most, 1 thread"): (0, 1),
    }  # fmt: skip


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"group_by": "seed"}, "group_by"),
        ({"group_by": ["epochs", "epochs"]}, "group_by"),
        ({"group_by": "\0"}, "group_by"),
        ({"metric": "accuracy"}, "metric"),
        ({"dataset": "cifar"}, "dataset"),
        ({"study": "x"}, "study"),
        ({"tag": "\0"}, "tag"),
        ({"allow_mixed": "perhaps"}, "allow_mixed"),
        ({"versus": "relu"}, "versus"),
        ({"versus": ""}, "versus"),
        ({"versus": "[" * 5000}, "versus"),
        ({"versus": "9" * 5000}, "versus"),
        ({"versus": '"\\ud800"'}, "versus"),
        ({"versus": '{"\\ud800": 1}'}, "versus"),
        ({"versus": "NaN"}, "versus"),
        ({"versus": "1e400"}, "versus"),
        ({"versus": "\0"}, "versus"),
        ({"against": "relu"}, "against"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_get_comparison_refuses_invalid_queries(steady: TestClient, query: Any, where: str) -> None:
    refused(steady.get(COMPARISONS, params=query), 422, at=where)


@pytest.mark.parametrize("query", [{}, {"group_by": "activation"}])
@states.on_sqlite
def test_get_comparison_of_an_unknown_study_is_404(client: TestClient, query: dict[str, str]) -> None:
    unknown: UUID = new_id()
    refused(client.get(COMPARISONS, params={"study": str(unknown), **query}), 404, "study_not_found")


# --- groups that are the same --------------------------------------------------------------------------------------

SWISH = ("swish", "silu", {"formula": "x * sigmoid(x)"})
NAMES = [{"activation": name} for name in ("silu", "swish", "x * sigmoid(x)")]


def train_same(database: Database, **run: Any) -> None:
    """Train swish under three names, to equal bits, and relu, which happens to have the same accuracies."""
    for seed, accuracy in enumerate((0.9, 0.91, 0.93)):
        for activation in SWISH:
            states.finish(database, accuracy, run={"checksum": f"s{seed}", **run}, activation=activation, seed=seed)
        states.finish(database, accuracy, run={"checksum": f"r{seed}"}, activation="relu", seed=seed)


def test_get_comparison_merges_groups_of_equal_bits(client: TestClient, database: Database) -> None:
    train_same(database)
    comparison = get(client)
    assert [group["names"] for group in comparison["groups"]] == [[{"activation": "relu"}], NAMES]
    swish = comparison["groups"][1]
    assert (swish["factors"], swish["n"], swish["n_duplicate"]) == (NAMES[0], 3, 6)
    assert len(comparison["pairs"]) == 1
    assert get(client, versus="swish")["family"]["versus"] == {"activation": "swish"}


@states.on_sqlite
@pytest.mark.parametrize(
    "run", [{"checksum": "other"}, {"checksum": None, "correct": b"\x00\x40"}, {"torch": "2.14.0"}, {"mixed": True}]
)
def test_get_comparison_keeps_groups_of_other_bits(client: TestClient, database: Database, run: dict[str, Any]) -> None:
    states.finish(database, 0.9, run={"checksum": None, **run}, activation="swish")
    states.finish(database, 0.9, run={"checksum": None}, activation="silu")
    assert [len(group["names"]) for group in get(client)["groups"]] == [1, 1]


@states.on_sqlite
def test_get_comparison_merges_results_without_checksum(client: TestClient, database: Database) -> None:
    for activation in SWISH:
        states.finish(database, 0.9, run={"checksum": None}, activation=activation)
    assert [group["names"] for group in get(client)["groups"]] == [NAMES]


@states.on_sqlite
def test_get_comparison_keeps_the_seconds_of_equal_groups(client: TestClient, database: Database) -> None:
    train_same(database, seconds=3.0)
    assert [len(group["names"]) for group in get(client, metric="seconds")["groups"]] == [1] * 4


@pytest.mark.parametrize(
    ("format", "media_type", "suffix", "start"),
    [
        ("csv", "text/csv; charset=utf-8", "csv", "group,activation,n,"),
        ("markdown", "text/markdown; charset=utf-8", "md", "Test accuracy at the last epoch."),
        ("latex", "application/x-tex", "tex", "% Needs"),
    ],
)
def test_get_comparison_as_a_table(
    client: TestClient, study: str, format: str, media_type: str, suffix: str, start: str
) -> None:
    query = {"study": study, "versus": "relu", "format": format}
    answer = client.get(COMPARISONS, params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    name = f"comparison-test_accuracy-groups.{suffix}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.text.startswith(start)
    assert "swish" in answer.text
    known = {"If-None-Match": answer.headers["etag"]}
    assert client.get(COMPARISONS, params=query, headers=known).status_code == 304


@states.on_sqlite
def test_get_study_comparison_as_a_table_of_pairs(client: TestClient, study: str) -> None:
    answer = client.get(f"{STUDIES}/{study}/comparison", params={"format": "csv", "rows": "pairs"})
    assert answer.headers["content-disposition"] == f'attachment; filename="study-{study}-test_accuracy-pairs.csv"'
    lines = answer.text.splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["swish", "3", "tanh", "3"], ["swish", "3", "relu", "3"], ["tanh", "3", "relu", "3"],
    ]  # fmt: skip


@states.on_sqlite
def test_get_comparison_refuses_an_unknown_format(client: TestClient, study: str) -> None:
    refused(client.get(COMPARISONS, params={"study": study, "format": "pdf"}), 422, at="format")
    refused(client.get(COMPARISONS, params={"study": study, "format": "csv", "rows": "seeds"}), 422, at="rows")
