"""The traces that curves are drawn of: the epochs of the run that stands for each seed of each group."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.choices import PublishedName
from service.domain.comparisons.cells import Factors, Run, key, standing
from service.domain.comparisons.curves import CURVE_METRICS, CurveMetricName, Curves, Trace, curve, curves, level_of
from service.domain.comparisons.refusals import TooManyTraces
from service.domain.spec import ExperimentSpec
from service.domain.status import Cause, Status
from service.storage.analysis.comparisons import factors_of, refuse_confounded, refuse_mixed_machines, specs_of
from service.storage.records.experiments import Filter
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment

MOST_EXPERIMENTS = 20_000
MOST_EPOCHS = 250_000
"""The most that one answer reads: an epoch takes about 3 µs, and more seeds would not change a curve visibly."""


@dataclass(frozen=True)
class Traced:
    """A group, with the trace of one run for each seed."""

    factors: Factors
    traces: Mapping[int, Trace]
    n_diverged: int
    one_device: bool


@dataclass(frozen=True)
class TracedSet:
    """The groups in a fixed order, and the spec fields in which they differ from the main article's protocol."""

    groups: list[Traced]
    differs: list[str]


def gather(
    session: Session,
    filters: Filter,
    metric: CurveMetricName,
    group_by: Sequence[str],
    *,
    allow_mixed: bool = False,
    seeds: bool = False,
    level: float | None = None,
    published: PublishedName | None = None,
) -> Curves:
    """Return the mean curve of each group of the experiments that `filters` select.

    Raises a Refusal as `trace` does, and Invalid for a level of a figure that has none.
    """
    options: dict[str, Any] = {"seeds": seeds, "level": level_of(metric, level)}
    traced = trace(session, filters, metric, group_by, allow_mixed=allow_mixed)
    groups = [
        curve(group.factors, group.traces, n_diverged=group.n_diverged, one_device=group.one_device, **options)
        for group in traced.groups
    ]
    return curves(metric, groups, published, traced.differs)


def trace(session: Session, filters: Filter, metric: str, group_by: Sequence[str], *, allow_mixed: bool) -> TracedSet:
    """Return the traces of the experiments that `filters` select, running ones included.

    Of several runs of one seed, the trace is of the one that would stand for it in a comparison. Raises Confounded and
    MixedMachines as a comparison does, and TooManyTraces for more rows than one answer reads.
    """
    where = filters.conditions()
    _refuse_too_many(session, where)
    rows = _rows(session, where)
    specs = specs_of(session, {row.condition for row in rows})
    refuse_confounded(list(specs.values()), group_by)
    if rows:
        refuse_mixed_machines({_machine(row) for row in rows if row.status == Status.SUCCEEDED}, metric, allow_mixed)
    named = {condition: factors_of(spec, group_by) for condition, spec in specs.items()}
    groups: dict[frozenset[object], list[Any]] = defaultdict(list)
    for row in rows:
        groups[key(named[row.condition])].append(row)
    traces = _traces(session, where, CURVE_METRICS[metric].columns)
    traced = [_traced(named[members[0].condition], members, traces) for members in groups.values()]
    return TracedSet(sorted(traced, key=lambda group: _place(group.factors)), _differs(specs.values()))


def _refuse_too_many(session: Session, where: Sequence[Any]) -> None:
    counted = select(func.count(), func.coalesce(func.sum(Experiment.epochs_done), 0)).where(*where)
    experiments, epochs = session.execute(counted).one()
    if experiments > MOST_EXPERIMENTS or epochs > MOST_EPOCHS:
        raise TooManyTraces(experiments, epochs, MOST_EXPERIMENTS, MOST_EPOCHS)


def _rows(session: Session, where: Sequence[Any]) -> Sequence[Any]:
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause,
               Experiment.device, Experiment.device_name, Experiment.threads, Experiment.precision, Experiment.code,
               Experiment.execution)  # fmt: skip
    return session.execute(select(*columns).where(*where)).all()


def _machine(row: Any) -> tuple[str, str, str]:
    return row.device, row.precision, row.code


def _traces(session: Session, where: Sequence[Any], columns: Sequence[str]) -> dict[UUID, Trace]:
    figure = sum((getattr(Epoch, name) for name in columns[1:]), getattr(Epoch, columns[0]))
    joined = select(Epoch.experiment_id, figure, Epoch.seconds).join(Experiment, Experiment.id == Epoch.experiment_id)
    rows = session.execute(joined.where(*where).order_by(Epoch.experiment_id, Epoch.epoch))
    return {id: _trace(epochs) for id, epochs in groupby(rows, key=lambda row: row[0])}


def _trace(rows: Iterable[Any]) -> Trace:
    figures, seconds = [], []
    for _, figure, spent in rows:
        figures.append(float("nan") if figure is None else figure)
        seconds.append(spent)
    return Trace(figures, seconds)


def _traced(named: Factors, rows: Sequence[Any], traces: Mapping[UUID, Trace]) -> Traced:
    seeds: dict[int, list[Run]] = defaultdict(list)
    for row in rows:
        cause = None if row.cause is None else Cause(row.cause)
        seeds[row.seed].append(Run(row.id.hex, row.seed, Status(row.status), cause, unmeasured=True))
    stand = {seed: standing(runs) for seed, runs in seeds.items()}
    empty = Trace([], [])
    return Traced(
        named,
        {seed: traces.get(UUID(run.id), empty) for seed, run in stand.items()},
        sum(run.diverged for run in stand.values()),
        one_device=all(len(_known(rows, name)) <= 1 for name in ("device", "device_name", "threads")),
    )


def _known(rows: Sequence[Any], name: str) -> set[Any]:
    """Return the values of a column of the machine, which the execution has before the run has succeeded."""
    return {getattr(row, name) or (row.execution or {}).get(name) for row in rows} - {None}


def _place(named: Factors) -> list[tuple[str, float, str]]:
    """Return the sort key of a group: numbers by size, other values by their text."""
    return [
        (name, float(value) if isinstance(value, int | float) else 0.0, str(value)) for name, value in named.items()
    ]


def _differs(specs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the fields, activation aside, in which specs differ from the main article's protocol."""
    protocol = ExperimentSpec.model_validate({"activation": "relu"}).model_dump(mode="json", exclude={"activation"})
    others = ({name: value for name, value in spec.items() if name != "activation"} for spec in specs)
    return list(dict.fromkeys(name for spec in others for name in factors.differing(protocol, spec)))
