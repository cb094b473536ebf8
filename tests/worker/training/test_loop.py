import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from tests.worker.make import make_data, make_execution, make_spec
from worker.training.datasets.tensors import Dataset
from worker.training.evaluation import Examples, evaluate
from worker.training.failures import Diverged, TimedOut
from worker.training.loop import Callbacks, Trained, train
from worker.training.state import TrainingState, checked_parts

DATA = make_data()
SWISH = ("swish", "silu", {"formula": "x * sigmoid(x)"})


class Recorder(Callbacks):
    def __init__(self, on_step: Callable[[TrainingState], None] = lambda _: None) -> None:
        self.metrics: list[EpochMetrics] = []
        self.hooks: list[str] = []
        self.steps_at_check: list[int] = []
        self._on_step = on_step

    def on_step(self, state: TrainingState) -> None:
        self.hooks.append("step")
        self.steps_at_check += [state.steps_done] * (state.checks.done - len(self.steps_at_check))
        self._on_step(state)

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        self.hooks.append(f"epoch {state.epochs_done}")
        if metrics is not None:
            self.metrics.append(metrics)


def run(spec: ExperimentSpec, recorder: Recorder | None = None, data: Dataset = DATA) -> Trained:
    return train(spec, data, make_execution(spec), recorder)


def learnable(**overrides: Any) -> ExperimentSpec:
    return make_spec(epochs=12, dropout=0.0, optimizer={"learning_rate": 0.02}, **overrides)


def test_train_learns() -> None:
    result = run(learnable()).result
    assert result.last.test_accuracy > 0.9
    assert result.epochs_trained == 12


def test_train_gives_equal_bits_for_equal_specs() -> None:
    first, second = run(make_spec()), run(make_spec())
    assert all(torch.equal(first.last[name], second.last[name]) for name in first.last)
    assert first.result.last == second.result.last


def test_checksum_is_equal_for_runs_with_equal_bits_alone() -> None:
    same = [run(make_spec(activation=activation)).result.checksum for activation in SWISH]
    assert len(set(same)) == 1
    others = [run(make_spec(**fields)).result.checksum for fields in ({}, {"activation": "swish", "seed": 1})]
    assert len({same[0], *others}) == 3


def test_train_depends_on_the_seed() -> None:
    assert not torch.equal(run(make_spec(seed=1)).last["output.weight"], run(make_spec(seed=2)).last["output.weight"])


def test_train_calls_hooks_in_order() -> None:
    recorder = Recorder()
    run(make_spec(epochs=1), recorder)
    assert recorder.hooks == ["epoch 0", "step", "step", "step", "step", "epoch 1"]


@pytest.mark.parametrize(("batch_size", "steps"), [(2, 64), (4, 32), (32, 4), (128, 1)])
def test_train_spaces_twenty_checks_evenly_over_two_epochs(batch_size: int, steps: int) -> None:
    recorder = Recorder()
    run(make_spec(epochs=3, batch_size=batch_size), recorder)
    assert recorder.steps_at_check == [math.ceil(2 * steps * check / 20) for check in range(1, 21)]


def test_train_is_not_changed_by_a_callback_that_validates() -> None:
    spec = make_spec(activation="rrelu")
    checked, unchecked = run(spec, Validating()), run(spec)
    assert all(torch.equal(checked.last[name], unchecked.last[name]) for name in checked.last)


