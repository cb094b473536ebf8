"""Mean curves over seeds, and the published curves."""

import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.comparisons.curves import (
    CURVE_METRICS,
    Curve,
    Level,
    Trace,
    curve,
    curves,
    level_of,
    published_curves,
)
from service.domain.comparisons.published import article
from service.domain.errors import Invalid
from service.domain.statistics.summary import describe, mean_interval

FACTORS = {"activation": "relu"}
NAN = math.nan


def trace(*figures: float, seconds: float = 2.0) -> Trace:
    return Trace(figures, [seconds] * len(figures))


def test_curve_mean_and_interval_at_each_epoch() -> None:
    group = curve(FACTORS, {0: trace(0.8, 0.9), 1: trace(0.9, 0.9), 2: trace(1.0, 0.9)})
    assert (group.epochs, group.n, group.mean) == ([1, 2], [3, 3], [pytest.approx(0.9), 0.9])
    # 0.9 +- 4.302653 * 0.1 / sqrt(3), and no spread at all
    assert group.low == [pytest.approx(0.651586, abs=1e-6), 0.9]
    assert group.high == [pytest.approx(1.148414, abs=1e-6), 0.9]
    assert group.seconds == [2.0, 4.0]
    assert group.seeds is None


def test_curve_of_later_epochs_is_of_the_runs_that_trained_them() -> None:
    group = curve(FACTORS, {0: trace(0.5, 0.7, 0.9), 7: trace(0.7, seconds=4.0)}, seeds=True)
    assert (group.n, group.mean) == ([2, 1, 1], [pytest.approx(0.6), 0.7, 0.9])
    assert (group.low[1:], group.high[1:]) == ([None, None], [None, None])
    assert group.n_non_finite == [0, 0, 0]
    assert group.seconds == [3.0, 5.0, 7.0]  # the end of a slow seed does not turn time back
    assert group.seeds == {"0": [0.5, 0.7, 0.9], "7": [0.7, None, None]}


def test_curve_counts_non_finite_figures_and_leaves_them_out() -> None:
    group = curve(FACTORS, {0: trace(0.5, NAN), 1: trace(0.7, math.inf), 2: trace(0.9)}, n_diverged=2, seeds=True)
    assert (group.n, group.n_non_finite, group.n_diverged) == ([3, 0], [0, 2], 2)
    assert (group.mean[1], group.low[1], group.high[1]) == (None, None, None)
    assert group.seeds == {"0": [0.5, None], "1": [0.7, None], "2": [0.9, None]}


def test_curve_of_no_epochs_has_empty_lists() -> None:
    for traces in ({}, {0: trace()}):
        group = curve(FACTORS, traces)
        assert (group.epochs, group.mean, group.n, group.seconds) == ([], [], [], [])


def test_curve_of_several_devices_has_no_seconds() -> None:
    assert curve(FACTORS, {0: trace(0.5)}, one_device=False).seconds is None


def test_curve_reached_counts_runs_and_takes_medians() -> None:
    # After epochs 2, 1 and 3; the last was seen for one epoch only and not to have got there.
    runs = {0: trace(0.5, 0.9), 1: trace(0.9, 0.8), 2: trace(0.1, 0.2, 0.95), 3: trace(0.5, seconds=9.0)}
    reached = curve(FACTORS, runs, level=Level(0.9, upwards=True)).reached
    assert reached is not None
    assert (reached.n, reached.n_reached, reached.median_epochs) == (4, 3, 2.0)
    assert reached.median_seconds == 4.0
    never = curve(FACTORS, runs, level=Level(0.99, upwards=True), one_device=False).reached
    assert never is not None
    assert (never.n_reached, never.median_epochs, never.median_seconds) == (0, None, None)
    falling = curve(FACTORS, {0: trace(0.5, NAN, 0.1)}, level=Level(0.2, upwards=False)).reached
    assert falling is not None
    assert falling.median_epochs == 3.0


def test_level_of_refuses_a_figure_that_is_neither_good_nor_bad() -> None:
    assert level_of("train_loss", 0.1) == Level(0.1, upwards=False)
    assert level_of("l2", None) is None
    with pytest.raises(Invalid) as raised:
        level_of("learning_rate", 0.1)
    assert raised.value.errors[0].pointer == "level"


