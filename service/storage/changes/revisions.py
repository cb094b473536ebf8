"""The change counter: one number that every visible change raises, so that a higher revision committed later."""

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
    """Take the next revision and write it on the experiments, on that epoch of theirs, and on their studies.

    Call it after the rows themselves have changed: the counter's row stays locked until the commit, which puts the
    commits in the order of their revisions and should last as short as can be.
    """
    revision = next_revision(session)
    session.execute(update(Experiment).where(Experiment.id.in_(experiments)).values(revision=revision))
    for table in () if epoch is None else (Epoch, Layer):
        touched = table.experiment_id.in_(experiments) & (table.epoch == epoch)
        session.execute(update(table).where(touched).values(revision=revision))
    of = select(Experiment.study_id).where(Experiment.id.in_(experiments), Experiment.study_id.is_not(None))
    studies = session.scalars(
        update(Study).where(Study.id.in_(of)).values(revision=revision).returning(Study.id),
        execution_options=BLIND,
    ).all()
    session.note([*experiments, *studies], revision)
    return revision


def next_revision(session: Session) -> int:
    raised = update(ChangeCounter).values(value=ChangeCounter.value + 1).returning(ChangeCounter.value)
    return session.execute(raised, execution_options=BLIND).scalar_one()


def database_id(session: Session) -> str:
    """Tells this database from any other, so that an ETag of one never matches the other's."""
    return session.execute(select(ChangeCounter.database_id)).scalar_one()


def newest(session: Session) -> int:
    """The revision of the newest committed change of all: what was read since it was this has not changed."""
    return session.execute(select(ChangeCounter.value)).scalar_one()


@dataclass(frozen=True)
class Horizon:
    """The newest revision, and the newest of a delete that has been forgotten."""

    newest: int
    forgotten: int


def horizon(session: Session) -> Horizon:
    return Horizon(*session.execute(select(ChangeCounter.value, ChangeCounter.forgotten)).one())
