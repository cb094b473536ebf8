"""The cells of a set of experiments, from which comparisons are made: final figures only, without epoch rows.

A comparison over a hundred thousand experiments must not read a row for each. Values and seeds come packed, one row a
condition; only experiments without a value, and seeds with several successes, come as rows of their own.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, case, column, select, values
from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.comparisons.cells import Cell, Factors, Run, cell, key
from service.domain.comparisons.machines import machine_name, on_machine
from service.domain.comparisons.metrics import OF_THE_MACHINE, Metric, metric_of
from service.domain.comparisons.refusals import Confounded, MixedMachines
from service.domain.comparisons.same import suspects
from service.domain.statistics.images import image_interval
from service.domain.statistics.summary import Interval
from service.domain.status import Cause, Status
from service.storage.engine.aggregates import packed
from service.storage.records.experiments import Filter
from service.storage.tables.experiments import Experiment, Result

MOST_IMAGE_RESULTS = 2_000
"""The most results whose correctness bits one answer reads: 2.5 MB over 10,000 test images."""

MACHINE = ("device", "precision", "code")
HARDWARE = ("device", "device_name", "threads")

CORRECT_BITS: Mapping[str, Any] = {
    "test_accuracy": Result.last_correct,
    "best_test_accuracy": Result.best_correct,
}


COMPUTED = ("epochs_done", "test_accuracy", "test_loss", "best_epoch", "best_test_accuracy", "best_test_loss",
            "validation_accuracy", "validation_loss", "best_validation_accuracy", "best_validation_loss")  # fmt: skip
"""Figures that are equal for runs that are equal bit for bit. `early_loss` is not: it is measured with diagnostics."""


@dataclass(frozen=True)
class Gathered:
    """The cells of a set of experiments, and the factors of each condition in it."""

    cells: list[Cell]
    factors: Mapping[str, Factors]


class _Origin(NamedTuple):
    """The condition of runs and, of figures that are not pooled over machines, the machine."""

    condition: str
    machine: str | None = None


class _Measured(NamedTuple):
    """The values of one condition on one machine; `versions` are device kind, precision and version of the code."""

    origin: _Origin
    versions: tuple[str, str, str]
    seeds: Sequence[int]
    values: Sequence[float]


@dataclass
class _Parts:
    """The parts of one cell: the values, and the runs without a value or with repeated seeds."""

    factors: Factors
    figures: list[_Measured]
    others: list[Run]


def gather(session: Session, filters: Filter, metric: str, group_by: Sequence[str], *, allow_mixed: bool) -> Gathered:
    """Return the cells of the experiments that `filters` select.

    Raises Confounded where they differ in more than seed and `group_by`: within a cell that would pool different
    conditions, and between cells it would attribute the effect of one field to another. Raises MixedMachines, unless
    `allow_mixed`, where device kinds, precisions or versions differ. Figures of the machine have one cell for each
    machine where there are several.
    """
    chosen = metric_of(metric)
    where, figure = filters.conditions(), getattr(Experiment, chosen.column or chosen.name)
    figures = _figures(session, where, figure, by_machine=metric in OF_THE_MACHINE)
    others = _others(session, where, figure, unmeasured=not chosen.always_taken)
    specs = specs_of(session, {row.origin.condition for row in figures} | {condition for condition, _ in others})
    refuse_confounded(list(specs.values()), group_by)
    refuse_mixed_machines({row.versions for row in figures}, metric, allow_mixed)
    named = {condition: factors_of(spec, group_by) for condition, spec in specs.items()}
    parts: dict[frozenset[object], _Parts] = {}
    for row in figures:
        _part(parts, on_machine(named[row.origin.condition], row.origin.machine)).figures.append(row)
    for (condition, run), machine in zip(others, _machines_of(others, figures), strict=True):
        _part(parts, on_machine(named[condition], machine)).others.append(run)
    repeated = _repeated(session, where, figure, parts.values())
    images = {key(named[condition]): chosen.images(spec) for condition, spec in specs.items()}
    cells = [replace(_cell(part, repeated, chosen), images=images.get(name)) for name, part in parts.items()]
    return Gathered(cells if metric in OF_THE_MACHINE else _with_bits(session, where, cells, parts), named)


def _with_bits(
    session: Session,
    where: Sequence[ColumnElement[bool]],
    cells: Sequence[Cell],
    parts: Mapping[frozenset[object], _Parts],
) -> list[Cell]:
    """Return the cells, those that may be the same as another with what their runs computed.

    Mostly no cells are suspects, and nothing is read.
    """
    conditions = {name: {row.origin.condition for row in parts[name].figures} for name in map(_key, suspects(cells))}
    if not conditions:
        return list(cells)
    bits = _bits(session, where, frozenset().union(*conditions.values()))
    return [
        replace(cell, bits={seed: text for condition in conditions.get(_key(cell), ())
                            for seed, text in bits[condition].items()})
        for cell in cells
    ]  # fmt: skip


def _bits(
    session: Session, where: Sequence[ColumnElement[bool]], conditions: Collection[str]
) -> dict[str, dict[int, str]]:
    """Return what the newest success of each condition and seed computed, and with what, as a hash."""
    without_checksum = (case((Result.checksum.is_(None), bits)) for bits in (Result.last_correct, Result.best_correct))
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Result.fingerprint, Result.checksum)
    query = select(*columns, *(getattr(Experiment, name) for name in COMPUTED), *without_checksum)
    joined = query.join(Result, Result.experiment_id == Experiment.id)
    among = (Experiment.condition.in_(conditions), Experiment.status == Status.SUCCEEDED)
    bits: dict[str, dict[int, str]] = defaultdict(dict)
    for id, condition, seed, fingerprint, *computed in session.execute(
        joined.where(*where, *among).order_by(Experiment.id)
    ):
        # A run that went on under another fingerprint is equal to none.
        origin = id if fingerprint.get("mixed") else sorted(fingerprint.items())
        bits[condition][seed] = hashlib.sha256(repr((origin, computed)).encode()).hexdigest()
    return bits


def _key(cell: Cell) -> frozenset[object]:
    return key(cell.factors)


def image_intervals(
    session: Session, filters: Filter, metric: str, gathered: Gathered
) -> dict[frozenset[object], Interval | None]:
    """Return the bootstrap interval over test images of each cell, by the key of its factors.

    Empty for a metric that does not count images, and for more than MOST_IMAGE_RESULTS results.
    """
    bits = CORRECT_BITS.get(metric)
    if bits is None or sum(len(cell.values) + cell.n_duplicate for cell in gathered.cells) > MOST_IMAGE_RESULTS:
        return {}
    columns = (Experiment.condition, Experiment.seed, bits.label("bits"), Result.confusion_matrix)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    rows = session.execute(joined.where(*filters.conditions()).order_by(Experiment.id))
    correct: dict[frozenset[object], dict[int, Any]] = defaultdict(dict)
    for row in rows:  # the newest of several of one seed replaces the others, as in its cell
        correct[key(gathered.factors[row.condition])][row.seed] = unpacked(row.bits, row.confusion_matrix)
    return {name: image_interval(np.stack(list(seeds.values()))) for name, seeds in correct.items()}


def unpacked(bits: bytes, confusion_matrix: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Return whether each test image was classified correctly. The confusion matrix gives the number of images."""
    images = sum(map(sum, confusion_matrix))
    return np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=images).astype(np.bool_)


