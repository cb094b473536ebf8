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
def test_linear_collapse_of_linear_layers(depth: int) -> None:
    spec, weights = trained(model={"pool": "avg", "dense_layers": depth})
    collapse = linear_collapse(spec, weights, DATA.test_images)
    assert (collapse.inputs, collapse.images, collapse.collapsed) == (785, 50, True)
    assert collapse.largest_difference is not None
    assert collapse.largest_difference < 1e-9


@pytest.mark.parametrize("bend", [{"activation": "relu"}, {"model": {"pool": "max"}}, {"activation": "tanh"}])
def test_linear_collapse_refuses_a_nonlinear_network(bend: dict[str, Any]) -> None:
    model = {"pool": "avg"} | bend.get("model", {})
    spec, weights = trained(**bend | {"model": model})
    collapse = linear_collapse(spec, weights, DATA.test_images)
    assert not collapse.collapsed
    assert collapse.largest_difference is not None
    assert collapse.largest_difference > 1e-3


def test_linear_collapse_is_false_for_non_finite_weights() -> None:
    spec, weights = trained(model={"pool": "avg"})
    weights["output.bias"][0] = torch.nan
    collapse = linear_collapse(spec, weights, DATA.test_images)
    assert (collapse.largest_difference, collapse.collapsed) == (None, False)


@pytest.mark.parametrize(
    ("overrides", "may"),
    [
        ({"model": {"pool": "avg"}}, True),
        ({"model": {"pool": "avg"}, "activation": {"formula": "x"}}, True),
        ({"model": {"pool": "max"}}, False),
        ({"model": {"pool": "avg"}, "activation": "relu"}, False),
    ],
)
def test_may_collapse(overrides: dict[str, Any], may: bool) -> None:
    assert may_collapse(make_spec(**{"activation": "linear", **overrides})) == may


def test_linear_collapse_calls_its_hook_after_each_chunk() -> None:
    calls: list[None] = []
    spec, weights = trained(model={"pool": "avg"})
    linear_collapse(spec, weights, DATA.test_images, lambda: calls.append(None))
    assert len(calls) == 8 + 1
