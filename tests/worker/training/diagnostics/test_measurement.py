"""Diagnostics of networks that are built so that the right figure is known."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from service.domain.diagnostics import MEASURES, LayerDiagnostics
from tests.worker.make import make_data, make_execution, make_spec
from worker.training.datasets.tensors import Dataset
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.diagnostics.probe import probe, probe_size
from worker.training.diagnostics.updates import kernels
from worker.training.evaluation import losses, scaled
from worker.training.model import Block
from worker.training.state import TrainingState

DATA = make_data()


def make_state(data: Dataset = DATA, **spec: Any) -> TrainingState:
    """A network of 3 and 4 channels and 8 neurons before its first step; without batch normalisation unless told."""
    model = {"batch_norm": False} | spec.pop("model", {})
    made = make_spec(**spec, model=model)
    return TrainingState(made, data, make_execution(made))


def measured(state: TrainingState) -> dict[str, LayerDiagnostics]:
    return {layer.layer: layer for layer in Diagnostics().measure(state)}


def constant(block: Block, values: list[float]) -> None:
    """Let each unit's input be one number, for every image and at every place."""
    block.kernel.weight.data.zero_()
    block.kernel.bias.data.copy_(torch.tensor(values))


def block(state: TrainingState, name: str) -> Block:
    return state.network.named_blocks()[name]


# --- shares --------------------------------------------------------------------------------------------------------


def test_dead_share_counts_dead_relu_units() -> None:
    state = make_state()
    constant(block(state, "conv2"), [-1.0, 1.0, -0.5, -2.0])
    constant(block(state, "dense1"), [-1.0] * 3 + [1.0] * 5)
    layers = measured(state)
    for name, share in (("conv2", 0.75), ("dense1", 0.375)):
        layer = layers[name]
        assert (layer.dead_share, layer.inactive_share) == (share, share)
        assert (layer.zero_share, layer.saturated_share) == (share, share)


def test_dead_share_excludes_a_unit_active_for_one_image() -> None:
    """The kernel sees one pixel, and it is bright in one of 128 training images."""
    state = make_state()
    images = torch.zeros_like(DATA.train_images)
    images[state.train_positions[17], 0, 10, 10] = 255
    state = make_state(data=replace(DATA, train_images=images))
    constant(block(state, "conv1"), [-0.5, -0.5, -1.5])
    block(state, "conv1").kernel.weight.data[:, 0, 1, 1] = 1.0
    layer = measured(state)["conv1"]
    assert layer.dead_share == pytest.approx(1 / 3, abs=1e-12)
    assert layer.zero_share == pytest.approx(1 - 2 / (3 * 128 * 26 * 26), abs=1e-12)


def test_zero_share_is_that_of_dark_pixels() -> None:
    """A kernel of its centre alone lets conv1 be the image, moved down by the bias."""
    state = make_state()
    constant(block(state, "conv1"), [-0.25] * 3)
    block(state, "conv1").kernel.weight.data[:, 0, 1, 1] = 1.0
    inner = DATA.train_images[state.train_positions, 0, 1:-1, 1:-1].numpy() / np.float32(255)
    layer = measured(state)["conv1"]
    assert layer.zero_share == np.mean(inner <= 0.25)
    assert layer.mean_before == pytest.approx(inner.mean() - 0.25, abs=1e-6)
    assert layer.sd_before == pytest.approx(inner.std(), rel=1e-5)
    assert layer.mean_after == pytest.approx(np.maximum(inner - 0.25, 0).mean(), abs=1e-6)
    assert layer.sd_after == pytest.approx(np.maximum(inner - 0.25, 0).std(), rel=1e-5)


@pytest.mark.parametrize(
    ("activation", "inputs", "share"),
    [
        ("tanh", [-4.0, 0.0, 3.3, 3.4], 0.5),
        ("sigmoid", [-6.6, -6.7, 6.6, 6.7], 0.5),
        ("hard_tanh", [-1.0, 0.99, 2.0, -0.99], 0.5),
        ("swish", [-1.2784645, -8.0, 8.0, 0.0], 0.25),  # at its minimum it is not saturated
        ("relu6", [-1.0, 3.0, 7.0, 6.0], 0.75),
    ],
)
def test_saturated_share_counts_saturated_elements(activation: str, inputs: list[float], share: float) -> None:
    state = make_state(activation=activation)
    constant(block(state, "conv2"), inputs)
    assert measured(state)["conv2"].saturated_share == share


