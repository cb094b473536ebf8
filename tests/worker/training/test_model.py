import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from service.domain.activations.catalogue import CATALOGUE
from service.domain.spec import ExperimentSpec
from tests.worker.make import make_spec
from worker.training.model import Network, momentum_at
from worker.training.randomness import Streams


def make_network(**overrides: Any) -> Network:
    spec = make_spec(**overrides)
    return Network(spec, Streams(spec.seed))


def images(count: int = 4) -> Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def test_network_has_the_articles_number_of_parameters() -> None:
    spec = ExperimentSpec.model_validate({"activation": "relu"})
    assert Network(spec, Streams(0)).parameter_counts() == (1_200_778, 1_200_330)


@pytest.mark.parametrize("pool", ["max", "avg"])
@pytest.mark.parametrize("norm", [True, False])
def test_network_computes_what_the_article_describes(pool: str, norm: bool) -> None:
    network = make_network(model={"pool": pool, "batch_norm": norm, "dense_layers": 2}).eval()
    weights = {name.replace("blocks.", ""): tensor for name, tensor in network.state_dict().items()}
    for tensor in weights.values():
        tensor.add_(torch.rand(tensor.shape, generator=torch.Generator().manual_seed(1)) * 0.1)

    def activated(name: str, x: Tensor) -> Tensor:
        if norm:
            mean, variance = weights[f"{name}.norm.running_mean"], weights[f"{name}.norm.running_variance"]
            shape = (1, -1) + (1,) * (x.dim() - 2)
            x = (x - mean.view(shape)) / (variance.view(shape) + 1e-3).sqrt()
            x = x * weights[f"{name}.norm.weight"].view(shape) + weights[f"{name}.norm.bias"].view(shape)
        return x.clamp(min=0)

    def bias(name: str) -> Tensor | None:
        return None if norm else weights[f"{name}.kernel.bias"]

    x = activated("conv1", F.conv2d(images(), weights["conv1.kernel.weight"], bias("conv1")))
    x = activated("conv2", F.conv2d(x, weights["conv2.kernel.weight"], bias("conv2")))
    windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)  # (N, channels, 12, 12, 4)
    x = windows.amax(4) if pool == "max" else windows.mean(4)
    x = torch.stack([x[:, :, row, column] for row in range(12) for column in range(12)], dim=1).flatten(1)
    for name in ("dense1", "dense2"):
        x = activated(name, F.linear(x, weights[f"{name}.kernel.weight"], bias(name)))
    expected = F.linear(x, weights["output.weight"], weights["output.bias"])
    torch.testing.assert_close(network(images()), expected)


@pytest.mark.parametrize("activation", sorted(name for name, row in CATALOGUE.items() if row.non_decreasing))
def test_block_pools_first_without_changing_values(activation: str) -> None:
    network = make_network(activation=activation).eval()
    first = network(images())
    network.named_blocks()["conv2"].pool_first = False
    assert torch.equal(network(images()), first)


@pytest.mark.parametrize(
    ("activation", "pool", "first"), [("relu", "max", True), ("relu", "avg", False), ("swish", "max", False)]
)
def test_block_pools_first_only_where_pooling_commutes(activation: str, pool: str, first: bool) -> None:
    network = make_network(activation=activation, model={"pool": pool})
    assert network.named_blocks()["conv2"].pool_first is first


@pytest.mark.parametrize("activation", sorted(CATALOGUE))
def test_network_has_finite_logits_and_gradients(activation: str) -> None:
    network = make_network(activation=activation)
    network(images()).square().sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_network_gives_biases_before_batch_norm_no_gradient() -> None:
    network = make_network()
    network(images()).sum().backward()
    assert network.get_parameter("blocks.conv1.kernel.bias").grad is None
    assert network.get_parameter("output.bias").grad is not None


def test_network_starts_with_the_same_weights_for_compared_specs() -> None:
    first = make_network().state_dict()
    for other in ({"activation": "tanh"}, {"dropout": 0.0}, {"batch_size": 8}):
        for name, tensor in make_network(**other).state_dict().items():
            assert torch.equal(tensor, first[name]), (other, name)


def test_network_starts_with_other_weights_for_another_seed() -> None:
    assert not torch.equal(make_network(seed=1).output.weight, make_network(seed=2).output.weight)


@pytest.mark.parametrize(
    ("init", "activation", "deviation"),
    [
        ("glorot_uniform", "relu", math.sqrt(2 / (2 * 400))),
        ("he_normal", "tanh", math.sqrt(2 / 400)),
        ("recommended", "relu", math.sqrt(2 / 400)),
        ("recommended", "selu", math.sqrt(1 / 400)),
        ("recommended", "tanh", math.sqrt(2 / (2 * 400))),
    ],
)
def test_initialise_has_the_stated_variance(init: str, activation: str, deviation: float) -> None:
    network = make_network(activation=activation, model={"init": init, "dense_units": 400, "dense_layers": 2})
    kernel = network.get_parameter("blocks.dense2.kernel.weight")  # (400, 400)
    assert kernel.std().item() == pytest.approx(deviation, rel=0.01)
    assert not network.get_parameter("output.bias").any()


@pytest.mark.parametrize("activation", sorted(CATALOGUE))
def test_initialise_knows_every_recommendation(activation: str) -> None:
    assert make_network(activation=activation, model={"init": "recommended"}).output.weight.any()


@pytest.mark.parametrize(
    ("step", "steps_per_epoch", "momentum"),
    [(1, 422, 1.0), (2, 422, 0.5), (1000, 422, 0.01), (1000, 60, 0.07), (1000, 3, 0.1)],
)
def test_momentum_at(step: int, steps_per_epoch: int, momentum: float) -> None:
    assert momentum_at(step, steps_per_epoch) == pytest.approx(momentum)
