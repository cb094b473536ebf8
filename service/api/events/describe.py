"""Events of changed rows: the newest state of each experiment and study, and the epochs that changed."""

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

IMMUTABLE = {"spec"}
"""Fields of an experiment that compact events leave out."""


class EpochsEvent(EpochsView):
    """Epochs of one experiment that were written or replaced."""

    experiment_id: UUID
    study_id: UUID | None


class DeletedEvent(View):
    """The deletion of an experiment or a study."""

    kind: Literal["experiment", "study"]
    id: UUID
    study_id: UUID | None
    revision: int


class ResetEvent(View):
    """A gap in the stream: the client must read again all that it shows."""

    reason: str
    revision: int


def describe(session: Session, deltas: Deltas) -> tuple[Item, ...]:
    """Return the events of changed rows in the order in which they are sent."""
    items = [*_experiments(session, deltas.experiments), *_epochs(deltas)]
    for view in study_views.study_views(session, deltas.studies) if deltas.studies else []:
        items.append(_item("study", None, view.id, view.revision, view))
    items += [_deleted(row) for row in deltas.tombstones]
    return tuple(sorted(items, key=lambda item: item.place))


def reset(reason: str, revision: int) -> Item:
    """Return an event that tells the client to read again all that it shows."""
    return _item("reset", None, None, revision, ResetEvent(reason=reason, revision=revision))


def _experiments(session: Session, rows: Sequence[Experiment]) -> Iterator[Item]:
    for view in views.experiment_views(session, rows):
        compact = view.model_dump_json(exclude=IMMUTABLE)
        yield Item("experiment", view.id, view.study_id, view.revision, view.model_dump_json(), compact)


def _epochs(deltas: Deltas) -> Iterator[Item]:
    """Yield one item per experiment and revision, so that no epoch is lost when a client resumes between revisions."""
    experiments = {row.id: row for row in deltas.experiments}
    ordered = sorted(deltas.epochs, key=_experiment_and_revision)
    for (id, revision), epochs in groupby(ordered, _experiment_and_revision):
        experiment = experiments[id]
        event = EpochsEvent(
            experiment_id=id,
            study_id=experiment.study_id,
            items=[EpochView.model_validate(epoch) for epoch in epochs],
            valid_through_epoch=experiment.epochs_done,
            revision=revision,
        )
        yield _item("metrics", id, experiment.study_id, revision, event)


def _experiment_and_revision(epoch: Epoch) -> tuple[UUID, int]:
    return epoch.experiment_id, epoch.revision


def _deleted(row: Tombstone) -> Item:
    kind: Literal["experiment", "study"] = "study" if row.study_id == row.id else "experiment"
    event = DeletedEvent(kind=kind, id=row.id, study_id=row.study_id, revision=row.revision)
    return _item("deleted", row.id if kind == "experiment" else None, row.study_id, row.revision, event)


def _item(kind: Kind, experiment: UUID | None, study: UUID | None, revision: int, event: BaseModel) -> Item:
    data = event.model_dump_json()
    return Item(kind, experiment, study, revision, data, data)
