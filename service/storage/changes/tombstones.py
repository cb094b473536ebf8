"""Tombstones of deleted experiments and studies, kept for a day for clients that follow changes."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, literal, select, update
from sqlalchemy.orm import Session

from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, UnitOfWork
from service.storage.tables.changes import ChangeCounter, Tombstone
from service.storage.tables.experiments import Experiment

KEPT_SECONDS = 86_400.0


def mark_deleted(session: UnitOfWork, which: ColumnElement[bool], revision: int) -> None:
    """Write a tombstone for each experiment that `which` selects, and sweep old ones.

    Call it before the experiments are deleted, under the same revision.
    """
    _sweep(session)
    rows = select(Experiment.id, Experiment.study_id, literal(revision), now()).where(which)
    columns = ["id", "study_id", "revision", "deleted_at"]
    marked = insert(Tombstone).from_select(columns, rows).returning(Tombstone.id)
    session.note(session.scalars(marked).all(), revision)


def mark_study_deleted(session: UnitOfWork, id: UUID, revision: int) -> None:
    session.add(Tombstone(id=id, study_id=id, revision=revision))
    session.note([id], revision)


def _sweep(session: Session) -> None:
    """Delete old tombstones, and store the newest revision among them as forgotten."""
    old = delete(Tombstone).where(Tombstone.deleted_at < after(-KEPT_SECONDS)).returning(Tombstone.revision)
    forgotten = session.scalars(old, execution_options=BLIND).all()
    if forgotten:
        raised = update(ChangeCounter).values(forgotten=max(forgotten))
        session.execute(raised, execution_options=BLIND)
