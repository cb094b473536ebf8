"""What a comparison is made of: the cells of a set of experiments, from final figures only, without epoch rows.

A comparison over a hundred thousand experiments is asked of the database once: values and seeds come a condition at a
time, and only what needs judging one by one (experiments without a value, seeds that several succeeded for) as rows.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, column, select, values
from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.comparisons.cells import Cell, Factors, Run, cell, key
from service.domain.comparisons.metrics import OF_THE_MACHINE, Metric, metric_of
from service.domain.comparisons.refusals import Confounded, MixedMachines
from service.domain.statistics.images import image_interval
from service.domain.statistics.summary import Interval
from service.domain.status import Cause, Status
from service.storage.engine.aggregates import packed
from service.storage.records.experiments import Filter
from service.storage.tables.experiments import Experiment, Result

MOST_IMAGE_RESULTS = 2_000
"""Results whose correctness bits are read for one answer: 2.5 MB of them over 10,000 test images."""

MACHINE = ("device", "precision", "code")

CORRECT_BITS: Mapping[str, Any] = {
    "test_accuracy": Result.last_correct,
    "best_test_accuracy": Result.best_correct,
}


@dataclass(frozen=True)
class Gathered:
    """The cells of a set, and the factors of each condition that they were made of."""

    cells: list[Cell]
    factors: Mapping[str, Factors]


@dataclass
class _Parts:
    """One cell in the making: (condition, seed, value) of those with a value, and all others."""

    factors: Factors
    figures: list[tuple[str, Sequence[int], Sequence[float]]]
    others: list[Run]


def gather(session: Session, narrowed: Filter, metric: str, group_by: Sequence[str], *, allow_mixed: bool) -> Gathered:
    """The cells of these experiments. Invalid where they differ in more than seed and `group_by`: within a group that
    would pool unlike things, between groups it would credit one field with the work of another. Unless `allow_mixed`,
    also where device kinds, precisions or versions differ."""
    chosen = metric_of(metric)
    where, figure = narrowed.conditions(), getattr(Experiment, chosen.column or chosen.name)
    figures = _figures(session, where, figure)
    others = _others(session, where, figure, unmeasured=not chosen.always_taken)
    specs = specs_of(session, {row[0] for row in figures} | {condition for condition, _ in others})
    refuse_confounded(list(specs.values()), group_by)
    refuse_mixed_machines({row[1:4] for row in figures}, metric, allow_mixed)
    named = {condition: factors_of(spec, group_by) for condition, spec in specs.items()}
    parts: dict[frozenset[object], _Parts] = {}
    for condition, *_, seeds, found in figures:
        _part(parts, named[condition]).figures.append((condition, seeds, found))
    for condition, run in others:
        _part(parts, named[condition]).others.append(run)
    repeated = _repeated(session, where, figure, parts.values())
    return Gathered([_cell(part, repeated, chosen) for part in parts.values()], named)


def image_intervals(
    session: Session, narrowed: Filter, metric: str, gathered: Gathered
) -> dict[frozenset[object], Interval | None]:
    """The bootstrap interval over test images of each cell, for a metric that counts images; empty for any other, and
    for more results than are read for one answer."""
    bits = CORRECT_BITS.get(metric)
    if bits is None or sum(len(cell.values) + cell.n_duplicate for cell in gathered.cells) > MOST_IMAGE_RESULTS:
        return {}
    columns = (Experiment.condition, Experiment.seed, bits.label("bits"), Result.confusion_matrix)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    rows = session.execute(joined.where(*narrowed.conditions()).order_by(Experiment.id))
    correct: dict[frozenset[object], dict[int, Any]] = defaultdict(dict)
    for row in rows:  # of several of one seed the newest stands, as in its cell
        correct[key(gathered.factors[row.condition])][row.seed] = unpacked(row.bits, row.confusion_matrix)
    return {name: image_interval(np.stack(list(seeds.values()))) for name, seeds in correct.items()}


def unpacked(bits: bytes, confusion_matrix: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Whether each test image was classified rightly, from the bits of a result; its matrix says how many there are."""
    images = sum(map(sum, confusion_matrix))
    return np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=images).astype(np.bool_)


def specs_of(session: Session, conditions: Collection[str]) -> dict[str, dict[str, Any]]:
    """The spec of each condition, read once: the others of it repeat it with other seeds."""
    if not conditions:
        return {}
    wanted = values(column("condition", Experiment.condition.type), name="wanted").data(
        [(each,) for each in conditions]
    )
    asked = wanted.cte("wanted")
    one = select(Experiment.id).where(Experiment.condition == asked.c.condition).limit(1).correlate(asked)
    ids = select(one.scalar_subquery()).select_from(asked)
    found = select(Experiment.condition, Experiment.spec).where(Experiment.id.in_(ids))
    return {row.condition: row.spec for row in session.execute(found)}