class Validating(Recorder):
    """Measures the loss of each check's part of the validation set as `evaluate` does."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []

    def on_step(self, state: TrainingState) -> None:
        parts = state.checked_parts
        for check in range(len(self.losses), state.checks.done):
            self.losses.append(evaluate(state.network, parts[check % len(parts)], state.spec.output).loss)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("batch_size", [4, 128])
def test_early_loss_is_the_mean_loss_over_the_checks(output: str, batch_size: int) -> None:
    recorder = Validating()
    trained = run(make_spec(epochs=3, batch_size=batch_size, output=output), recorder)
    assert len(recorder.losses) == 20
    assert trained.result.early_loss == pytest.approx(np.mean(recorder.losses), rel=1e-12)


@pytest.mark.parametrize(
    ("validation", "training", "parts", "size"),
    [(400, 3600, 20, 20), (6000, 54000, 20, 100), (2200, 20000, 20, 37), (130, 1167, 6, 20), (12, 100, 1, 12)],
)
def test_checked_parts_are_stratified_and_disjoint(validation: int, training: int, parts: int, size: int) -> None:
    images = torch.arange(validation).view(-1, 1, 1, 1)
    targets = torch.arange(validation) % 10
    dealt = checked_parts(Examples(images, targets), training)
    assert [len(part) for part in dealt] == [size] * parts
    seen = torch.cat([part.images.view(-1) for part in dealt])
    assert len(set(seen.tolist())) == parts * size
    for part in dealt:
        counts = part.targets.bincount(minlength=10)
        assert counts.max() - counts.min() <= 1
        assert torch.equal(part.targets, part.images.view(-1) % 10)


@pytest.mark.parametrize("spec", [{"epochs": 1}, {"diagnostics": False}])
def test_early_loss_is_none_without_all_checks(spec: dict[str, Any]) -> None:
    assert run(make_spec(**spec)).result.early_loss is None


def test_early_loss_is_lower_for_a_faster_learner() -> None:
    slow, fast = (run(make_spec(batch_size=8, optimizer={"learning_rate": rate})).result for rate in (1e-5, 1e-2))
    assert slow.early_loss is not None
    assert fast.early_loss is not None
    assert fast.early_loss < 0.8 * slow.early_loss


def test_early_loss_changes_no_bit_of_the_training() -> None:
    spec = make_spec(activation="rrelu", epochs=3)
    measured, unmeasured = run(spec), run(spec.model_copy(update={"diagnostics": False}))
    assert all(torch.equal(measured.last[name], unmeasured.last[name]) for name in measured.last)


def test_metrics_are_means_over_batches_with_dropout_and_without_l2() -> None:
    recorder = Recorder()
    run(make_spec(epochs=1, optimizer={"learning_rate": 1e-12, "name": "sgd", "l2": 1.0}, dropout=0.0), recorder)
    [metrics] = recorder.metrics
    assert metrics.train_loss == pytest.approx(math.log(10), rel=0.5)
    assert metrics.l2 is not None
    assert metrics.l2 > 5
    assert metrics.train_accuracy is not None
    assert (metrics.train_accuracy * 128).is_integer()


def test_metrics_of_an_epoch() -> None:
    recorder = Recorder()
    run(make_spec(epochs=2, schedule="cosine"), recorder)
    assert [metrics.epoch for metrics in recorder.metrics] == [1, 2]
    assert [metrics.learning_rate for metrics in recorder.metrics] == pytest.approx([1e-3, 5e-4])
    assert all(metrics.seconds > 0 and metrics.images_per_second > 0 for metrics in recorder.metrics)
    assert recorder.metrics[0].non_finite == []


@pytest.mark.parametrize(("batch_size", "steps"), [(50, 2), (128, 1), (1000, 1)])
def test_train_drops_a_partial_batch_unless_it_is_the_only_one(batch_size: int, steps: int) -> None:
    recorder = Recorder()
    run(make_spec(epochs=1, batch_size=batch_size), recorder)
    assert recorder.hooks.count("step") == steps


def test_order_shows_every_image_once_an_epoch() -> None:
    data = replace(DATA, train_images=DATA.train_images.clone())
    spec = make_spec(batch_size=8)
    state = TrainingState(spec, data, make_execution(spec))
    assert sorted(state.order().tolist()) == state.train_positions.tolist()
    assert len(set(state.train_positions.tolist())) == 128


def test_best_weights_are_the_earliest_with_the_lowest_validation_loss() -> None:
    recorder = Recorder()
    trained = run(make_spec(epochs=6, optimizer={"learning_rate": 0.2}), recorder)
    losses = [metrics.validation_loss for metrics in recorder.metrics]
    assert trained.result.best.epoch == 1 + int(np.argmin(np.array(losses)))
    assert trained.result.last.epoch == 6


def test_best_weights_are_of_the_first_epoch_without_an_update() -> None:
    trained = run(make_spec(epochs=3, model={"batch_norm": False}, optimizer={"name": "sgd", "learning_rate": 1e-30}))
    assert trained.result.best.epoch == 1
    assert trained.result.best.correct == trained.result.last.correct


def test_train_ends_by_early_stopping() -> None:
    trained = run(make_spec(epochs=50, early_stopping={"patience": 2, "min_delta": 50.0}))
    assert trained.result.epochs_trained == 3


def test_train_leaves_biases_before_batch_norm_at_zero() -> None:
    last = run(make_spec()).last
    assert not last["blocks.conv1.kernel.bias"].any()
    assert last["output.bias"].any()


def test_train_reads_the_test_set_only_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    finished, read = [], TrainingState.test_examples

    def recorded(state: TrainingState) -> Any:
        finished.append(state.finished)
        return read(state)

    monkeypatch.setattr(TrainingState, "test_examples", recorded)
    blank = replace(DATA, test_images=torch.zeros_like(DATA.test_images))
    assert all(torch.equal(t, run(make_spec(), data=blank).last[name]) for name, t in run(make_spec()).last.items())
    assert set(finished) == {True}


def test_result_is_consistent() -> None:
    result = run(make_spec(epochs=3)).result
    bits = np.unpackbits(np.frombuffer(result.last.correct, np.uint8))[:50]
    assert bits.mean() == pytest.approx(result.last.test_accuracy)
    assert np.trace(result.confusion_matrix) == bits.sum()
    assert np.sum(result.confusion_matrix, axis=1).tolist() == [figures.support for figures in result.per_class]
    assert result.last.interval[0] <= result.last.test_accuracy <= result.last.interval[1]


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize("classes", [[3, 8], [1, 3, 8]])
def test_train_takes_the_classes_of_the_spec_alone(output: str, classes: list[int]) -> None:
    spec = make_spec(classes=classes, output=output, epochs=10, batch_size=8, dropout=0.0)
    result = run(spec).result
    assert [figures.label for figures in result.per_class] == classes
    assert np.shape(result.confusion_matrix) == (len(classes), len(classes))
    assert np.sum(result.confusion_matrix) == 5 * len(classes)
    assert result.last.test_accuracy > 0.8


def test_train_returns_contiguous_weights_on_the_cpu() -> None:
    trained = run(make_spec())
    assert trained.last.keys() == trained.best.keys()
    assert all(tensor.is_contiguous() and not tensor.requires_grad for tensor in trained.last.values())


def diverging(**overrides: Any) -> ExperimentSpec:
    optimizer = {"name": "sgd", "learning_rate": 100.0}
    return make_spec(activation="linear", model={"batch_norm": False}, optimizer=optimizer, epochs=9, **overrides)


def test_train_raises_diverged_after_the_last_metrics() -> None:
    recorder = Recorder()
    with pytest.raises(Diverged) as caught:
        run(diverging(), recorder)
    metrics = recorder.metrics[-1]
    assert metrics.epoch == caught.value.epoch
    assert 1 <= caught.value.step <= 4
    assert {"train_loss", "validation_loss"} & set(metrics.non_finite)
    assert all(getattr(metrics, name) is None for name in metrics.non_finite)
    assert all(not earlier.non_finite for earlier in recorder.metrics[:-1])


def test_train_raises_timed_out() -> None:
    with pytest.raises(TimedOut) as caught:
        run(make_spec(epochs=1000, max_seconds=0.05))
    assert caught.value.epoch >= 1


def test_train_excludes_time_spent_in_hooks() -> None:
    recorder = Recorder(on_step=lambda state: time.sleep(0.05))
    started = time.perf_counter()
    trained = run(make_spec(epochs=1), recorder)
    assert trained.result.seconds < time.perf_counter() - started - 4 * 0.05


def test_train_passes_on_exceptions_of_hooks() -> None:
    def cancel(state: TrainingState) -> None:
        raise KeyError("cancelled")

    with pytest.raises(KeyError, match="cancelled"):
        run(make_spec(), Recorder(cancel))


def test_train_scores_bfloat16_runs_in_float32() -> None:
    trained = run(learnable(precision="bfloat16"))
    assert trained.result.fingerprint.precision == "bfloat16"
    assert trained.result.last.test_accuracy > 0.9
    assert all(tensor.dtype == torch.float32 for tensor in trained.last.values())


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_train_gives_equal_bits_twice_on_cuda(precision: str) -> None:
    spec = make_spec(epochs=3, activation="rrelu", precision=precision)
    execution, data = make_execution(spec, device="cuda"), DATA.to("cuda")
    first, second = train(spec, data, execution), train(spec, data, execution)
    assert all(torch.equal(first.last[name], second.last[name]) for name in first.last)


@pytest.mark.slow
@pytest.mark.mnist
@pytest.mark.timeout(600)
def test_train_learns_a_part_of_mnist(mnist: Dataset) -> None:
    assert accuracy_on(mnist, epochs=2, train_samples=12_000) >= 0.96


@pytest.mark.nightly
@pytest.mark.mnist
@pytest.mark.timeout(3600)
def test_train_reaches_the_articles_range_with_relu_on_mnist(mnist: Dataset) -> None:
    assert accuracy_on(mnist, epochs=3) >= 0.985


def accuracy_on(mnist: Dataset, **fields: Any) -> float:
    """Train with ReLU and return the accuracy on the test set."""
    spec = ExperimentSpec.model_validate({"activation": "relu", **fields})
    return train(spec, mnist, make_execution(spec, threads=1)).result.last.test_accuracy
