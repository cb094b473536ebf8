"""Figures of a report beside its comparisons: machines, counts by status, experiments that did not finish."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.report import Machine, Unfinished
from service.domain.status import Cause, Status
from service.storage.analysis import comparisons
from service.storage.records.experiments import Filter
from service.storage.tables.experiments import Experiment, Result


def machines(session: Session, filters: Filter) -> list[Machine]:
    """Return each fingerprint among the results with its number of experiments, the most frequent first."""
    query = select(Result.fingerprint).join(Experiment, Experiment.id == Result.experiment_id)
    fingerprints = session.scalars(query.where(*filters.conditions()))
    counts = Counter(tuple(sorted(fingerprint.items())) for fingerprint in fingerprints)
    return [_machine(dict(fingerprint), number) for fingerprint, number in counts.most_common()]


def unfinished(session: Session, filters: Filter, group_by: Sequence[str]) -> list[Unfinished]:
    """Return experiments that failed or were cancelled, those of one condition and cause together."""
    columns = (Experiment.condition, Experiment.seed, Experiment.status, Experiment.cause)
    ended = Experiment.status.in_((Status.FAILED, Status.CANCELLED))
    rows = session.execute(select(*columns).where(*filters.conditions(), ended).order_by(Experiment.id)).all()
    specs = comparisons.specs_of(session, {row.condition for row in rows})
    seeds: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in rows:
        seeds[row.condition, row.status, row.cause].append(row.seed)
    return [
        Unfinished(
            comparisons.factors_of(specs[condition], group_by),
            Status(status),
            cause,
            Cause(cause).remedy,
            sorted(set(numbers)),
        )
        for (condition, status, cause), numbers in seeds.items()
    ]


def counts(session: Session, filters: Filter) -> dict[Status, int]:
    counted = select(Experiment.status, func.count()).where(*filters.conditions()).group_by(Experiment.status)
    numbers = {Status(status): number for status, number in session.execute(counted)}
    return {status: numbers[status] for status in Status if status in numbers}


def _machine(fingerprint: dict[str, Any], experiments: int) -> Machine:
    versions = {"actlab": fingerprint["code"], "torch": fingerprint["torch"], "numpy": fingerprint["numpy"]}
    shared = ("device", "device_name", "instruction_set", "threads", "precision", "execution", "mixed")
    return Machine(experiments=experiments, versions=versions, **{name: fingerprint[name] for name in shared})
