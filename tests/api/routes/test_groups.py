"""Groups with missing or non-finite figures: each has a defined answer, in JSON without NaN. The table of
docs/comparisons.md, case by case, on both databases."""

import json
from typing import Any, NoReturn

import pytest
from fastapi.testclient import TestClient

from service.domain.comparisons.curves import CURVE_METRICS
from service.domain.comparisons.metrics import METRICS
from service.domain.status import Cause
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from tests.api import states
from tests.api.serving import COMPARISONS, CURVES
from tests.making import make_epoch, make_run

SOUND = (0.90, 0.91, 0.925)


@pytest.fixture
def groups(client: TestClient, database: Database) -> TestClient:
    """Make one activation for each case."""
    for seed, accuracy in enumerate(SOUND):
        _succeed(database, "relu", seed, accuracy)
        _succeed(database, "tanh", seed, accuracy - 0.02)  # differs by the same amount at every seed
        _succeed(database, "elu", seed, 0.5)  # constant
    _succeed(database, "swish", 0, 0.95)  # one seed
    for seed in range(2):
        _succeed(database, "gelu", seed, 0.91)
    _end(database, "gelu", 2, Cause.DIVERGED)  # partly diverged
    for seed in range(3):
        _end(database, "step", seed, Cause.DIVERGED)  # nothing else
        _end(database, "mish", seed, Cause.OUT_OF_MEMORY)
    _succeed(database, "selu", 0, 0.9, loss=None)  # a test loss that was not finite
    for seed in range(3):
        states.queue(database, activation="softplus", seed=seed)
    return client


def _succeed(database: Database, activation: str, seed: int, accuracy: float, loss: float | None = 0.1) -> None:
    fence = states.start(database, activation=activation, seed=seed)
    _epochs(database, fence)
    run = make_run(accuracy)
    last = run.result.last.model_copy(update={"test_loss": loss})
    result = run.result.model_copy(update={"last": last, "early_loss": loss})
    with database.write("succeed") as session:
        transitions.succeed(session, fence, type(run)(result, weights=None))


def _end(database: Database, activation: str, seed: int, cause: Cause) -> None:
    fence = states.start(database, activation=activation, seed=seed)
    _epochs(database, fence, train_loss=None, non_finite=["train_loss"])
    states.fail(database, fence, cause)


def _epochs(database: Database, fence: Fence, **second: Any) -> None:
    for epoch in (1, 2):
        with database.write("epoch") as session:
            transitions.record_epoch(session, fence, make_epoch(epoch, **(second if epoch == 2 else {})))


def get(client: TestClient, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = json.loads(answer.text, parse_constant=_refuse)
    return body


def _refuse(constant: str) -> NoReturn:
    pytest.fail(f"{constant} is no JSON")


COUNTS = {"n", "n_duplicate", "n_diverged", "n_failed", "n_pending"}


def test_get_comparison_describes_each_group(groups: TestClient) -> None:
    compared = get(groups, COMPARISONS)
    by_name = {group["factors"]["activation"]: group for group in compared["groups"]}
    counts = {name: {count: value for count, value in group.items() if count in COUNTS and value}
              for name, group in by_name.items()}  # fmt: skip
    assert counts == {
        "relu": {"n": 3}, "tanh": {"n": 3}, "elu": {"n": 3}, "swish": {"n": 1}, "selu": {"n": 1},
        "gelu": {"n": 2, "n_diverged": 1}, "step": {"n_diverged": 3}, "mish": {"n_failed": 3},
        "softplus": {"n_pending": 3},
    }  # fmt: skip
    assert (by_name["elu"]["sd"], by_name["elu"]["interval"]) == (0.0, [0.5, 0.5])
    assert (by_name["swish"]["mean"], by_name["swish"]["sd"], by_name["swish"]["interval"]) == (0.95, None, None)
    for empty in ("step", "mish", "softplus"):
        assert [by_name[empty][name] for name in ("mean", "sd", "median", "min", "max", "interval")] == [None] * 6
    assert {group["factors"]["activation"] for group in compared["groups"][-3:]} == {"step", "mish", "softplus"}
    assert {tuple(by_name[name]["rank"]) for name in ("swish", "step", "mish", "softplus")} == {(1, 9)}


def test_get_comparison_tests_each_pair(groups: TestClient) -> None:
    versus = get(groups, COMPARISONS, versus="relu")
    pairs = {pair["a"]["activation"]: pair for pair in versus["pairs"]}
    verdicts = {name: pair["verdict"] for name, pair in pairs.items()}
    assert verdicts == {
        "tanh": "undecided", "elu": "worse", "swish": "not tested", "selu": "not tested",
        "gelu": "undecided (diverged)", "step": "undecided (diverged)", "mish": "not tested",
        "softplus": "not tested",
    }  # fmt: skip
    constant = pairs["tanh"]
    assert (constant["test"], constant["p_attainable"]) == ("Welch t of log errors", 0.1)
    assert constant["interval"][0] < -0.02 < constant["interval"][1]
    assert constant["difference"] == pytest.approx(-0.02)
    assert (pairs["step"]["difference"], pairs["step"]["p"]) == (None, None)
    assert pairs["step"]["diverged"] == {"rate_a": 1.0, "rate_b": 0.0, "fisher_p": 0.1}
    assert (pairs["softplus"]["difference"], pairs["softplus"]["p_holm"]) == (None, None)


def test_get_comparison_counts_non_finite_figures_as_diverged(groups: TestClient) -> None:
    for metric, expected in (("test_loss", (0, 1, 0)), ("learning_speed", (0, 0, 1)), ("test_accuracy", (1, 0, 0))):
        by_name = {group["factors"]["activation"]: group for group in get(groups, COMPARISONS, metric=metric)["groups"]}
        selu = by_name["selu"]
        assert (selu["n"], selu["n_diverged"], selu["n_failed"]) == expected, metric


def test_get_comparison_has_no_nan_in_any_metric(groups: TestClient) -> None:
    for metric in METRICS:
        get(groups, COMPARISONS, metric=metric)
    for metric in CURVE_METRICS:
        get(groups, CURVES, metric=metric, seeds=True)


def test_get_curves_of_each_group(groups: TestClient) -> None:
    by_name = {group["factors"]["activation"]: group for group in get(groups, CURVES, metric="train_loss")["groups"]}
    shown = {name: (group["n"], group["n_non_finite"], group["n_diverged"]) for name, group in by_name.items()}
    assert shown["relu"] == ([3, 3], [0, 0], 0)
    assert shown["swish"] == ([1, 1], [0, 0], 0)
    assert shown["gelu"] == ([3, 2], [0, 1], 1)
    assert shown["step"] == ([3, 0], [0, 3], 3)
    assert shown["mish"] == ([3, 0], [0, 3], 0)
    assert shown["softplus"] == ([], [], 0)
    assert (by_name["swish"]["mean"], by_name["swish"]["low"]) == ([0.5, 0.5], [None, None])
    assert (by_name["relu"]["low"], by_name["relu"]["high"]) == ([0.5, 0.5], [0.5, 0.5])
    assert (by_name["step"]["mean"], by_name["step"]["high"]) == ([0.5, None], [0.5, None])
