"""Snapshots: an interrupted run that is continued ends in the bits of an uninterrupted one."""

import io
from typing import Any

import pytest
import torch

from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSpec
from tests.worker.make import make_data, make_execution, make_spec
from worker.training.failures import UnknownSnapshot
from worker.training.loop import Callbacks, Trained, train
from worker.training.state import Snapshot, TrainingState

DATA = make_data()
STEPS = 4  # an epoch


class Interrupted(Exception):
    pass


class Recorder(Callbacks):
    """Keeps what the hooks are given; stops at a hook with a snapshot."""

    def __init__(self, stop: tuple[str, int] | None = None) -> None:
        self.stop = stop
        self.metrics: list[dict[str, Any]] = []
        self.calls: list[tuple[str, int]] = []
        self.snapshot: Snapshot = {}

    def on_step(self, state: TrainingState) -> None:
        self.calls.append(("checks", state.checks.done))
        self._met("step", state.steps_done, state)

    def on_epoch(self, state: TrainingState, metrics: EpochMetrics | None) -> None:
        if metrics is not None:
            self.metrics.append(metrics.model_dump(exclude={"seconds", "images_per_second"}))
        self._met("epoch", state.epochs_done, state)

    def _met(self, hook: str, count: int, state: TrainingState) -> None:
        self.calls.append((hook, count))
        if (hook, count) == self.stop:
            self.snapshot = state.snapshot()
            raise Interrupted


def through_a_file(snapshot: Snapshot) -> Snapshot:
    file = io.BytesIO()
    torch.save(snapshot, file)
    file.seek(0)
    loaded: Snapshot = torch.load(file, weights_only=True)
    return loaded


def run(spec: ExperimentSpec, recorder: Recorder, resume: Snapshot | None = None) -> Trained:
    return train(spec, DATA, make_execution(spec), recorder, resume)


def interrupted(spec: ExperimentSpec, *stops: tuple[str, int]) -> tuple[Trained, Recorder]:
    """The result, and a recorder of all attempts."""
    whole, resume = Recorder(), None
    for stop in [*stops, None]:
        attempt = Recorder(stop)
        try:
            trained = run(spec, attempt, resume)
        except Interrupted:
            resume = through_a_file(attempt.snapshot)
        whole.metrics += attempt.metrics
        whole.calls += attempt.calls
    return trained, whole


