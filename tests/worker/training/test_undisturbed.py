"""Diagnostics change nothing in training, and an interrupted run measures what an uninterrupted one does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from service.domain.diagnostics import LayerDiagnostics
from service.domain.results import EpochMetrics
from tests.worker.make import make_data, make_execution, make_spec
from tests.worker.training.test_resume import Interrupted, Recorder, assert_same, through_a_file
from worker.training.diagnostics import probe
from worker.training.diagnostics.measurement import Diagnostics
from worker.training.diagnostics.updates import kernels
from worker.training.loop import Trained, train
from worker.training.state import Snapshot, TrainingState

DATA = make_data()


class Diagnosed(Recorder):
    """Measures in the hooks before it records or stops, as a worker does."""

    def __init__(self, stop: tuple[str, int] | None = None) -> None:
        super().__init__(stop)
        self.diagnostics = Diagnostics()
        self.layers: list[LayerDiagnostics] = []
        self.kernels: list[dict[str, Any]] = []

    def on_step(self, state: TrainingState) -> None:
        self.diagnostics.on_step(state)
        self.kernels.append({name: kernel.detach().clone() for name, kernel in kernels(state.network).items()})
        super().on_step(state)

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        self.layers += self.diagnostics.measure(state)
        super().on_epoch(state, metrics)


def run(recorder: Recorder, resume: Snapshot | None = None, **overrides: Any) -> Trained:
    spec = make_spec(**overrides)
    return train(spec, DATA, make_execution(spec), recorder, resume)


@pytest.mark.parametrize(
    "spec",
    [
        {"activation": "rrelu"},
        {"activation": "prelu", "model": {"batch_norm": False}, "precision": "bfloat16"},
        {
            "activation": "swish",
            "model": {"pool": "avg", "dense_layers": 2},
            "optimizer": {"name": "sgd", "momentum": 0.9},
        },
    ],
)
def test_diagnostics_change_no_bit_of_the_training(spec: dict[str, Any]) -> None:
    with_them, without = Diagnosed(), Recorder()
    assert_same(run(with_them, epochs=3, **spec), run(without, epochs=3, **spec))
    assert with_them.metrics == without.metrics
    assert {layer.epoch for layer in with_them.layers} == {0, 1, 2, 3}


def test_measure_leaves_the_training_state_unchanged() -> None:
    spec = make_spec(activation="rrelu")
    state = TrainingState(spec, DATA, make_execution(spec))
    state.network.train()
    before = through_a_file(state.snapshot())
    Diagnostics().measure(state)
    after = through_a_file(state.snapshot())
    for part in ("network", "streams"):
        assert all(torch.equal(before[part][name], tensor) for name, tensor in after[part].items())
    assert all(module.training for module in state.network.modules())
    assert all(parameter.grad is None for parameter in state.network.parameters())
    assert not any(module._forward_hooks for module in state.network.modules())


STOPS = [("epoch", 0), ("step", 1), ("step", 3), ("step", 4), ("epoch", 1), ("step", 7), ("step", 8), ("epoch", 2)]


@pytest.mark.parametrize("stops", [[stop] for stop in STOPS] + [STOPS], ids=str)
def test_measure_gives_the_same_figures_after_an_interruption(stops: list[tuple[str, int]]) -> None:
    """The stops include those around the last step of an epoch, from which the update ratio is computed."""
    whole = Diagnosed()
    uninterrupted = run(whole, activation="prelu", epochs=3)
    layers, resume = [], None
    for stop in [*stops, None]:
        attempt = Diagnosed(stop)
        try:
            trained = run(attempt, resume, activation="prelu", epochs=3)
        except Interrupted:
            resume = through_a_file(attempt.snapshot)
        layers += attempt.layers
    assert layers == whole.layers
    assert_same(trained, uninterrupted)


@pytest.mark.parametrize("batch_size", [32, 128])
def test_update_ratio_is_that_of_the_last_step_of_an_epoch(batch_size: int) -> None:
    recorder = Diagnosed()
    run(recorder, epochs=3, batch_size=batch_size)
    steps = 128 // batch_size
    for layer in recorder.layers:
        if layer.epoch == 0 or layer.epoch * steps < 2:
            continue
        before, after = (recorder.kernels[layer.epoch * steps - back][layer.layer] for back in (2, 1))
        assert layer.update_ratio == pytest.approx(((after - before).norm() / before.norm()).item(), rel=1e-4)


def test_update_ratio_needs_one_step() -> None:
    recorder = Diagnosed()
    run(recorder, epochs=1, batch_size=128)
    assert [layer.update_ratio is None for layer in recorder.layers] == [True] * 4 + [False] * 4


@pytest.mark.parametrize(("l2", "same"), [(0.0, True), (1e-5, False)])
def test_unchanged_holds_for_lower_layers_of_step_unless_l2_moves_them(l2: float, same: bool) -> None:
    recorder = Diagnosed()
    run(recorder, activation="step", epochs=2, optimizer={"l2": l2})
    assert [layer.unchanged for layer in recorder.layers if layer.epoch == 0] == [True] * 4
    last = {layer.layer: layer for layer in recorder.layers if layer.epoch == 2}
    assert [last[name].unchanged for name in ("conv1", "conv2", "dense1", "output")] == [same, same, same, False]
    assert (last["conv1"].update_ratio == 0) == same


def test_probe_takes_images_in_proportion_of_classes() -> None:
    """The data set is sorted by class."""
    data = make_data(train=2500)
    order = torch.argsort(data.train_labels.long(), stable=True)
    sorted_by_class = replace(data, train_images=data.train_images[order], train_labels=data.train_labels[order])
    spec = make_spec()
    batches = probe.probe(TrainingState(spec, sorted_by_class, make_execution(spec)))
    assert [len(batch) for batch in batches] == [100] * 2
    for batch in batches:
        assert np.ptp(np.bincount(batch.targets.numpy(), minlength=10)) <= 1
    assert np.bincount(torch.cat([batch.targets for batch in batches]).numpy()).tolist() == [20] * 10


def test_probe_takes_all_of_few_images_in_even_batches() -> None:
    spec = make_spec()
    state = TrainingState(spec, DATA, make_execution(spec))
    for batches in (probe.probe(state), probe.training_set(state)):
        assert [len(batch) for batch in batches] == [64, 64]
        shown = torch.cat([batch.images for batch in batches]).flatten(1).numpy()
        assert len(np.unique(shown, axis=0)) == len(shown) == 128
