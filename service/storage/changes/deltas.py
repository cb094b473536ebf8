"""Rows that changed after a revision, for the poller of a process and for clients that reconnect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from service.storage.tables.changes import Tombstone
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study


@dataclass(frozen=True)
class Scope:
    """A selection of changes: experiments by id, and studies with their experiments. Both empty selects everything."""

    experiments: frozenset[UUID] = frozenset()
    studies: frozenset[UUID] = frozenset()

    def holds(self, experiment: UUID | None, study: UUID | None) -> bool:
        return self.everything or experiment in self.experiments or study in self.studies

    @property
    def everything(self) -> bool:
        return not self.experiments and not self.studies


EVERYTHING = Scope()


@dataclass(frozen=True)
class Deltas:
    """The newest states of rows that changed, and the epochs that changed. Experiments come with their tags."""

    experiments: Sequence[Experiment] = ()
    epochs: Sequence[Epoch] = ()
    studies: Sequence[Study] = ()
    tombstones: Sequence[Tombstone] = ()


def ids(session: Session, after: int, limit: int) -> dict[UUID, int] | None:
    """Return the revision by id of all experiments and studies that changed or were deleted after a revision.

    Returns None where there are more than `limit`.
    """
    revisions: dict[UUID, int] = {}
    for table in (Experiment, Study, Tombstone):
        rows = session.execute(select(table.id, table.revision).where(table.revision > after).limit(limit + 1)).all()
        revisions |= {row.id: row.revision for row in rows}
    return revisions if len(revisions) <= limit else None


def since(session: Session, after: int, scope: Scope, limit: int) -> Deltas | None:
    """Return the changes in a scope after a revision; None where more than `limit` experiments or epochs changed."""
    experiments = select(Experiment).where(Experiment.revision > after, _experiments(scope))
    changed = session.scalars(experiments.options(selectinload(Experiment.tag_rows)).limit(limit + 1)).all()
    studies = session.scalars(select(Study).where(Study.revision > after, _studies(scope)).limit(limit + 1)).all()
    deleted = select(Tombstone).where(Tombstone.revision > after, _tombstones(scope))
    tombstones = session.scalars(deleted.limit(limit + 1)).all()
    if max(len(changed), len(studies), len(tombstones)) > limit:
        return None
    epochs = _epochs(session, [row.id for row in changed], after, limit)
    return None if len(epochs) > limit else Deltas(changed, epochs, studies, tombstones)


def of_experiment(session: Session, experiment: Experiment) -> Deltas:
    """Return an experiment with all its epochs, as if all of it had changed."""
    epochs = select(Epoch).where(Epoch.experiment_id == experiment.id).order_by(Epoch.epoch)
    return Deltas([experiment], session.scalars(epochs).all())


def _epochs(session: Session, experiments: Sequence[UUID], after: int, limit: int) -> Sequence[Epoch]:
    """Return changed epochs of changed experiments, by primary key: no epoch changes without its experiment."""
    if not experiments:
        return []
    changed = (Epoch.experiment_id.in_(experiments), Epoch.revision > after)
    return session.scalars(select(Epoch).where(*changed).order_by(Epoch.revision, Epoch.epoch).limit(limit + 1)).all()


def _experiments(scope: Scope) -> ColumnElement[bool]:
    return _of(scope, Experiment.id, Experiment.study_id)


def _studies(scope: Scope) -> ColumnElement[bool]:
    return true() if scope.everything else Study.id.in_(scope.studies)


def _tombstones(scope: Scope) -> ColumnElement[bool]:
    return _of(scope, Tombstone.id, Tombstone.study_id)


def _of(scope: Scope, id: InstrumentedAttribute[Any], study: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    return true() if scope.everything else id.in_(scope.experiments) | study.in_(scope.studies)
