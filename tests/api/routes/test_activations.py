"""The catalogue over HTTP, curves, and previews of formulas."""

import math
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.domain.activations.catalogue import CATALOGUE
from tests.api.problems import refused
from tests.api.serving import ACTIVATIONS, EXPERIMENTS

PREVIEW = f"{ACTIVATIONS}/preview"


def curve(client: TestClient, name: str, **query: Any) -> dict[str, list[Any]]:
    answer = client.get(f"{ACTIVATIONS}/{name}/curve", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, list[Any]] = answer.json()
    return body


def preview(client: TestClient, formula: str, **parameters: Any) -> dict[str, Any]:
    answer = client.post(PREVIEW, json={"formula": formula, "parameters": parameters})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


# --- the catalogue -------------------------------------------------------------------------------------------------


def test_list_activations_has_every_function_with_its_properties(steady: TestClient) -> None:
    items = steady.get(ACTIVATIONS).json()["items"]
    assert [item["name"] for item in items] == list(CATALOGUE)
    for item in items:
        assert item["latex"]
        assert (item["derivative"] is None) == (item["derivative_latex"] is None) == (item["name"] == "softmax")
        assert item["recommended_initialisation"]["source"]
        assert item["advice"]["text"]
        assert item["advice"]["source"]
        assert item["known_problem"]["text"]
        assert item["known_problem"]["source"]


def test_get_activation_equals_the_item_of_the_list(steady: TestClient) -> None:
    for item in steady.get(ACTIVATIONS).json()["items"]:
        assert steady.get(f"{ACTIVATIONS}/{item['name']}").json() == item


def test_get_activation_has_the_properties_of_the_function(steady: TestClient) -> None:
    body = steady.get(f"{ACTIVATIONS}/swish").json()
    assert body["properties"]["range"] == [pytest.approx(-0.278465, abs=1e-6), None]
    assert body["properties"]["monotonic"] == "neither"
    assert body["derivative"] == "sigmoid(beta * x) + x * sigmoid(beta * x) * sigmoid(-(beta * x)) * beta"
    assert set(steady.get(f"{ACTIVATIONS}/softmax").json()["properties"].values()) == {None}


@pytest.mark.parametrize("name", ["nothing", "relu7", "x" * 60])
def test_get_activation_of_an_unknown_name_is_404(steady: TestClient, name: str) -> None:
    for path in (name, f"{name}/curve"):
        assert "relu6" in refused(steady.get(f"{ACTIVATIONS}/{path}"), 404, "activation_not_found")["detail"]


@pytest.mark.parametrize("name", ["RELU", "%00", "x" * 3000, "relu%20", "%ff", "%2e%2e"])
def test_get_activation_of_a_malformed_name_is_422(steady: TestClient, name: str) -> None:
    for path in (name, f"{name}/curve"):
        refused(steady.get(f"{ACTIVATIONS}/{path}"), 422, at="name")


# --- curves --------------------------------------------------------------------------------------------------------


def test_get_curve_has_points_and_slopes(steady: TestClient) -> None:
    body = curve(steady, "relu", **{"from": -1, "to": 1, "points": 5})
    assert body == {"x": [-1, -0.5, 0, 0.5, 1], "y": [0, 0, 0, 0.5, 1], "dy": [0, 0, 0, 1, 1]}


def test_get_curve_uses_parameters(steady: TestClient) -> None:
    body = curve(steady, "leaky_relu", **{"from": -2, "to": 2, "points": 2, "parameters": '{"slope": 0.5}'})
    assert body == {"x": [-2, 2], "y": [-1, 2], "dy": [0.5, 1]}


@pytest.mark.parametrize("name", CATALOGUE)
def test_get_curve_is_finite_and_quick_for_every_function(steady: TestClient, name: str) -> None:
    started = time.perf_counter()
    body = curve(steady, name, **{"from": -1e4, "to": 1e4, "points": 2001})
    assert time.perf_counter() - started < 0.1
    assert [len(body[axis]) for axis in ("x", "y", "dy")] == [2001] * 3
    values = {value is None or math.isfinite(value) for value in body["y"] + body["dy"]}
    assert values == {True}
    assert (None in body["y"]) == (name == "softmax")


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"from": 1, "to": 1}, "to"), ({"from": "nan"}, "from"), ({"to": "inf"}, "to"), ({"to": 1e7}, "to"),
        ({"points": 1}, "points"), ({"points": 2002}, "points"), ({"parameters": "{"}, "parameters"),
        ({"parameters": "[1]"}, "parameters"), ({"parameters": '{"alpha": 1}'}, "parameters"),
        ({"parameters": '{"beta": -1}'}, "parameters"), ({"parameters": '{"beta": NaN}'}, "parameters"),
        ({"parameters": "[" * 999}, "parameters"), ({"parameters": '{"\\ud800": 1}'}, "parameters"),
        ({"beta": 1}, "beta"),
    ],
    ids=str,
)  # fmt: skip
def test_get_curve_refuses_invalid_parameters(steady: TestClient, query: dict[str, Any], at: str) -> None:
    refused(steady.get(f"{ACTIVATIONS}/swish/curve", params=query), 422, at=at)


# --- previews ------------------------------------------------------------------------------------------------------