FIGURES = st.lists(st.sampled_from([NAN, math.inf]) | st.floats(-1e100, 1e100), max_size=6)


@given(st.dictionaries(st.integers(0, 2**53), FIGURES, max_size=6))
def test_curve_figures_of_each_epoch_are_those_of_a_group(runs: dict[int, list[float]]) -> None:
    group = curve(FACTORS, {seed: trace(*figures) for seed, figures in runs.items()}, seeds=True)
    json.dumps(group.model_dump(mode="json"), allow_nan=False)
    for place, epoch in enumerate(group.epochs):
        values = [runs[seed][place] for seed in sorted(runs) if len(runs[seed]) >= epoch]
        finite = [value for value in values if math.isfinite(value)]
        assert (group.n[place], group.n_non_finite[place]) == (len(finite), len(values) - len(finite))
        assert _near(group.mean[place], describe(finite).mean, finite)
        interval = mean_interval(finite)
        ends = (None, None) if interval is None else interval
        assert _near(group.low[place], ends[0], finite)
        assert _near(group.high[place], ends[1], finite)


def _near(value: float | None, expected: float | None, values: Sequence[float]) -> bool:
    if value is None or expected is None:
        return value is expected
    return abs(value - expected) <= 1e-9 * max(map(abs, values))


@given(st.permutations(list(range(5))))
def test_curve_is_independent_of_the_order_of_seeds(order: list[int]) -> None:
    traces = {seed: trace(0.5 + seed / 10, 0.6 + seed / 30) for seed in range(5)}
    assert curve(FACTORS, {seed: traces[seed] for seed in order}, seeds=True) == curve(FACTORS, traces, seeds=True)


# --- what was published --------------------------------------------------------------------------------------------


def test_article_is_packaged_and_complete() -> None:
    source = article("kizrak-2019")
    assert list(source.curves) == ["sigmoid", "tanh", "relu", "leaky_relu", "swish"]
    assert {len(rows) for rows in source.curves.values()} == {source.epochs} == {20}
    for rows in source.curves.values():
        for train_loss, train_accuracy, test_loss, test_accuracy in rows:
            assert 0 < train_loss < 1
            assert 0 < test_loss < 1
            assert 0.86 < train_accuracy < 1
            assert 0.96 < test_accuracy < 1
    assert source.curve("relu", "test_accuracy")[:2] == [0.9853, 0.9884]
    assert source.final("sigmoid") == dict(zip(source.columns, source.curves["sigmoid"][19], strict=True))
    assert len(source.defects) == 4


def test_published_curves_put_total_loss_beside_total_loss() -> None:
    beside = {
        name: published_curves("kizrak-2019", metric).metric
        for name, metric in CURVE_METRICS.items()
        if metric.published
    }
    assert beside == {
        "validation_accuracy": "test_accuracy",
        "train_accuracy": "train_accuracy",
        "validation_total_loss": "test_loss",
        "train_total_loss": "train_loss",
    }
    first = published_curves("kizrak-2019", CURVE_METRICS["validation_total_loss"]).curves[0]
    assert (first.factors, first.epochs[-1], first.values[0]) == ({"activation": "sigmoid"}, 20, 0.1937)


@pytest.mark.parametrize("metric", ["validation_loss", "train_loss", "l2", "learning_rate"])
def test_published_curves_refuse_an_unpublished_metric_naming_the_others(metric: str) -> None:
    with pytest.raises(Invalid) as raised:
        published_curves("kizrak-2019", CURVE_METRICS[metric])
    (problem,) = raised.value.errors
    assert (problem.pointer, problem.code) == ("reference", "not_published")
    assert "validation_total_loss" in str(problem)


def test_curves_keep_the_names_that_clients_rely_on() -> None:
    answer = curves("train_accuracy", [curve(FACTORS, {})], "kizrak-2019", ["epochs"])
    assert answer.model_dump().keys() >= {"metric", "groups", "reference"}
    assert Curve.model_fields.keys() >= {"factors", "epochs", "mean", "low", "high", "n", "seeds"}
    assert answer.reference is not None
    assert answer.reference.differs == ["epochs"]
