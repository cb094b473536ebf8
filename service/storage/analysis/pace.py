"""The pace of recent experiments, and the time that the queue will take at it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.estimates import Pace, PlannedCell, estimate
from service.domain.spec import SPEC_VERSION, ExperimentSpec
from service.domain.status import ACTIVE
from service.storage.records import workers
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment

RECENT = 200
"""The number of newest experiments with an epoch that are read."""


MOST_CELLS = 200
"""The number of cells of the queue whose specs are read; the others are taken to be like them."""


def recent(session: Session) -> list[Pace]:
    """Return the paces of recent experiments on the kinds of device that live workers have; two queries."""
    newest = (
        select(Experiment.id, Experiment.spec, Experiment.execution)
        .where(Experiment.epochs_done > 0, Experiment.execution.is_not(None))
        .order_by(Experiment.id.desc())
        .limit(RECENT)
    )
    devices = workers.devices(session)
    rows = {row.id: row for row in session.execute(newest) if row.execution["device"] in devices}
    means = (
        select(Epoch.experiment_id, func.avg(Epoch.seconds))
        .where(Epoch.experiment_id.in_(rows))
        .group_by(Epoch.experiment_id)
    )
    return [
        Pace(ExperimentSpec.model_validate(rows[id].spec), float(seconds))
        for id, seconds in session.execute(means)
        if seconds > 0
    ]


def seconds_left(session: Session) -> float | None:
    """Return the seconds until the queue is empty, less what running experiments have done; None while unknown.

    It is the estimate of a dry run, for all experiments that have not ended.
    """
    cells, experiments = _unfinished(session)
    if not experiments:
        return 0.0
    seconds = estimate(cells, recent(session), workers.count_alive(session)).seconds
    return None if seconds is None else seconds * experiments / sum(cell.experiments for cell in cells)


def _unfinished(session: Session) -> tuple[list[PlannedCell], int]:
    """Return the cells of the queue with the most experiments, and the number of the experiments of all cells."""
    active = (
        select(
            Experiment.spec,
            func.row_number().over(partition_by=Experiment.condition, order_by=Experiment.id).label("place"),
            func.count().over(partition_by=Experiment.condition).label("experiments"),
            func.sum(Experiment.epochs_done).over(partition_by=Experiment.condition).label("epochs_done"),
            func.count().over().label("total"),
        )
        .where(Experiment.status.in_(ACTIVE), Experiment.spec_version <= SPEC_VERSION)
        .subquery()
    )
    first = select(active).where(active.c.place == 1).order_by(active.c.experiments.desc()).limit(MOST_CELLS)
    rows = session.execute(first).all()
    cells = [
        PlannedCell(ExperimentSpec.model_validate(row.spec), row.experiments, int(row.epochs_done)) for row in rows
    ]
    return cells, rows[0].total if rows else 0
