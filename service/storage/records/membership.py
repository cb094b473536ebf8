"""The experiments that studies count: those that they trained, and those that they reuse."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, union_all

from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import StudyReuse


def of_study(study: UUID) -> Any:
    """Select the ids of the experiments of a study: those that it trained, and those that it reuses."""
    return of_studies((study,))


def of_studies(studies: Sequence[UUID]) -> Any:
    """Do as `of_study` for several studies."""
    own = select(Experiment.id.label("id")).where(is_any_of(Experiment.study_id, studies))
    reused = select(StudyReuse.experiment_id.label("id")).where(is_any_of(StudyReuse.study_id, studies))
    return select(union_all(own, reused).subquery().c.id)


def is_of_any_study() -> ColumnElement[bool]:
    """Return the condition that a study counts an experiment."""
    return or_(Experiment.study_id.is_not(None), Experiment.id.in_(select(StudyReuse.experiment_id)))


def is_any_of(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values."""
    # Equal to one value, so that SQLite reads the rows from an index in their order.
    condition: ColumnElement[bool] = column == values[0] if len(values) == 1 else column.in_(values)
    return condition
