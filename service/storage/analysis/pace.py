"""The pace of recent experiments."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.domain.estimates import Pace
from service.domain.spec import ExperimentSpec
from service.storage.records import workers
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment

RECENT = 200
"""The number of newest experiments with an epoch that are read."""


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