def test_preview_activation_describes_a_formula(steady: TestClient) -> None:
    body = preview(steady, "x*tanh( softplus(a*x) )", a={"value": 0.1, "learnable": True})
    assert body["formula"] == "x * tanh(softplus(a * x))"
    assert body["parameters"] == {"a": {"value": 0.1, "learnable": True}}
    assert body["same_as"] is None
    assert body["latex"] == r"x \, \tanh\left(\operatorname{softplus}\left(a \, x\right)\right)"
    assert body["derivative_latex"]
    assert body["properties"]["slope_at_0"] == pytest.approx(0.6)
    assert [len(body["curve"][axis]) for axis in ("x", "y", "dy")] == [241] * 3
    assert body["curve"]["x"][120] == 0
    assert body["curve"]["y"][120] == 0
    cost = body["estimated_cost"]
    assert (cost["nodes"], cost["fused"], cost["intermediate_tensors"]) == (7, False, 2)
    assert cost["bytes_per_batch"] == 2 * 4 * 128 * (26 * 26 * 32 + 24 * 24 * 64 + 128)


def test_preview_activation_recognises_a_catalogue_function(steady: TestClient) -> None:
    body = preview(steady, "x / (1 + exp(-x))")
    assert (body["formula"], body["computed_as"]) == ("x / (1 + exp(-x))", "x * sigmoid(x)")
    assert (body["same_as"], body["estimated_cost"]["intermediate_tensors"]) == ("silu", 1)


def test_preview_activation_of_a_catalogue_function_with_parameters(steady: TestClient) -> None:
    answer = steady.post(PREVIEW, json={"name": "swish", "parameters": {"beta": 0}})
    assert answer.json()["properties"]["monotonic"] == "non_decreasing"
    assert answer.json()["formula"] == "x * sigmoid(beta * x)"


@pytest.mark.parametrize(
    "formula", ["1 / x", "log(x)", "x ** 0.5", "exp(exp(2 * x))", "0 / 0", "softmax(x)", "softmax(1)"]
)
def test_preview_activation_has_null_for_non_finite_values(steady: TestClient, formula: str) -> None:
    body = preview(steady, formula)
    assert None in body["curve"]["y"] + body["curve"]["dy"]
    assert "NaN" not in str(body)


@pytest.mark.parametrize(
    ("formula", "column"), [("x +", 4), ("x * y", 5), ("x ^ 2", 3), ("", 1), ("x.__class__", 2), ("1e31 * x", 1)]
)
def test_preview_activation_points_at_a_wrong_formula(steady: TestClient, formula: str, column: int) -> None:
    (item,) = refused(steady.post(PREVIEW, json={"formula": formula}), 422, at="/formula")["errors"]
    assert item["column"] == column
    assert item["code"] == "invalid_formula"
    assert item["detail"].startswith(f"Column {column}: found ")


@pytest.mark.parametrize(
    "body",
    [
        "{}", "[]", "null", '"relu"', '{"formula": 1}', '{"formula": "x", "name": "relu"}', '{"formula": "\\ud800"}',
        '{"name": "relu", "parameters": {"\\ud800": 1}}',
    ],
)  # fmt: skip
def test_preview_activation_refuses_invalid_bodies(steady: TestClient, body: str) -> None:
    refused(steady.post(PREVIEW, content=body, headers={"Content-Type": "application/json"}), 422)


def test_wrong_formula_is_reported_with_its_column_on_every_route(steady: TestClient) -> None:
    spec = {"activation": {"formula": "x * sigmod(x)"}}
    (item,) = refused(steady.post(EXPERIMENTS, json=spec), 422, at="/activation/formula")["errors"]
    assert item["column"] == 5
    study = {"factors": {"activation": ["relu", spec["activation"]]}, "seeds": [0]}
    (item,) = refused(steady.post("/api/v1/studies", json=study), 422)["errors"]
    assert item["column"] == 5


NOWHERE_FINITE = ["9**9**9**9", "log(-1 - x**2)", "sqrt(-1 - abs(x))", "sqrt(-1) * x", "softmax(x) / 0"]


@pytest.mark.parametrize("formula", NOWHERE_FINITE)
def test_formula_that_is_nowhere_finite_is_refused_where_it_would_be_trained(steady: TestClient, formula: str) -> None:
    own = {"formula": formula}
    (item,) = refused(steady.post(EXPERIMENTS, json={"activation": own}), 422, at="/activation/formula")["errors"]
    assert item["code"] == "nowhere_finite"
    assert "finite value" in item["detail"]
    study = {"factors": {"activation": ["relu", own]}, "seeds": [0]}
    assert refused(steady.post("/api/v1/studies", json=study), 422)["errors"][0]["code"] == "nowhere_finite"
    refused(steady.post(ACTIVATIONS, json={"name": "mine", **own}), 422)
    assert preview(steady, formula)["properties"]["defined"] is not True


def test_submit_experiment_accepts_a_formula_that_is_finite_somewhere(client: TestClient) -> None:
    for formula in ("log(x)", "1 / x", "sqrt(x - 9999)", "exp(exp(x * x))", "softmax(x) / x"):
        assert client.post(EXPERIMENTS, json={"activation": {"formula": formula}}).status_code == 202, formula


def test_submit_experiment_stores_the_formula(client: TestClient) -> None:
    sent = {"formula": "x*sigmoid( a*x )", "parameters": {"a": {"value": 0.5, "learnable": True}}}
    stored = client.post(EXPERIMENTS, json={"activation": sent}).json()["spec"]["activation"]
    assert stored == {"formula": "x * sigmoid(a * x)", "parameters": {"a": {"value": 0.5, "learnable": True}}}
    body = client.get(EXPERIMENTS, params={"activation": "x * sigmoid(a * x) (a=0.5 learnable)"}).json()["items"]
    assert [item["spec"]["activation"] for item in body] == [stored]
