import ast
import re
from pathlib import Path
from typing import Any

import pytest

from service.domain.network import HEAD, LAYER_PATTERN, activated_elements, layer_names, layers, output_units
from service.domain.spec import ExperimentSpec

ROOT = Path(__file__).parents[2]


def make_spec(**fields: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate({"activation": "relu"} | fields)


def test_layers_of_the_articles_network() -> None:
    rows = [(layer.name, layer.inputs, layer.outputs, layer.pooled_outputs) for layer in layers(make_spec())]
    assert rows == [
        ("conv1", (1, 28, 28), (32, 26, 26), (32, 26, 26)),
        ("conv2", (32, 26, 26), (64, 24, 24), (64, 12, 12)),
        ("dense1", (9216,), (128,), (128,)),
        ("output", (128,), (10,), (10,)),
    ]


def test_layers_without_convolutions_start_from_all_pixels() -> None:
    assert layers(make_spec(model={"conv_channels": [], "dense_layers": 0}))[0].inputs == (784,)


@pytest.mark.parametrize(
    ("model", "regularised"),
    [
        ({}, ["conv1", "conv2", "dense1"]),
        ({"dense_layers": 3}, ["conv1", "conv2", "dense1"]),
        ({"conv_channels": []}, ["dense1"]),
        ({"conv_channels": [], "dense_layers": 0}, []),
    ],
    ids=str,
)
def test_layers_regularises_convolutions_and_the_first_dense_layer(
    model: dict[str, Any], regularised: list[str]
) -> None:
    assert [layer.name for layer in layers(make_spec(model=model)) if layer.regularised] == regularised


@pytest.mark.parametrize("model", [{}, {"conv_channels": []}, {"dense_layers": 0}, {"dense_layers": 20}], ids=str)
def test_layer_names_are_those_of_the_layers(model: dict[str, Any]) -> None:
    spec = make_spec(model=model)
    assert layer_names(spec.model) == [layer.name for layer in layers(spec)]


def test_layer_pattern_matches_the_names_of_the_deepest_network_alone() -> None:
    names = layer_names(make_spec(model={"dense_layers": 20}).model)
    assert all(re.match(LAYER_PATTERN, name) for name in names)
    assert not any(re.match(LAYER_PATTERN, name) for name in ("conv0", "conv3", "dense0", "dense21", "dense", "head"))


@pytest.mark.parametrize(
    ("classes", "output", "units"),
    [(None, "softmax", 10), ([1, 7], "softmax", 2), ([1, 7], "sigmoid", 1), ([1, 2, 7], "sigmoid", 3)],
)
def test_output_units(classes: list[int] | None, output: str, units: int) -> None:
    assert output_units(make_spec(classes=classes, output=output)) == units


def test_activated_elements_counts_a_batch_before_pooling() -> None:
    assert activated_elements(make_spec()) == 128 * (26 * 26 * 32 + 24 * 24 * 64 + 128)


@pytest.mark.parametrize("part", ["actlab", "benchmarks", "service", "worker"])
def test_layer_names_are_spelt_in_no_other_module(part: str) -> None:
    """HEAD is left out: `output` is also a field of the spec."""
    spelt = {
        (str(file.relative_to(ROOT)), node.value)
        for file in (ROOT / part).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(LAYER_PATTERN, node.value)
    }
    assert {file for file, name in spelt if name != HEAD} <= {"service/domain/network.py"}
