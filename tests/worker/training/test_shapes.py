"""Networks without convolutions, without hidden dense layers, and without either: softmax regression."""

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from service.domain.spec import ExperimentSpec
from tests.worker.make import make_data, make_execution, make_spec
from tests.worker.training.test_resume import Interrupted, assert_same, through_a_file
from tests.worker.training.test_undisturbed import Diagnosed
from worker.training.diagnostics.collapse import linear_collapse, may_collapse
from worker.training.loop import Trained, train
from worker.training.model import Network
from worker.training.randomness import Streams
from worker.training.state import Snapshot

DATA = make_data()
PERCEPTRON: dict[str, Any] = {"conv_channels": []}
STRAIGHT: dict[str, Any] = {"dense_layers": 0}
REGRESSION = PERCEPTRON | STRAIGHT


def network(activation: str = "relu", dropout: Any = 0.0, **model: Any) -> Network:
    spec = ExperimentSpec.model_validate({"activation": activation, "dropout": dropout, "model": model})
    return Network(spec, Streams(0))


def images(count: int = 4) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def run(spec: ExperimentSpec, recorder: Diagnosed, resume: Snapshot | None = None) -> Trained:
    return train(spec, DATA, make_execution(spec), recorder, resume)


@pytest.mark.parametrize(
    ("model", "layers", "all_and_trainable"),
    [
        (PERCEPTRON, ["dense1"], (102_282, 102_026)),  # 784 x 128 + 128, norm 4 x 128, 128 x 10 + 10
        (STRAIGHT, ["conv1", "conv2"], (111_370, 111_178)),  # 320 + 18,496, norm 4 x 96, 9,216 x 10 + 10
        (REGRESSION, [], (7_850, 7_850)),  # 784 x 10 + 10
        (PERCEPTRON | {"dense_layers": 3, "batch_norm": False}, ["dense1", "dense2", "dense3"], (134_794, 134_794)),
    ],
    ids=str,
)
def test_network_has_no_parameters_for_omitted_layers(
    model: dict[str, Any], layers: list[str], all_and_trainable: tuple[int, int]
) -> None:
    made = network(**model)
    assert list(made.named_blocks()) == layers
    assert made.parameter_counts() == all_and_trainable
    assert len(made.regularised()) == len([name for name in layers if name in ("conv1", "conv2", "dense1")])


def test_network_without_hidden_layers_is_one_linear_layer() -> None:
    made = network(activation="tanh", dropout=0.9, **REGRESSION).train()
    expected = F.linear(images().flatten(1), made.output.weight, made.output.bias)
    assert torch.equal(made(images()), expected)


@pytest.mark.parametrize(("model", "free"), [(PERCEPTRON, "conv"), (STRAIGHT, "dense")], ids=str)
def test_network_applies_dropout_after_existing_layers_alone(model: dict[str, Any], free: str) -> None:
    def varies(**dropout: float) -> bool:
        made = network(dropout=dropout, batch_norm=False, **model).train()
        return not torch.equal(made(images()), made(images()))

    other = {"conv": "dense", "dense": "conv"}[free]
    assert not varies(**{free: 0.9, other: 0.0})
    assert varies(**{free: 0.0, other: 0.9})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    ("model", "layers", "optimizer"),
    [
        (PERCEPTRON, ["dense1", "output"], {"name": "adadelta"}),
        (STRAIGHT, ["conv1", "conv2", "output"], {"name": "sgd", "momentum": 0.9}),
        (REGRESSION, ["output"], {"name": "sgd"}),
        (REGRESSION, ["output"], {"name": "adam"}),
        (REGRESSION, ["output"], {"name": "adadelta"}),
    ],
    ids=str,
)
def test_train_measures_and_resumes_every_shape(
    model: dict[str, Any], layers: list[str], optimizer: dict[str, Any], precision: str
) -> None:
    spec = make_spec(model=model, optimizer=optimizer, precision=precision)
    whole, first, second = Diagnosed(), Diagnosed(("step", 6)), Diagnosed()
    trained = run(spec, whole)
    with pytest.raises(Interrupted):
        run(spec, first)
    assert_same(run(spec, second, through_a_file(first.snapshot)), trained)
    assert [layer.layer for layer in whole.layers] == layers * 3  # at the start and after each epoch
    assert [layer.position for layer in whole.layers] == list(range(len(layers))) * 3
    assert second.layers == whole.layers[-len(layers) :]
    assert (whole.metrics[-1]["l2"] == 0) is (model == REGRESSION)
    assert whole.metrics[-1]["train_loss"] < whole.metrics[0]["train_loss"]
    assert all(layer.update_ratio and layer.gradient_norm for layer in whole.layers if layer.epoch)


@pytest.mark.parametrize(
    ("overrides", "collapses"),
    [
        ({"model": REGRESSION}, True),
        ({"model": PERCEPTRON}, False),
        ({"model": PERCEPTRON, "activation": "linear"}, True),
        ({"model": STRAIGHT, "activation": "linear"}, False),  # max-pooling bends
        ({"model": STRAIGHT | {"pool": "avg"}, "activation": "linear"}, True),
    ],
    ids=str,
)
def test_may_collapse_for_shapes_of_one_linear_layer(overrides: dict[str, Any], collapses: bool) -> None:
    spec = make_spec(epochs=1, **overrides)
    trained = train(spec, DATA, make_execution(spec))
    assert may_collapse(spec) is collapses
    assert linear_collapse(spec, trained.last, DATA.test_images).collapsed is collapses
