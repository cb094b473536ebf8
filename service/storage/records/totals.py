"""Totals of deleted experiments, which the counters of a monitoring system need because counters must not fall."""

from sqlalchemy import ColumnElement, and_, func, literal_column, select
from sqlalchemy.orm import Session

from service.domain.status import TERMINAL, Outcome
from service.storage.engine.upsert import insert
from service.storage.tables.experiments import Attempt, Experiment
from service.storage.tables.totals import DeletedTotal

CAUSE = func.coalesce(Experiment.cause, literal_column("''"))
LOST = and_(Attempt.experiment_id == Experiment.id, Attempt.outcome == Outcome.LOST)


def keep(session: Session, which: ColumnElement[bool]) -> None:
    """Add the experiments that `which` selects to the totals; call it before they are deleted."""
    counted = (
        select(Experiment.status, CAUSE, func.count(Experiment.id.distinct()), func.count(Attempt.attempt))
        .outerjoin(Attempt, LOST)
        .where(which, Experiment.status.in_(TERMINAL))
        .group_by(Experiment.status, CAUSE)
    )
    for status, cause, experiments, lost in session.execute(counted).all():
        added = insert(session, DeletedTotal).values(
            status=status, cause=cause, experiments=experiments, attempts_lost=lost
        )
        sums = {name: getattr(DeletedTotal, name) + added.excluded[name] for name in ("experiments", "attempts_lost")}
        session.execute(added.on_conflict_do_update(index_elements=["status", "cause"], set_=sums))
