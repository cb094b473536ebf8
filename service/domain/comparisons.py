"""Groups of experiments side by side: figures over seeds, pairwise tests within one family, verdicts and ranks."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.domain import statistics
from service.domain.errors import FieldProblem, Invalid
from service.domain.statistics import Interval, Rates, TestName, TTest
from service.domain.status import Cause, Status

ALPHA = 0.05
Factor = str | int | float | bool | None
Factors = Mapping[str, Factor]
Verdict = Literal["better", "worse", "not separable", "not separable (diverged)", "not tested"]


@dataclass(frozen=True)
class Metric:
    """A final figure of an experiment. Accuracies are fractions, losses means per image in nats."""

    name: str
    title: str
    unit: str
    higher_is_better: bool


PRIMARY_METRIC = "test_accuracy"
METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(PRIMARY_METRIC, "Test accuracy at the last epoch", "fraction", True),
        Metric("best_test_accuracy", "Test accuracy at the epoch of the lowest validation loss", "fraction", True),
        Metric("test_loss", "Test loss at the last epoch", "nats", False),
        Metric("best_test_loss", "Test loss at the epoch of the lowest validation loss", "nats", False),
        Metric("seconds", "Training time", "s", False),
    )
}


@dataclass(frozen=True, slots=True)
class Observation:
    """One experiment as a comparison sees it. `factors` are dotted spec paths, and everything else that must not be
    pooled (device kind, precision, code version). `value` is the metric; None or not finite where there is none."""

    experiment_id: str
    seed: int
    factors: Factors
    status: Status
    cause: Cause | None
    value: float | None
    created_at: datetime
    retry_of: str | None = None

    @property
    def figure(self) -> float | None:
        succeeded = self.status == Status.SUCCEEDED and self.value is not None and math.isfinite(self.value)
        return self.value if succeeded else None

    @property
    def diverged(self) -> bool:
        """Either the loss became infinite or NaN while training, or this figure of the trained network did."""
        if self.status == Status.SUCCEEDED:
            return self.figure is None
        return self.status == Status.FAILED and self.cause == Cause.DIVERGED


class _Figures(BaseModel):
    # A NaN is refused here, not met by whoever reads the JSON.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Group(_Figures):
    """One cell: a combination of factors, over its seeds. Every experiment counts in exactly one of the five n."""

    factors: dict[str, Factor]
    n: int = Field(description="Seeds with a value.")
    n_duplicate: int = Field(description="Ended experiments whose place another one of the same spec and seed takes.")
    n_diverged: int = Field(description="Seeds whose loss, or this figure, became infinite or NaN.")
    n_failed: int = Field(description="Seeds that ended without a value for any other reason, cancelled ones included.")
    n_pending: int = Field(description="Experiments that are queued or running.")
    mean: float | None
    sd: float | None = Field(description="Over seeds, with n - 1; null for n < 2.")
    median: float | None
    min: float | None
    max: float | None
    interval: Interval | None = Field(description="Student-t 95% interval of the mean over seeds; null for n < 2.")
    test_image_interval: Interval | None = Field(None, description="95% bootstrap interval over test images.")
    rank: tuple[int, int] = Field((1, 1), description="Best and worst rank that the family's verdicts leave open.")


class Pair(_Figures):
    """Group a against group b. Where a side has diverged runs, those that survived are a selected sample: nothing but
    the difference of their means is said of them. Without a test (too few seeds) the verdict is
    `not tested`."""

    a: dict[str, Factor]
    b: dict[str, Factor]
    test: TestName | None = None
    difference: float | None = Field(None, description="Mean of a minus mean of b; over the common seeds where paired.")
    interval: Interval | None = Field(None, description="Simultaneous; null without a test or without any spread.")
    p: float | None = None
    p_holm: float | None = Field(None, description="p adjusted for the family; at most alpha separates.")
    p_attainable: float | None = Field(None, description="The smallest p that an exact rank test reaches at this n.")
    hedges_g: float | None = Field(None, description="Difference in units of the sd between seeds; null without one.")
    verdict: Verdict = Field(description="Of a relative to b.")
    diverged: Rates | None = Field(None, description="Shares of diverged runs among those that came to an end.")


class Family(_Figures):
    """The tests that are corrected together."""

    metric: str
    unit: str
    higher_is_better: bool
    pairs: int
    versus: dict[str, Factor] | None = Field(description="The group all others are held against; null: all pairs.")
    alpha: float = ALPHA
    p_correction: str = "Holm"
    interval_correction: str = "Bonferroni"
    interval_confidence: float = Field(description="Level of each pair's interval: 1 - alpha / pairs.")
    decision: str = (
        f"A pair is separated where p, adjusted after Holm for all pairs of this family, is at most {ALPHA}. The"
        " intervals hold together (Bonferroni) and are the stricter: one may still contain 0 where Holm separates."
    )


class Comparison(_Figures):
    metric: str
    groups: list[Group] = Field(description="Best mean first; groups without a value last.")
    pairs: list[Pair]
    family: Family


@dataclass(frozen=True)
class _Cell:
    group: Group  # its rank is open until the pairs are tested
    values: dict[int, float]  # by seed


def compare(observations: Iterable[Observation], metric: str, versus: Factors | None = None) -> Comparison:
    """Compare the groups that the factors of `observations` form, in any order of rows, by their values of `metric`.

    `versus` restricts the family to pairs with one group, named by as many of its factors as tell it apart.
    Raises Invalid where the metric is unknown, or `versus` names no group or more than one.
    """
    chosen = _metric(metric)
    cells = sorted(_cells(observations), key=lambda cell: _place(cell.group, chosen))
    reference = None if versus is None else _index_of(versus, cells)
    sides = _sides(len(cells), reference)
    confidence = 1 - ALPHA / max(1, len(sides))
    pairs = _compare_pairs([(cells[i], cells[j]) for i, j in sides], confidence, chosen)
    return Comparison(
        metric=metric,
        groups=_ranked([cell.group for cell in cells], sides, pairs),
        pairs=pairs,
        family=Family(
            metric=metric,
            unit=chosen.unit,
            higher_is_better=chosen.higher_is_better,
            pairs=len(pairs),
            versus=None if reference is None else cells[reference].group.factors,
            interval_confidence=confidence,
        ),
    )


def label(factors: Factors) -> str:
    """`activation=relu, batch_size=128`, in the order given."""
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in factors.items()}
    return ", ".join(f"{name}={value}" for name, value in written.items()) or "all"


def _metric(name: str) -> Metric:
    if name in METRICS:
        return METRICS[name]
    detail = f"{name!r} is not a metric of a comparison; choose one of {', '.join(METRICS)}"
    raise Invalid(detail, errors=[FieldProblem("metric", detail, "unknown_metric", name)])


def _cells(observations: Iterable[Observation]) -> list[_Cell]:
    """A chain of retries belongs as a whole where the experiment that stands for it ran: a retry may meet another
    device, and what it replaced makes no group of its own."""
    cells: dict[frozenset[object], list[list[Observation]]] = defaultdict(list)
    for chain in _chains(observations):
        cells[_key(_standing(chain).factors)].append(chain)
    return [_cell(chains) for chains in cells.values()]


def _chains(observations: Iterable[Observation]) -> Iterable[list[Observation]]:
    """Experiments with those they retry, oldest chain first; the oldest of a chain may be missing."""
    roots: dict[str, str] = {}
    chains: dict[str, list[Observation]] = defaultdict(list)
    for row in sorted(observations, key=_age):
        parent = row.retry_of or row.experiment_id
        roots[row.experiment_id] = roots.get(parent, parent)
        chains[roots[row.experiment_id]].append(row)
    return chains.values()


def _age(row: Observation) -> tuple[datetime, str]:
    return row.created_at, row.experiment_id


def _standing(rows: Iterable[Observation]) -> Observation:
    """The newest that succeeded, else the newest that ended, else the newest."""
    return max(rows, key=lambda row: (row.status == Status.SUCCEEDED, row.status.terminal, _age(row)))


def _key(factors: Factors) -> frozenset[object]:
    # Python holds True for equal to 1; 0 and 0.0 are one dropout.
    return frozenset((name, isinstance(value, bool), value) for name, value in factors.items())


def _cell(chains: Sequence[list[Observation]]) -> _Cell:
    rows = [row for chain in chains for row in chain]
    seeds: dict[int, list[Observation]] = defaultdict(list)
    for row in rows:
        seeds[row.seed].append(row)
    standing = [_standing(same_seed) for same_seed in seeds.values()]
    values = {row.seed: row.figure for row in standing if row.figure is not None}
    n_ended, n_standing = (sum(row.status.terminal for row in some) for some in (rows, standing))
    n_diverged = sum(row.diverged for row in standing)
    group = Group(
        factors=dict(_standing(chains[0]).factors),
        n_duplicate=n_ended - n_standing,
        n_diverged=n_diverged,
        n_failed=n_standing - len(values) - n_diverged,
        n_pending=len(rows) - n_ended,
        interval=statistics.mean_interval(list(values.values())),
        **vars(statistics.describe(list(values.values()))),
    )
    return _Cell(group, values)


def _place(group: Group, metric: Metric) -> tuple[bool, float, str]:
    direction = -1 if metric.higher_is_better else 1
    # To 12 digits: means of the same number of correct answers may differ in the last bit.
    return group.mean is None, direction * float(f"{group.mean or 0.0:.12g}"), label(group.factors)


def _index_of(versus: Factors, cells: Sequence[_Cell]) -> int:
    found = [index for index, cell in enumerate(cells) if _key(versus) <= _key(cell.group.factors)]
    if len(found) == 1:
        return found[0]
    names, code = (f"{len(found)} groups", "ambiguous_group") if found else ("none", "unknown_group")
    detail = f"versus must name one of the groups by its factors; {label(versus)} names {names}"
    raise Invalid(detail, errors=[FieldProblem("versus", detail, code, dict(versus))])


def _sides(groups: int, reference: int | None) -> list[tuple[int, int]]:
    """The pairs of the family as indices of a and b: the better placed first, or each against the reference."""
    if reference is None:
        return list(combinations(range(groups), 2))
    return [(index, reference) for index in range(groups) if index != reference]


def _compare_pairs(sides: Sequence[tuple[_Cell, _Cell]], confidence: float, metric: Metric) -> list[Pair]:
    tests = [_test(a, b, confidence) for a, b in sides]
    # A pair without a test keeps its place, at p = 1: the design says how many are corrected for, not which runs lived.
    adjusted = statistics.holm([1.0 if test is None else test.p for test in tests])
    return [
        _untested(a.group, b.group) if test is None else _tested(a.group, b.group, test, p, metric)
        for (a, b), test, p in zip(sides, tests, adjusted, strict=True)
    ]


def _test(a: _Cell, b: _Cell, confidence: float) -> TTest | None:
    diverged = a.group.n_diverged or b.group.n_diverged
    return None if diverged else statistics.t_test_by_seed(a.values, b.values, confidence)


def _tested(a: Group, b: Group, test: TTest, p_holm: float, metric: Metric) -> Pair:
    verdict: Verdict = "not separable"
    if p_holm <= ALPHA:
        verdict = "better" if (test.difference > 0) == metric.higher_is_better else "worse"
    return Pair(a=a.factors, b=b.factors, p_holm=p_holm, verdict=verdict, **vars(test))


def _untested(a: Group, b: Group) -> Pair:
    difference = None if a.mean is None or b.mean is None else a.mean - b.mean
    if not (a.n_diverged or b.n_diverged):
        return Pair(a=a.factors, b=b.factors, difference=difference, verdict="not tested")
    rates = statistics.compare_rates(a.n_diverged, a.n_diverged + a.n, b.n_diverged, b.n_diverged + b.n)
    return Pair(a=a.factors, b=b.factors, difference=difference, verdict="not separable (diverged)", diverged=rates)


def _ranked(groups: Sequence[Group], sides: Sequence[tuple[int, int]], pairs: Sequence[Pair]) -> list[Group]:
    decided = [(side, pair.verdict) for side, pair in zip(sides, pairs, strict=True)]
    wins = [(a, b) for (a, b), verdict in decided if verdict == "better"]
    wins += [(b, a) for (a, b), verdict in decided if verdict == "worse"]
    ranks = statistics.rank_ranges(len(groups), wins)
    return [group.model_copy(update={"rank": rank}) for group, rank in zip(groups, ranks, strict=True)]
