"""Rows in the order of any fields of a query, with those that have no value last, in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.storage.records import queries
from service.storage.records.experiments import Filter
from service.storage.records.queries import Columns
from service.storage.tables.experiments import Experiment, Tag


@dataclass(frozen=True)
class Order:
    """A field to sort by."""

    field: str
    descending: bool


@dataclass(frozen=True)
class Start:
    """The beginning of a page: after an id in the order of creation, and after a number of rows in any other."""

    after: UUID | None = None
    offset: int = 0


FIGURES = ("test_accuracy", "test_loss", "validation_accuracy", "validation_loss", "best_test_accuracy",
           "best_test_loss", "best_validation_accuracy", "best_validation_loss")  # fmt: skip
_COLUMNS = ("id", "name", "notes", "principal", "study_id", "status", "cause", "device", "spec", "condition",
            "activation", "seed", "epochs_done", "best_epoch", "created_at", "started_at", "finished_at",
            "archived_at", *FIGURES)  # fmt: skip


def experiments(session: Session, filters: Filter, order: Sequence[Order], start: Start, limit: int) -> Sequence[Any]:
    """Return rows of experiments with their final figures, newest first unless an order is given; no epoch is read."""
    rows = select(*(getattr(Experiment, name) for name in _COLUMNS)).where(*filters.conditions())
    return session.execute(ordered(rows, Experiment.id, queries.EXPERIMENTS, order, start).limit(limit)).all()


def tags_of(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Return the tags of experiments, sorted."""
    tags: dict[UUID, list[str]] = {id: [] for id in ids}
    # In blocks: SQLite takes no more than 32,766 parameters.
    for place in range(0, len(ids), 10_000):
        own = select(Tag.experiment_id, Tag.tag).where(Tag.experiment_id.in_(ids[place : place + 10_000]))
        for row in session.execute(own.order_by(Tag.tag)):
            tags[row.experiment_id].append(row.tag)
    return tags


def ordered(rows: Select[Any], id: Any, columns: Columns, order: Sequence[Order], start: Start) -> Select[Any]:
    """Sort rows, and leave out those before the start. Rows without an order are sorted by descending id."""
    for key in order:
        place = columns[key.field]
        if not isinstance(place, tuple):
            raise ValueError(f"{key.field} is a set, which orders nothing")
        for column in place:
            rows = rows.order_by(column.is_(None), column.desc() if key.descending else column)
    if not order and start.after is not None:
        rows = rows.where(id < start.after)
    return rows.order_by(id.desc()).offset(start.offset if order else None)


def next_start(order: Sequence[Order], start: Start, rows: Sequence[Any]) -> Start:
    """Return where the page after these rows begins."""
    return Start(offset=start.offset + len(rows)) if order else Start(after=rows[-1].id)
