"""From changed rows to what is told of them: the newest state of each, and the epochs that changed."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from service.api.schemas.base import View
from service.api.schemas.epochs import EpochsView, EpochView
from service.api.views import experiments as views
from service.api.views import studies as study_views
from service.changefeed.items import Item, Kind
from service.storage.changes.deltas import Deltas
from service.storage.tables.changes import Tombstone
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment

NEVER_CHANGES = {"spec"}


class EpochsEvent(EpochsView):
    """Epochs of one experiment that were written or rewritten."""

    experiment_id: UUID
    study_id: UUID | None


class DeletedEvent(View):
    kind: Literal["experiment", "study"]
    id: UUID
    study_id: UUID | None
    revision: int


class ResetEvent(View):
    reason: str
    revision: int


def describe(session: Session, deltas: Deltas) -> tuple[Item, ...]:
    """In the order in which they are told."""
    found = [*_experiments(session, deltas.experiments), *_metrics(deltas)]
    for view in study_views.study_views(session, deltas.studies) if deltas.studies else []:
        found.append(_item("study", None, view.id, view.revision, view))
    found += [_deleted(row) for row in deltas.tombstones]
    return tuple(sorted(found, key=lambda item: item.place))


def reset(reason: str, revision: int) -> Item:
    """Tells the client to read again whatever it shows."""
    return _item("reset", None, None, revision, ResetEvent(reason=reason, revision=revision))


def _experiments(session: Session, rows: Sequence[Experiment]) -> Iterator[Item]:
    for view in views.experiment_views(session, rows):
        compact = view.model_dump_json(exclude=NEVER_CHANGES)
        yield Item("experiment", view.id, view.study_id, view.revision, view.model_dump_json(), compact)


def _metrics(deltas: Deltas) -> Iterator[Item]:
    """One item for each experiment and revision, so that resuming between two revisions loses no epoch."""
    of = {row.id: row for row in deltas.experiments}
    ordered = sorted(deltas.epochs, key=_written)
    for (id, revision), epochs in groupby(ordered, _written):
        row = of[id]
        event = EpochsEvent(
            experiment_id=id,
            study_id=row.study_id,
            items=[EpochView.model_validate(epoch) for epoch in epochs],
            valid_through_epoch=row.epochs_done,
            revision=revision,
        )
        yield _item("metrics", id, row.study_id, revision, event)


def _written(epoch: Epoch) -> tuple[UUID, int]:
    return epoch.experiment_id, epoch.revision


def _deleted(row: Tombstone) -> Item:
    kind: Literal["experiment", "study"] = "study" if row.study_id == row.id else "experiment"
    event = DeletedEvent(kind=kind, id=row.id, study_id=row.study_id, revision=row.revision)
    return _item("deleted", row.id if kind == "experiment" else None, row.study_id, row.revision, event)


def _item(kind: Kind, experiment: UUID | None, study: UUID | None, revision: int, event: BaseModel) -> Item:
    data = event.model_dump_json()
    return Item(kind, experiment, study, revision, data, data)