def test_leaky_units_are_inactive_but_never_dead() -> None:
    state = make_state(activation="leaky_relu")
    constant(block(state, "conv2"), [-1.0, 0.0, 1.0, -3.0])
    layer = measured(state)["conv2"]
    assert (layer.dead_share, layer.saturated_share, layer.inactive_share) == (None, None, 0.75)
    assert layer.zero_share == 0.25


@pytest.mark.parametrize(
    ("activation", "undefined"),
    [
        ("linear", {"saturated_share", "dead_share", "inactive_share"}),
        ("step", {"saturated_share", "dead_share", "inactive_share"}),
        ("softmax", {"saturated_share", "dead_share", "inactive_share"}),
        ("sine", {"saturated_share", "dead_share", "inactive_share"}),
        ("tanh", {"dead_share", "inactive_share"}),
        ("prelu", {"saturated_share", "dead_share"}),
        ("relu_squared", {"saturated_share"}),
        ("relu", set()),
    ],
)
def test_measure_gives_null_for_undefined_figures(activation: str, undefined: set[str]) -> None:
    layer = measured(make_state(activation=activation))["dense1"]
    null = {name for name in MEASURES if getattr(layer, name) is None}
    assert null == undefined | {"update_ratio", "dead_share_confirmed"}
    assert layer.non_finite == []


def test_measure_of_the_head_has_no_activation() -> None:
    layer = measured(make_state())["output"]
    assert layer.units == 10
    assert layer.position == 3
    assert layer.mean_before is not None
    assert layer.gradient_norm
    assert layer.mean_after is layer.zero_share is layer.saturated_share is layer.dead_share is None


def test_measure_counts_all_elements_where_pooling_comes_first() -> None:
    state = make_state()
    first = measured(state)["conv2"]
    assert block(state, "conv2").pool_first
    block(state, "conv2").pool_first = False
    assert measured(state)["conv2"] == first


def test_zero_share_of_relu_is_half_at_the_start_with_batch_norm() -> None:
    layers = measured(make_state(model={"batch_norm": True}))
    for name in ("conv1", "conv2", "dense1"):
        assert layers[name].zero_share == pytest.approx(0.5, abs=0.1)
        assert layers[name].mean_before == pytest.approx(0, abs=1e-5)
        assert layers[name].sd_before == pytest.approx(1, abs=0.05)


# --- gradients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rest", [{}, {"output": "sigmoid", "classes": [1, 7]}, {"optimizer": {"l2": 1.0}}])
def test_gradient_norm_is_that_of_the_cross_entropy_alone(rest: dict[str, Any]) -> None:
    """The gradient is that of all 128 training images, of which the probe has all."""
    state = make_state(activation="tanh", dropout=0.5, **rest)
    layers = measured(state)
    network = state.network.eval()
    images = scaled(DATA.train_images[state.train_positions])
    targets = state.train_targets[state.train_positions]
    torch.autograd.backward(losses(network(images), targets, state.spec.output).mean())
    for name, kernel in kernels(network).items():
        assert kernel.grad is not None
        norm = kernel.grad.norm().item()
        assert layers[name].gradient_norm == pytest.approx(norm, rel=1e-4)
        assert layers[name].gradient_rms == pytest.approx(norm / math.sqrt(kernel.numel()), rel=1e-4)


def test_gradient_norm_of_step_is_zero_below_the_head() -> None:
    layers = measured(make_state(activation="step", model={"dense_layers": 3}))
    assert [layers[name].gradient_norm for name in layers if name != "output"] == [0.0] * 5
    assert layers["output"].gradient_norm
    through = {"name": "step", "parameters": {"straight_through": 1}}
    assert all(layer.gradient_norm for layer in measured(make_state(activation=through)).values())


def test_gradient_norm_is_zero_for_a_constant_formula() -> None:
    layers = measured(make_state(activation={"formula": "1"}))
    assert layers["conv1"].gradient_norm == layers["dense1"].gradient_norm == 0.0