def specs_of(session: Session, conditions: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return one spec of each condition; the others of a condition differ in their seeds alone."""
    if not conditions:
        return {}
    listed = (
        values(column("condition", Experiment.condition.type), name="listed")
        .data([(condition,) for condition in conditions])
        .cte("listed")
    )
    any_id = select(Experiment.id).where(Experiment.condition == listed.c.condition).limit(1).correlate(listed)
    ids = select(any_id.scalar_subquery()).select_from(listed)
    query = select(Experiment.condition, Experiment.spec).where(Experiment.id.in_(ids))
    return {row.condition: row.spec for row in session.execute(query)}


def factors_of(spec: Mapping[str, Any], group_by: Sequence[str]) -> Factors:
    return {path: factors.value(spec, path) for path in group_by}


def refuse_confounded(specs: Sequence[Mapping[str, Any]], group_by: Sequence[str]) -> None:
    """Raise Confounded where specs differ in fields that are not grouped by."""
    if not specs:
        return
    rests = [factors.without(spec, group_by) for spec in specs]
    fields = dict.fromkeys(name for rest in rests for name in factors.differing(rests[0], rest))
    if fields:
        raise Confounded(fields)


def _figures(
    session: Session, where: Sequence[ColumnElement[bool]], figure: Any, *, by_machine: bool
) -> list[_Measured]:
    """Return the values of the experiments that have one, by condition and versions, and by machine where there are
    several."""
    names = dict.fromkeys((*MACHINE, *(HARDWARE if by_machine else ())))
    keys = [Experiment.condition, *(getattr(Experiment, name) for name in names)]
    measured = (*where, Experiment.status == Status.SUCCEEDED, figure.is_not(None))
    query = select(*keys, packed(Experiment.seed).label("seeds"), packed(figure).label("figures"))
    rows = session.execute(query.where(*measured).group_by(*keys)).all()
    several = by_machine and len({_machine(row) for row in rows}) > 1
    return [
        _Measured(
            _Origin(row.condition, _machine(row) if several else None),
            (row.device, row.precision, row.code),
            row.seeds,
            row.figures,
        )
        for row in rows
    ]


def _machine(row: Any) -> str | None:
    return machine_name(*(getattr(row, name) for name in HARDWARE))


def _machines_of(others: Sequence[tuple[str, Run]], figures: Sequence[_Measured]) -> list[str | None]:
    """Return the machine that each experiment without a value counts with, since that of a success alone is stored.

    It is the machine of a value of its condition and seed, else that of most values of its condition, else that of most
    values.
    """
    if all(row.origin.machine is None for row in figures):
        return [None] * len(others)
    of_seeds = {(row.origin.condition, seed): row.origin.machine for row in figures for seed in row.seeds}
    counts: dict[str | None, Counter[str | None]] = defaultdict(Counter)
    for row in figures:
        for condition in (row.origin.condition, None):
            counts[condition][row.origin.machine] += len(row.seeds)
    most = {condition: max(sorted(times, key=str), key=times.__getitem__) for condition, times in counts.items()}
    return [of_seeds.get((condition, run.seed), most.get(condition, most.get(None))) for condition, run in others]


def _others(
    session: Session, where: Sequence[ColumnElement[bool]], figure: Any, *, unmeasured: bool
) -> list[tuple[str, Run]]:
    """Return the experiments without a value, each with its condition.

    Those that have not succeeded are found by an index. Those that succeeded without this figure need a scan of the
    set, unless it is the test accuracy, which every success has.
    """
    without: list[ColumnElement[bool]] = [Experiment.status.in_(frozenset(Status) - {Status.SUCCEEDED})]
    if figure is not Experiment.test_accuracy:
        without.append(and_(Experiment.status == Status.SUCCEEDED, figure.is_(None)))
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause)
    results = (session.execute(select(*columns).where(*where, condition)) for condition in without)
    return [(row.condition, _run(row, None, unmeasured=unmeasured)) for rows in results for row in rows]


def _repeated(
    session: Session, where: Sequence[ColumnElement[bool]], figure: Any, parts: Iterable[_Parts]
) -> dict[tuple[_Origin, int], list[Run]]:
    """Return the runs of seeds with several successes in one cell, by origin and seed."""
    seeds = {(origin, seed) for part in parts for origin, seed in _seeds_repeated(part)}
    if not seeds:
        return {}
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause,
               figure.label("value"), *(getattr(Experiment, name) for name in HARDWARE))  # fmt: skip
    pooled = all(origin.machine is None for origin, _ in seeds)
    conditions = {origin.condition for origin, _ in seeds}
    among = (Experiment.condition.in_(conditions), Experiment.status == Status.SUCCEEDED)
    runs: dict[tuple[_Origin, int], list[Run]] = defaultdict(list)
    for row in session.execute(select(*columns).where(*where, *among, figure.is_not(None))):
        origin = _Origin(row.condition, None if pooled else _machine(row))
        if (origin, row.seed) in seeds:
            runs[origin, row.seed].append(_run(row, row.value))
    return runs


def _seeds_repeated(part: _Parts) -> list[tuple[_Origin, int]]:
    if len(set().union(*(row.seeds for row in part.figures))) == sum(len(row.seeds) for row in part.figures):
        return []
    times = Counter(seed for row in part.figures for seed in row.seeds)
    return [(row.origin, seed) for row in part.figures for seed in set(row.seeds) if times[seed] > 1]


def _cell(part: _Parts, repeated: Mapping[tuple[_Origin, int], list[Run]], metric: Metric) -> Cell:
    alone: dict[int, float] = {}
    several = {
        (row.origin, seed): repeated[row.origin, seed]
        for row in part.figures
        for seed in (row.seeds if repeated else ())
        if (row.origin, seed) in repeated
    }
    for row in part.figures:
        alone.update(zip(row.seeds, row.values, strict=True))
    for _, seed in several:
        alone.pop(seed, None)
    whole = cell(part.factors, [*part.others, *(run for runs in several.values() for run in runs)], alone)
    if not metric.logarithm:
        return whole
    return replace(whole, values={seed: metric.of(value) for seed, value in whole.values.items()})


def _part(parts: dict[frozenset[object], _Parts], named: Factors) -> _Parts:
    return parts.setdefault(key(named), _Parts(named, [], []))


def _run(row: Any, value: float | None, *, unmeasured: bool = False) -> Run:
    id: UUID = row.id
    cause = None if row.cause is None else Cause(row.cause)
    return Run(id.hex, row.seed, Status(row.status), cause, value, unmeasured)


def refuse_mixed_machines(machines: Collection[Sequence[str]], metric: str, allow_mixed: bool) -> None:
    """Raise MixedMachines where machines, as (device, precision, code), differ and may not be pooled.

    Times are grouped by device, and are pooled over neither precisions nor versions.
    """
    times = metric in OF_THE_MACHINE
    if allow_mixed and not times:
        return
    kinds = {name: {machine[place] for machine in machines} for place, name in enumerate(MACHINE)}
    mixed = {name: values for name, values in kinds.items() if len(values) > 1 and not (times and name == "device")}
    if mixed:
        raise MixedMachines(mixed, poolable=not times)