def assert_same(trained: Trained, expected: Trained) -> None:
    assert trained.result.model_dump(exclude={"seconds"}) == expected.result.model_dump(exclude={"seconds"})
    assert (trained.result.last.correct, trained.result.best.correct) == (
        expected.result.last.correct,
        expected.result.best.correct,
    )
    for ours, theirs in ((trained.last, expected.last), (trained.best, expected.best)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert torch.equal(ours[name], theirs[name]), name


STOPS = {
    "before the first step": [("epoch", 0)],
    "at the first step": [("step", 1)],
    "in an epoch": [("step", STEPS + 2)],
    "at an epoch's last step": [("step", STEPS)],
    "after an epoch": [("epoch", 1)],
    "at the last step of all": [("step", 3 * STEPS)],
    "after the last epoch": [("epoch", 3)],
    "again and again": [("epoch", 0), ("step", 3), ("step", 4), ("epoch", 1), ("step", 11)],
}


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", [{"name": "adam"}, {"name": "sgd", "momentum": 0.9}, {"name": "adadelta"}])
def test_restore_ends_an_interrupted_run_in_the_same_bits(optimizer: dict[str, Any], precision: str) -> None:
    spec = make_spec(activation="rrelu", epochs=3, optimizer=optimizer, precision=precision)
    recorder = Recorder()
    uninterrupted = run(spec, recorder)
    for where, stops in STOPS.items():
        resumed, whole = interrupted(spec, *stops)
        assert whole.metrics == recorder.metrics, where
        assert whole.calls == recorder.calls, where
        assert_same(resumed, uninterrupted)


class StopsWhileScoring(Recorder):
    """Stops at a chunk of images that is scored, counted over the validations and the tests of one attempt."""

    def __init__(self, chunk: int) -> None:
        super().__init__()
        self.left = chunk

    def on_evaluation(self, state: TrainingState) -> None:
        self.left -= 1
        if self.left == 0:
            self.snapshot = state.snapshot()
            raise Interrupted


# Two epochs of one chunk of validation, then one chunk of test for the last weights and one for the best.
@pytest.mark.parametrize("chunk", [1, 2, 3, 4])
def test_restore_ends_a_run_interrupted_while_scoring_in_the_same_bits(chunk: int) -> None:
    spec = make_spec(activation="rrelu", epochs=2, optimizer={"name": "sgd", "learning_rate": 30.0})
    whole = Recorder()
    uninterrupted = run(spec, whole)
    assert uninterrupted.result.best.epoch == 1  # or the fourth chunk would not be there
    first, second = StopsWhileScoring(chunk), Recorder()
    with pytest.raises(Interrupted):
        run(spec, first)
    resumed = run(spec, second, through_a_file(first.snapshot))
    assert first.metrics + second.metrics == whole.metrics
    assert_same(resumed, uninterrupted)


@pytest.mark.parametrize(
    "rest",
    [
        {"schedule": "cosine"},
        {"schedule": "none", "early_stopping": {"patience": 1, "min_delta": 1.0}},
        {"activation": {"name": "swish", "parameters": {"beta": {"value": 1.0, "learnable": True}}}},
        {"model": {"batch_norm": False}, "classes": [2, 5], "output": "sigmoid", "batch_size": 8},
    ],
)
def test_restore_ends_in_the_same_bits_for_every_kind_of_spec(rest: dict[str, Any]) -> None:
    spec = make_spec(epochs=4, **rest)
    recorder = Recorder()
    uninterrupted = run(spec, recorder)
    resumed, whole = interrupted(spec, ("step", 3), ("epoch", 1), ("step", 6))
    assert whole.metrics == recorder.metrics
    assert_same(resumed, uninterrupted)


def test_restore_keeps_a_plateau_and_its_reduced_rate() -> None:
    # Too slow to fall by the threshold, and without running statistics that would make it fall.
    slow = {"optimizer": {"learning_rate": 1.5e-5, "name": "sgd"}, "activation": "step", "model": {"batch_norm": False}}
    spec = make_spec(epochs=8, **slow)
    uninterrupted = run(spec, recorder := Recorder())
    assert [metrics["learning_rate"] for metrics in recorder.metrics] == [1.5e-5] * 6 + [1e-5] * 2
    resumed, whole = interrupted(spec, ("step", 5 * STEPS + 1), ("epoch", 7))
    assert whole.metrics == recorder.metrics
    assert_same(resumed, uninterrupted)


def test_snapshot_is_a_copy() -> None:
    recorder = Recorder(("step", 2))
    with pytest.raises(Interrupted):
        run(make_spec(), recorder)
    before = through_a_file(recorder.snapshot)
    run(make_spec(), Recorder(), recorder.snapshot)
    assert all(torch.equal(before["network"][name], t) for name, t in recorder.snapshot["network"].items())
    assert torch.equal(before["sums"]["loss"], recorder.snapshot["sums"]["loss"])


def test_restore_adds_up_seconds_over_attempts() -> None:
    recorder = Recorder(("step", 2))
    with pytest.raises(Interrupted):
        run(make_spec(), recorder)
    snapshot = recorder.snapshot | {"seconds": 1000.0}
    assert 1000 < run(make_spec(), Recorder(), snapshot).result.seconds < 1060


def test_restore_marks_a_run_that_continues_with_other_threads() -> None:
    recorder = Recorder(("step", 2))
    with pytest.raises(Interrupted):
        run(make_spec(), recorder)
    with_two = make_execution(make_spec(), threads=2)
    assert train(make_spec(), DATA, with_two, None, recorder.snapshot).result.fingerprint.mixed
    assert not run(make_spec(), Recorder(), recorder.snapshot).result.fingerprint.mixed


def test_restore_refuses_a_snapshot_of_another_format() -> None:
    with pytest.raises(UnknownSnapshot, match="format 99"):
        run(make_spec(), Recorder(), {"format": 99})
