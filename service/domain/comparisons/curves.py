"""Mean curves: one figure per epoch, over the seeds of each group, with its interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from pydantic import ConfigDict, Field

from service.domain.choices import PublishedName
from service.domain.comparisons.answer import Figures
from service.domain.comparisons.cells import Factor, Factors
from service.domain.comparisons.published import Column, article
from service.domain.errors import FieldProblem, Invalid
from service.domain.statistics.summary import Floats, Mask, moments, t_quantile
from service.domain.statistics.survival import kaplan_meier

CurveMetricName = Literal[
    "validation_accuracy", "train_accuracy", "validation_loss", "train_loss", "validation_total_loss",
    "train_total_loss", "l2", "learning_rate",
]  # fmt: skip


@dataclass(frozen=True)
class CurveMetric:
    """A figure of every epoch: the sum of `columns` of its row. `published` is the article's figure beside it."""

    name: CurveMetricName
    title: str
    unit: str
    columns: tuple[str, ...]
    higher_is_better: bool | None = False
    published: Column | None = None


CURVE_METRICS: Mapping[str, CurveMetric] = {
    metric.name: metric
    for metric in (
        CurveMetric("validation_accuracy", "Validation accuracy", "fraction", ("validation_accuracy",), True,
                    "test_accuracy"),
        CurveMetric("train_accuracy", "Training accuracy", "fraction", ("train_accuracy",), True, "train_accuracy"),
        CurveMetric("validation_loss", "Validation loss (cross-entropy)", "nats", ("validation_loss",)),
        CurveMetric("train_loss", "Training loss (cross-entropy)", "nats", ("train_loss",)),
        CurveMetric("validation_total_loss", "Validation loss (cross-entropy + L2)", "nats", ("validation_loss", "l2"),
                    published="test_loss"),
        CurveMetric("train_total_loss", "Training loss (cross-entropy + L2)", "nats", ("train_loss", "l2"),
                    published="train_loss"),
        CurveMetric("l2", "L2 term of the loss", "nats", ("l2",), None),
        CurveMetric("learning_rate", "Learning rate", "", ("learning_rate",), None),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Level:
    """A value of a figure that runs reach: from below where `upwards`, else from above."""

    value: float
    upwards: bool

    def is_reached(self, figure: float) -> bool:
        return figure >= self.value if self.upwards else figure <= self.value


@dataclass(frozen=True)
class Trace:
    """A run from epoch 1 on: its figure at each epoch (NaN where that was not finite), and the seconds of each."""

    figures: Sequence[float]
    seconds: Sequence[float]


class Reached(Figures):
    """The time that a group's runs took to a level: medians after Kaplan and Meier.

    A run that ended without reaching the level, or has not reached it yet, counts as one that takes longer. Null where
    fewer than half are known to have reached it.
    """

    level: float
    n: int
    n_reached: int
    median_epochs: float | None
    median_seconds: float | None = Field(description="Of training; null too where kinds of device are mixed.")


class _Times(NamedTuple):
    reached: list[float]
    censored: list[float]


class Curve(Figures):
    """The mean curve of one group. All lists have one entry an epoch, for as many epochs as its longest run has
    done."""

    factors: dict[str, Factor]
    epochs: list[int]
    mean: list[float | None] = Field(description="Over the n seeds with a finite figure at that epoch; null for none.")
    low: list[float | None] = Field(
        description="Student-t 95% interval of the mean over seeds, within the figure's scale; null for n < 2."
    )
    high: list[float | None]
    n: list[int] = Field(description="Falls where runs are under way, stopped early or diverged; the mean then jumps.")
    n_non_finite: list[int] = Field(description="Seeds whose figure at that epoch was infinite or NaN.")
    n_diverged: int = Field(description="Seeds that diverged: from there on, the mean is of the survivors.")
    seconds: list[float] | None = Field(
        description="Training time until the end of that epoch: the sum of each epoch's mean over the seeds that"
        " trained it, so that it only grows; null where kinds of device are mixed."
    )
    reached: Reached | None = Field(None, description="With `level`: when its runs got there.")
    seeds: dict[str, list[float | None]] | None = Field(
        None, description="With `seeds=true`, the figures of each; null where not finite, or not there (yet)."
    )


class PublishedCurve(Figures):
    factors: dict[str, Factor]
    epochs: list[int]
    values: list[float]


class PublishedCurves(Figures):
    """The published curves of one figure. They are of one unseeded run per activation, so there is no interval."""

    model_config = ConfigDict(title="Reference")

    name: PublishedName
    source: str
    metric: str = Field(description="The published figure that the metric is set beside.")
    curves: list[PublishedCurve]
    defects: list[str] = Field(description="What is wrong with the published experiment.")
    comparability: list[str] = Field(description="What to mind when setting these figures beside one's own.")
    differs: list[str] = Field(description="Spec fields in which the experiments differ from the article's protocol.")


class Curves(Figures):
    metric: CurveMetricName
    title: str
    unit: str
    higher_is_better: bool | None = Field(description="Null for what is neither good nor bad.")
    groups: list[Curve] = Field(description="By their factors, in an order that does not change while runs go on.")
    reference: PublishedCurves | None = None


def curve(
    factors: Factors,
    traces: Mapping[int, Trace],
    *,
    n_diverged: int = 0,
    one_device: bool = True,
    seeds: bool = False,
    level: Level | None = None,
) -> Curve:
    """Return the mean curve of one group, from one run a seed.

    `one_device` is false where kinds of device are mixed: then no time is given. `seeds` adds the figures of each seed,
    `level` the time until that level.
    """
    ordered = sorted(traces.items())
    figures = _table([trace.figures for _, trace in ordered])
    done = np.arange(figures.shape[1]) < np.array([[len(trace.figures)] for _, trace in ordered]).reshape(-1, 1)
    finite: Mask = np.isfinite(figures)
    mean, low, high = _intervals(figures, finite)
    times = _table([trace.seconds for _, trace in ordered])
    return Curve(
        factors=dict(factors),
        epochs=list(range(1, figures.shape[1] + 1)),
        mean=_nullable(mean),
        low=_nullable(low),
        high=_nullable(high),
        n=finite.sum(axis=0).tolist(),
        n_non_finite=(done & ~finite).sum(axis=0).tolist(),
        n_diverged=n_diverged,
        seconds=np.cumsum([column[~np.isnan(column)].mean() for column in times.T]).tolist() if one_device else None,
        reached=None if level is None else _reached(list(traces.values()), level, one_device),
        seeds={str(seed): _nullable(row) for (seed, _), row in zip(ordered, figures, strict=True)} if seeds else None,
    )


def level_of(metric: CurveMetricName, value: float | None) -> Level | None:
    """Return the level of a metric that is asked about. Raises Invalid for a figure that is neither good nor bad."""
    upwards = CURVE_METRICS[metric].higher_is_better
    if value is None:
        return None
    if upwards is None:
        reason = f"{metric} is neither good nor bad, so that no run is early or late; ask for a loss or an accuracy"
        raise Invalid(f"{reason}.", errors=[FieldProblem("level", reason, "no_level", value)])
    return Level(value, upwards)


def curves(
    metric: CurveMetricName, groups: Sequence[Curve], published: PublishedName | None, differs: Sequence[str]
) -> Curves:
    """Return the answer for these groups. Raises Invalid where the article has no figure of this kind."""
    chosen = CURVE_METRICS[metric]
    figures = None if published is None else published_curves(published, chosen, differs)
    return Curves(
        metric=metric,
        title=chosen.title,
        unit=chosen.unit,
        higher_is_better=chosen.higher_is_better,
        groups=[_on_scale(group, 1.0 if chosen.unit == "fraction" else math.inf) for group in groups],
        reference=figures,
    )


def _on_scale(group: Curve, highest: float) -> Curve:
    """Return the curve with intervals that end where the scale does, at 0 and `highest`."""
    low = [None if end is None else max(end, 0.0) for end in group.low]
    high = [None if end is None else min(end, highest) for end in group.high]
    return group.model_copy(update={"low": low, "high": high})


def published_curves(name: PublishedName, metric: CurveMetric, differs: Sequence[str] = ()) -> PublishedCurves:
    """Return the article's curves of the figure beside `metric`. Raises Invalid where it has none."""
    if metric.published is None:
        published_metrics = ", ".join(other.name for other in CURVE_METRICS.values() if other.published)
        reason = f"{name} has no curve of {metric.name}; choose one of {published_metrics}"
        raise Invalid(f"{reason}.", errors=[FieldProblem("reference", reason, "not_published", name)])
    source = article(name)
    return PublishedCurves(
        name=name,
        source=source.source,
        metric=metric.published,
        curves=[_published_curve(activation, source.curve(activation, metric.published))
                for activation in source.curves],
        defects=source.defects,
        comparability=source.comparability,
        differs=list(differs),
    )  # fmt: skip


def _published_curve(activation: str, values: list[float]) -> PublishedCurve:
    return PublishedCurve(
        factors={"activation": activation}, epochs=list(range(1, len(values) + 1)), values=values
    )  # fmt: skip


def _reached(traces: Sequence[Trace], level: Level, one_device: bool) -> Reached:
    epochs, seconds = _Times([], []), _Times([], [])
    for trace in traces:
        first = next((place for place, figure in enumerate(trace.figures, 1) if level.is_reached(figure)), None)
        done = len(trace.figures) if first is None else first
        for times, value in ((epochs, float(done)), (seconds, float(sum(trace.seconds[:done])))):
            (times.censored if first is None else times.reached).append(value)
    in_epochs, in_seconds = kaplan_meier(*epochs), kaplan_meier(*seconds)
    return Reached(
        level=level.value,
        n=in_epochs.n,
        n_reached=in_epochs.n_reached,
        median_epochs=in_epochs.median,
        median_seconds=in_seconds.median if one_device else None,
    )


def _table(rows: Sequence[Sequence[float]]) -> Floats:
    """Return a row a seed and a column an epoch, NaN after the last epoch of a run."""
    table = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table


def _intervals(figures: Floats, mask: Mask) -> tuple[Floats, Floats, Floats]:
    """Return the mean and the ends of its 95 % interval at each epoch; NaN where there is none."""
    n, mean, sd = moments(np.where(mask, figures, 0.0).T, mask.T)
    freedom = np.where(n > 1, n - 1, np.nan)
    half = t_quantile(freedom, 0.95) * sd / np.sqrt(np.maximum(n, 1))
    return mean, mean - half, mean + half


def _nullable(values: Floats) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]
