"""What a comparison is made of: one row an experiment, final figures only, no epoch rows."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from service.domain import factors
from service.domain.comparisons import Factors, Observation
from service.domain.errors import FieldProblem, Invalid
from service.domain.status import Cause, Status
from service.storage.experiments import Filter
from service.storage.tables import Experiment


def observations(
    session: Session, narrowed: Filter, metric: str, group_by: list[str], *, allow_mixed: bool
) -> list[Observation]:
    """The experiments of a comparison. Invalid when a group would pool what must not be pooled: other specs, or,
    unless `allow_mixed`, other device kinds, precisions or versions."""
    columns = (
        Experiment.id, Experiment.seed, Experiment.spec, Experiment.condition, Experiment.status, Experiment.cause,
        Experiment.created_at, Experiment.retry_of, Experiment.device, Experiment.precision, Experiment.code,
        getattr(Experiment, metric).label("value"),
    )  # fmt: skip
    rows = session.execute(select(*columns).where(*narrowed.conditions())).all()
    grouped = [(row, {path: factors.value(row.spec, path) for path in group_by}) for row in rows]
    _refuse_pooled_specs(grouped)
    if metric == "seconds":  # of two devices they have no mean
        _refuse_mixed_machines(rows, "narrow the filter")
    elif not allow_mixed:
        _refuse_mixed_machines(rows, "say allow_mixed=true")
    return [_observation(row, cell) for row, cell in grouped]


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


def _refuse_pooled_specs(grouped: Iterable[tuple[Row[Any], Factors]]) -> None:
    first: dict[tuple[object, ...], Row[Any]] = {}
    for row, cell in grouped:
        other = first.setdefault(tuple(cell.values()), row)
        if other.condition != row.condition:
            fields = ", ".join(factors.differing(other.spec, row.spec))
            reason = (
                f"A group would pool experiments that differ in {fields}; add that to group_by, or narrow the filter"
            )
            raise Invalid(f"{reason}.", errors=[FieldProblem("group_by", reason, "pooled_specs")])


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
