"""The change counter: a number that every visible change increments, so that a higher revision committed later."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.storage.engine.unit_of_work import BLIND, UnitOfWork
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.diagnostics import Layer
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study


def stamp(session: UnitOfWork, experiments: Collection[UUID], *, epoch: int | None = None) -> int:
    """Take the next revision and write it on experiments, on one epoch of theirs if any, and on their studies.

    Call it after the rows themselves have changed: the counter's row stays locked until the commit, which keeps
    commits in the order of their revisions and should be short.
    """
    revision = next_revision(session)
    session.execute(update(Experiment).where(Experiment.id.in_(experiments)).values(revision=revision))
    for table in () if epoch is None else (Epoch, Layer):
        changed = table.experiment_id.in_(experiments) & (table.epoch == epoch)
        session.execute(update(table).where(changed).values(revision=revision))
    with_experiments = select(Experiment.study_id).where(
        Experiment.id.in_(experiments), Experiment.study_id.is_not(None)
    )
    studies = session.scalars(
        update(Study).where(Study.id.in_(with_experiments)).values(revision=revision).returning(Study.id),
        execution_options=BLIND,
    ).all()
    session.note([*experiments, *studies], revision)
    return revision


def next_revision(session: Session) -> int:
    increment = update(ChangeCounter).values(value=ChangeCounter.value + 1).returning(ChangeCounter.value)
    return session.execute(increment, execution_options=BLIND).scalar_one()


def database_id(session: Session) -> str:
    """Return the id of this database, which keeps an ETag of one database from matching that of another."""
    return session.execute(select(ChangeCounter.database_id)).scalar_one()


def newest(session: Session) -> int:
    """Return the revision of the newest committed change."""
    return session.execute(select(ChangeCounter.value)).scalar_one()


@dataclass(frozen=True)
class Horizon:
    """The newest revision, and the newest revision of a swept tombstone."""

    newest: int
    forgotten: int


def horizon(session: Session) -> Horizon:
    return Horizon(*session.execute(select(ChangeCounter.value, ChangeCounter.forgotten)).one())
