"""What a comparison is made of: one row an experiment, final figures only, no epoch rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.comparisons import Factors, Observation
from service.domain.errors import FieldProblem, Invalid
from service.domain.status import Cause, Status
from service.storage.experiments import Filter
from service.storage.tables import Experiment


def observations(
    session: Session, narrowed: Filter, metric: str, group_by: Sequence[str], *, allow_mixed: bool
) -> list[Observation]:
    """The experiments of a comparison. Invalid where they differ in more than seed and `group_by`: within a group that
    would pool unlike things, between groups it would credit one field with the work of another. Unless `allow_mixed`,
    also where device kinds, precisions or versions differ."""
    columns = (
        Experiment.id, Experiment.seed, Experiment.condition, Experiment.status, Experiment.cause,
        Experiment.created_at, Experiment.retry_of, Experiment.device, Experiment.precision, Experiment.code,
        getattr(Experiment, metric).label("value"),
    )  # fmt: skip
    rows = session.execute(select(*columns).where(*narrowed.conditions())).all()
    specs = _specs(session, narrowed)
    _refuse_confounded(list(specs.values()), group_by)
    if metric == "seconds":  # of two devices they have no mean
        _refuse_mixed_machines(rows, "narrow the filter")
    elif not allow_mixed:
        _refuse_mixed_machines(rows, "narrow the filter, or say allow_mixed=true")
    cells = {condition: {path: factors.value(spec, path) for path in group_by} for condition, spec in specs.items()}
    return [_observation(row, cells[row.condition]) for row in rows]


def _specs(session: Session, narrowed: Filter) -> dict[str, dict[str, Any]]:
    """The spec of each condition, read once: the others of it repeat it with other seeds."""
    place = func.row_number().over(partition_by=Experiment.condition, order_by=Experiment.id).label("place")
    ranked = select(Experiment.condition, Experiment.spec, place).where(*narrowed.conditions()).subquery()
    found = session.execute(select(ranked.c.condition, ranked.c.spec).where(ranked.c.place == 1))
    return {row.condition: row.spec for row in found}


def _observation(row: Row[Any], cell: Factors) -> Observation:
    return Observation(
        experiment_id=str(row.id),
        seed=row.seed,
        factors=cell,
        status=Status(row.status),
        cause=None if row.cause is None else Cause(row.cause),
        value=row.value,
        created_at=row.created_at,
        retry_of=None if row.retry_of is None else str(row.retry_of),
    )


def _refuse_confounded(specs: Sequence[Mapping[str, Any]], group_by: Sequence[str]) -> None:
    if not specs:
        return
    rests = [factors.without(spec, group_by) for spec in specs]
    fields = dict.fromkeys(name for rest in rests for name in factors.differing(rests[0], rest))
    if fields:
        names = ", ".join(fields)
        reason = f"The experiments differ in {names} too; add that to group_by, or narrow the filter"
        raise Invalid(f"{reason}.", errors=[FieldProblem("group_by", reason, "confounded")])


def _refuse_mixed_machines(rows: Iterable[Row[Any]], remedy: str) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.status == Status.SUCCEEDED:
            for name in ("device", "precision", "code"):
                found[name].add(getattr(row, name))
    mixed = [f"{name} ({', '.join(sorted(values))})" for name, values in found.items() if len(values) > 1]
    if mixed:
        reason = f"The experiments differ in {' and '.join(mixed)}, which no group may pool; {remedy}"
        raise Invalid(f"{reason}.", errors=[FieldProblem("allow_mixed", reason, "mixed_machines")])
