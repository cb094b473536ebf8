"""Whether a network is one linear layer: linear ones are, and a single bend shows."""

from typing import Any

import pytest
import torch

from service.domain.spec import ExperimentSpec
from tests.worker.make import make_data, make_execution, make_spec
from worker.training.diagnostics.collapse import linear_collapse, may_collapse
from worker.training.loop import train

DATA = make_data()


def trained(**overrides: Any) -> tuple[ExperimentSpec, dict[str, torch.Tensor]]:
    spec = make_spec(**{"activation": "linear", "epochs": 1, **overrides})
    return spec, train(spec, DATA, make_execution(spec)).last


@pytest.mark.parametrize("depth", [1, 10])
def test_a_trained_network_of_linear_layers_is_one_linear_layer(depth: int) -> None:
    spec, weights = trained(model={"pool": "avg", "dense_layers": depth})
    found = linear_collapse(spec, weights, DATA.test_images)
    assert (found.inputs, found.images, found.collapsed) == (785, 50, True)
    assert found.largest_difference is not None
    assert found.largest_difference < 1e-9


@pytest.mark.parametrize("bend", [{"activation": "relu"}, {"model": {"pool": "max"}}, {"activation": "tanh"}])
def test_one_that_bends_is_not(bend: dict[str, Any]) -> None:
    model = {"pool": "avg"} | bend.get("model", {})
    spec, weights = trained(**bend | {"model": model})
    found = linear_collapse(spec, weights, DATA.test_images)
    assert not found.collapsed
    assert found.largest_difference is not None
    assert found.largest_difference > 1e-3


def test_what_is_not_finite_has_not_collapsed() -> None:
    spec, weights = trained(model={"pool": "avg"})
    weights["output.bias"][0] = torch.nan
    found = linear_collapse(spec, weights, DATA.test_images)
    assert (found.largest_difference, found.collapsed) == (None, False)


@pytest.mark.parametrize(
    ("overrides", "may"),
    [
        ({"model": {"pool": "avg"}}, True),
        ({"model": {"pool": "avg"}, "activation": {"formula": "x"}}, True),
        ({"model": {"pool": "max"}}, False),
        ({"model": {"pool": "avg"}, "activation": "relu"}, False),
    ],
)
def test_which_networks_may(overrides: dict[str, Any], may: bool) -> None:
    assert may_collapse(make_spec(**{"activation": "linear", **overrides})) == may


def test_hooks_are_called_while_it_looks() -> None:
    calls: list[None] = []
    spec, weights = trained(model={"pool": "avg"})
    linear_collapse(spec, weights, DATA.test_images, lambda: calls.append(None))
    assert len(calls) == 8 + 1
