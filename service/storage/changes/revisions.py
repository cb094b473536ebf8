"""The change counter: a number that every visible change increments, so that a higher revision committed later."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, Update, bindparam, select, update
from sqlalchemy.orm import Session

from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.tables.base import table_of
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.diagnostics import Layer
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study

_COUNTER, _EXPERIMENTS, _STUDIES = table_of(ChangeCounter), table_of(Experiment), table_of(Study)
_NEXT = update(_COUNTER).values(value=_COUNTER.c.value + 1).returning(_COUNTER.c.value)


@dataclass(frozen=True)
class _Stamps:
    """The statements that write `revision` on experiments, on one epoch of theirs, and on their studies.

    They are made once, because making a statement takes several times as long as executing it. Those for `several`
    experiments are written anew for each number of them, which takes as long as three statements for one.
    """

    experiments: Update
    of_epoch: Sequence[Update]
    studies: Update

    @classmethod
    def make(cls, several: bool) -> Self:
        def is_changed(column: ColumnElement[Any]) -> ColumnElement[bool]:
            return column.in_(bindparam("changed", expanding=True)) if several else column == bindparam("changed")

        of_epoch = [
            update(table).where(is_changed(table.c.experiment_id), table.c.epoch == bindparam("of_epoch"))
            for table in (table_of(Epoch), table_of(Layer))
        ]
        theirs = select(_EXPERIMENTS.c.study_id).where(
            is_changed(_EXPERIMENTS.c.id), _EXPERIMENTS.c.study_id.is_not(None)
        )
        studies = update(_STUDIES).where(_STUDIES.c.id.in_(theirs)).returning(_STUDIES.c.id)
        return cls(update(_EXPERIMENTS).where(is_changed(_EXPERIMENTS.c.id)), of_epoch, studies)


_ONE, _SEVERAL = _Stamps.make(several=False), _Stamps.make(several=True)


def stamp(session: UnitOfWork, experiments: Collection[UUID], *, epoch: int | None = None) -> int:
    """Take the next revision and write it on experiments, on one epoch of theirs if any, and on their studies.

    Call it after the rows themselves have changed: the counter's row stays locked until the commit, which keeps
    commits in the order of their revisions and should be short.
    """
    ids = list(experiments)
    statements, changed = (_ONE, ids[0]) if len(ids) == 1 else (_SEVERAL, ids)
    revision = next_revision(session)
    values = {"changed": changed, "revision": revision}
    session.execute(statements.experiments, values)
    for statement in () if epoch is None else statements.of_epoch:
        session.execute(statement, values | {"of_epoch": epoch})
    studies = session.scalars(statements.studies, values).all()
    session.note([*ids, *studies], revision)
    return revision


def next_revision(session: Session) -> int:
    revision: int = session.execute(_NEXT).scalar_one()
    return revision


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
