"""What was deleted, remembered for a day, so that whoever follows the changes hears of it."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, literal, select, update
from sqlalchemy.orm import Session

from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, UnitOfWork
from service.storage.tables.changes import ChangeCounter, Tombstone
from service.storage.tables.experiments import Experiment

KEPT_SECONDS = 86_400.0


def mark_deleted(session: UnitOfWork, which: ColumnElement[bool], revision: int) -> None:
    """Leave a tombstone for each of these experiments, before they are deleted under this revision, and sweep the old
    ones."""
    _sweep(session)
    rows = select(Experiment.id, Experiment.study_id, literal(revision), now()).where(which)
    columns = ["id", "study_id", "revision", "deleted_at"]
    buried = insert(Tombstone).from_select(columns, rows).returning(Tombstone.id)
    session.note(session.scalars(buried).all(), revision)


def mark_study_deleted(session: UnitOfWork, id: UUID, revision: int) -> None:
    session.add(Tombstone(id=id, study_id=id, revision=revision))
    session.note([id], revision)


def _sweep(session: Session) -> None:
    old = delete(Tombstone).where(Tombstone.deleted_at < after(-KEPT_SECONDS)).returning(Tombstone.revision)
    forgotten = session.scalars(old, execution_options=BLIND).all()
    if forgotten:
        remembered = update(ChangeCounter).values(forgotten=max(forgotten))
        session.execute(remembered, execution_options=BLIND)