def test_gradient_norm_vanishes_through_ten_sigmoid_layers() -> None:
    """Measured at the start, without batch normalisation, in the first dense layer."""
    first: dict[str, float] = {}
    for activation in ("relu", "sigmoid"):
        deep = {"dense_layers": 10, "dense_units": 64}
        norm = measured(make_state(activation=activation, model=deep))["dense1"].gradient_norm
        assert norm
        first[activation] = norm
    assert first["relu"] > 100 * first["sigmoid"]


# --- the rest ------------------------------------------------------------------------------------------------------


def test_parameters_are_those_of_each_layer() -> None:
    state = make_state(activation="prelu")
    learned = block(state, "dense1").activation.get_parameter("learned.slope")
    learned.data.fill_(0.125)
    layers = measured(state)
    assert layers["conv1"].parameters == {"slope": 0.25}
    assert layers["dense1"].parameters == {"slope": 0.125}
    assert layers["output"].parameters == {}


def test_saturated_share_follows_a_learned_parameter() -> None:
    state = make_state(activation={"name": "swish", "parameters": {"beta": {"value": 1.0, "learnable": True}}})
    constant(block(state, "conv2"), [-5.0, 5.0, 0.0, -0.5])
    assert measured(state)["conv2"].saturated_share == 0.0
    block(state, "conv2").activation.get_parameter("learned.beta").data.fill_(2.0)
    layer = measured(state)["conv2"]
    assert (layer.saturated_share, layer.dead_share) == (0.25, 0.25)


def test_measure_names_non_finite_figures_and_gives_null() -> None:
    state = make_state()
    block(state, "conv2").kernel.bias.data[0] = math.nan
    layers = measured(state)
    assert layers["conv1"].zero_share is not None
    assert layers["conv1"].gradient_norm is None
    broken = layers["conv2"]
    assert broken.zero_share is broken.dead_share is broken.mean_before is None
    assert {"zero_share", "dead_share", "mean_before", "gradient_norm"} <= set(broken.non_finite)


def test_dead_share_is_confirmed_on_all_images_after_the_last_epoch() -> None:
    """An image outside the probe makes two units positive; a third unit is dead for all images."""
    data = make_data(train=1600)
    images = torch.zeros_like(data.train_images)
    images[_outside_the_probe(data)] = 255

    def built(epochs_done: int) -> TrainingState:
        state = make_state(data=replace(data, train_images=images), epochs=1)
        constant(block(state, "conv1"), [-0.5, -0.5, -1.5])
        block(state, "conv1").kernel.weight.data[:, 0, 1, 1] = 1.0
        state.epochs_done = epochs_done
        return state

    finished, unfinished = (measured(built(epochs_done))["conv1"] for epochs_done in (1, 0))
    assert finished.dead_share == unfinished.dead_share == 1.0
    assert finished.dead_share_confirmed == pytest.approx(1 / 3)
    assert unfinished.dead_share_confirmed is None


def _outside_the_probe(data: Dataset) -> int:
    """A training image that the probe leaves out, found by its first pixels, which number all images."""
    numbers = torch.arange(len(data.train_images))
    numbered = torch.zeros_like(data.train_images)
    numbered[:, 0, 0, 0], numbered[:, 0, 0, 1] = numbers // 256, numbers % 256
    state = make_state(data=replace(data, train_images=numbered))
    shown = torch.cat([batch.images for batch in probe(state)])[:, 0, 0, :2].long()
    inside = np.asarray(shown[:, 0] * 256 + shown[:, 1])
    return int(np.setdiff1d(state.train_positions.numpy(), inside)[0])


@pytest.mark.parametrize(
    ("training_images", "images"),
    [(100, 200), (3600, 200), (20_000, 250), (36_000, 625), (54_000, 1000), (10**6, 1000)],
)
def test_probe_grows_with_the_training_set(training_images: int, images: int) -> None:
    assert probe_size(training_images) == images


def test_gradient_norm_is_that_of_the_first_batch_of_a_larger_set() -> None:
    state = make_state(data=make_data(train=1600), activation="tanh")
    layers, (first, _) = measured(state), probe(state)
    torch.autograd.backward(losses(state.network.eval()(scaled(first.images)), first.targets, "softmax").mean())
    for name, kernel in kernels(state.network).items():
        assert kernel.grad is not None
        assert layers[name].gradient_norm == pytest.approx(kernel.grad.norm().item(), rel=1e-4)