def factors_of(spec: Mapping[str, Any], group_by: Sequence[str]) -> Factors:
    return {path: factors.value(spec, path) for path in group_by}


def refuse_confounded(specs: Sequence[Mapping[str, Any]], group_by: Sequence[str]) -> None:
    """Invalid where specs differ in a field that is not grouped by, naming the fields."""
    if not specs:
        return
    rests = [factors.without(spec, group_by) for spec in specs]
    fields = dict.fromkeys(name for rest in rests for name in factors.differing(rests[0], rest))
    if fields:
        names = ", ".join(fields)
        reason = f"The experiments differ in {names} too; add that to group_by, or narrow the filter"
        raise Confounded(reason)


def _figures(session: Session, where: Sequence[ColumnElement[bool]], figure: Any) -> Sequence[Any]:
    """(condition, device, precision, code, seeds, values) of the experiments that have a value."""
    alike = [Experiment.condition, *(getattr(Experiment, name) for name in MACHINE)]
    held = (*where, Experiment.status == Status.SUCCEEDED, figure.is_not(None))
    found = select(*alike, packed(Experiment.seed), packed(figure)).where(*held).group_by(*alike)
    return session.execute(found).all()


def _others(
    session: Session, where: Sequence[ColumnElement[bool]], figure: Any, *, unmeasured: bool
) -> list[tuple[str, Run]]:
    """Those without a value: all that have not succeeded, by an index; and who succeeded without this figure, for which
    the set is scanned unless it is the one figure that every success has."""
    without: list[ColumnElement[bool]] = [Experiment.status.in_(frozenset(Status) - {Status.SUCCEEDED})]
    if figure is not Experiment.test_accuracy:
        without.append(and_(Experiment.status == Status.SUCCEEDED, figure.is_(None)))
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause)
    found = (session.execute(select(*columns).where(*where, each)) for each in without)
    return [(row.condition, _run(row, None, unmeasured=unmeasured)) for rows in found for row in rows]


def _repeated(
    session: Session, where: Sequence[ColumnElement[bool]], figure: Any, parts: Iterable[_Parts]
) -> dict[tuple[str, int], list[Run]]:
    """The runs of the seeds that several succeeded for in one cell, by condition and seed."""
    seeds = {(condition, seed) for part in parts for condition, seed in _seeds_repeated(part)}
    if not seeds:
        return {}
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause,
               figure.label("value"))  # fmt: skip
    among = (Experiment.condition.in_({condition for condition, _ in seeds}), Experiment.status == Status.SUCCEEDED)
    found: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for row in session.execute(select(*columns).where(*where, *among, figure.is_not(None))):
        if (row.condition, row.seed) in seeds:
            found[row.condition, row.seed].append(_run(row, row.value))
    return found


def _seeds_repeated(part: _Parts) -> list[tuple[str, int]]:
    if len({seed for _, seeds, _ in part.figures for seed in seeds}) == sum(len(seeds) for _, seeds, _ in part.figures):
        return []
    times = Counter(seed for _, seeds, _ in part.figures for seed in seeds)
    return [(condition, seed) for condition, seeds, _ in part.figures for seed in set(seeds) if times[seed] > 1]


def _cell(part: _Parts, repeated: Mapping[tuple[str, int], list[Run]], metric: Metric) -> Cell:
    alone: dict[int, float] = {}
    several = {
        (condition, seed): repeated[condition, seed]
        for condition, seeds, _ in part.figures
        for seed in (seeds if repeated else ())
        if (condition, seed) in repeated
    }
    for _, seeds, found in part.figures:
        alone.update(zip(seeds, found, strict=True))
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


def refuse_mixed_machines(found: Collection[Sequence[str]], metric: str, allow_mixed: bool) -> None:
    seconds = metric in OF_THE_MACHINE
    if allow_mixed and not seconds:
        return
    kinds = {name: {row[place] for row in found} for place, name in enumerate(MACHINE)}
    mixed = [f"{name} ({', '.join(sorted(kind))})" for name, kind in kinds.items() if len(kind) > 1]
    if mixed:
        remedy = "narrow the filter" if seconds else "narrow the filter, or say allow_mixed=true"
        reason = f"The experiments differ in {' and '.join(mixed)}, which no group may pool; {remedy}"
        raise MixedMachines(reason)
