"""Experiments as clients see them: created, found, listed, edited, deleted. Their moves are in lifecycle."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select, tuple_, union_all, update
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from service.domain.spec import SPEC_VERSION, ExperimentSpec, ExperimentSubmission
from service.domain.status import ACTIVE, TERMINAL, Status
from service.storage.changes import tombstones
from service.storage.changes.revisions import next_revision, stamp
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment, Tag
from service.storage.tables.studies import StudyReuse

RANGES: Mapping[str, tuple[InstrumentedAttribute[Any], ...]] = {
    "epochs": (Experiment.epochs,),
    "batch_size": (Experiment.batch_size,),
    "dropout": (Experiment.dropout_conv, Experiment.dropout_dense),
    "learning_rate": (Experiment.learning_rate,),
    "test_accuracy": (Experiment.test_accuracy,),
    "created": (Experiment.created_at,),
}
"""What a list may be narrowed to a range of; of two columns, both lie in it."""


class Range(NamedTuple):
    """From `least` to `most`, both included; None: open at that end."""

    field: str
    least: float | datetime | None
    most: float | datetime | None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        for column in RANGES[self.field]:
            if self.least is not None:
                yield column >= self.least
            if self.most is not None:
                yield column <= self.most


@dataclass(frozen=True)
class Filter:
    """Which experiments; a field left None or empty does not narrow. `text` is part of the name; of letters beyond
    ASCII, the database says whether case matters."""

    status: Status | None = None
    activation: str | None = None
    dataset: str | None = None
    study: UUID | None = None
    tag: str | None = None
    text: str | None = None
    ranges: tuple[Range, ...] = ()
    ids: tuple[UUID, ...] = ()
    ended: bool = False
    of_conditions: tuple[str, ...] | None = None  # empty: none at all

    def conditions(self) -> list[ColumnElement[bool]]:
        columns = {
            Experiment.status: self.status,
            Experiment.activation: self.activation,
            Experiment.dataset: self.dataset,
        }
        found: list[ColumnElement[bool]] = [column == value for column, value in columns.items() if value is not None]
        if self.study is not None:
            found.append(Experiment.id.in_(of_study(self.study)))
        if self.tag is not None:
            found.append(Experiment.id.in_(select(Tag.experiment_id).where(Tag.tag == self.tag)))
        if self.text is not None:
            found.append(Experiment.name.icontains(self.text, autoescape=True))
        if self.ids:
            found.append(Experiment.id.in_(self.ids))
        if self.of_conditions is not None:
            found.append(Experiment.condition.in_(self.of_conditions))
        if self.ended:
            found.append(Experiment.status.in_(TERMINAL))
        return [*found, *(condition for narrowed in self.ranges for condition in narrowed.conditions())]


def of_study(study: UUID) -> Any:
    """Ids of the experiments of a study: those that it trained, and those that it took over."""
    own = select(Experiment.id.label("id")).where(Experiment.study_id == study)
    taken = select(StudyReuse.experiment_id.label("id")).where(StudyReuse.study_id == study)
    return select(union_all(own, taken).subquery().c.id)


def create(session: UnitOfWork, principal: str, submission: ExperimentSubmission, *, id: UUID) -> Experiment:
    """Queue one experiment."""
    return _add(session, _row(principal, submission, id))


def retry(session: UnitOfWork, principal: str, experiment: Experiment, id: UUID) -> Experiment:
    """Queue the same again, in the same study, as an experiment that points to the one it repeats."""
    row = _row(principal, submission_of(experiment), id)
    row.retry_of, row.study_id = experiment.id, experiment.study_id
    return _add(session, row)


def _add(session: UnitOfWork, experiment: Experiment) -> Experiment:
    session.add(experiment)
    session.flush()
    stamp(session, [experiment.id])
    return reload(session, experiment.id)


def create_all(session: UnitOfWork, principal: str, study: UUID, submissions: Iterable[ExperimentSubmission]) -> int:
    """Queue experiments of a study under one revision, which is returned for the study's row."""
    rows = [_row(principal, submission, new_id()) for submission in submissions]
    for row in rows:
        row.study_id = study
    session.add_all(rows)
    session.flush()
    revision = next_revision(session)
    queued_now = (Experiment.study_id == study, Experiment.revision == 0)
    session.execute(update(Experiment).where(*queued_now).values(revision=revision))
    session.note([study, *(row.id for row in rows)], revision)
    return revision


def _row(principal: str, submission: ExperimentSubmission, id: UUID) -> Experiment:
    spec = submission.spec
    return Experiment(
        id=id,
        principal=principal,
        name=submission.name,
        notes=submission.notes,
        priority=submission.priority,
        tag_rows=[Tag(tag=tag) for tag in submission.tags],
        spec=spec.model_dump(mode="json"),
        spec_version=SPEC_VERSION,
        activation=spec.activation.label,
        dataset=spec.dataset,
        seed=spec.seed,
        epochs=spec.epochs,
        batch_size=spec.batch_size,
        dropout_conv=spec.dropout.conv,
        dropout_dense=spec.dropout.dense,
        learning_rate=spec.optimizer.learning_rate,
        condition=spec.condition,
    )


def submission_of(experiment: Experiment) -> ExperimentSubmission:
    """What would have to be posted to get this experiment again."""
    return ExperimentSubmission.of(
        ExperimentSpec.model_validate(experiment.spec),
        name=experiment.name,
        notes=experiment.notes,
        priority=experiment.priority,
        tags=experiment.tags,
    )


def find(session: Session, id: UUID) -> Experiment | None:
    return session.scalars(_whole().where(Experiment.id == id)).one_or_none()


def find_locked(session: Session, id: UUID) -> Experiment | None:
    """The same, locked until the transaction ends, so that what is decided on it still holds when written."""
    # Not FOR UPDATE: PostgreSQL has whoever writes a retry share the key of what it repeats, while holding the counter.
    locked = _whole().where(Experiment.id == id).with_for_update(of=Experiment, key_share=True)
    return session.scalars(locked).one_or_none()


def reload(session: Session, id: UUID) -> Experiment:
    """The row as it stands after UPDATEs that went past the session."""
    session.flush()
    return session.scalars(_whole().where(Experiment.id == id), execution_options=FRESH).one()


def revision(session: Session, id: UUID) -> tuple[int, str] | None:
    """Revision and status alone, by primary key: all that a poll of something unchanged has to read."""
    row = session.execute(select(Experiment.revision, Experiment.status).where(Experiment.id == id)).one_or_none()
    return None if row is None else (row.revision, row.status)


def which_exist(session: Session, ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Of these, the ones that exist, and those of them that have not ended."""
    rows = session.execute(select(Experiment.id, Experiment.status).where(Experiment.id.in_(ids))).all()
    return {row.id for row in rows}, {row.id for row in rows if row.status in ACTIVE}


def page(session: Session, narrowed: Filter, *, sort: str, limit: int, after: Position | None) -> Page[Experiment]:
    """One page. Sorting by a figure lists only experiments that have it: null sorts differently on each database."""
    column: Any = getattr(Experiment, sort.removeprefix("-"))
    found = _whole().where(*narrowed.conditions(), column.is_not(None))
    descending = sort.startswith("-")
    if after is not None:
        place = tuple_(column, Experiment.id) if column is not Experiment.id else tuple_(Experiment.id)
        bound = (after.value, after.id) if column is not Experiment.id else (after.id,)
        found = found.where(place < bound if descending else place > bound)
    order = [column, Experiment.id] if column is not Experiment.id else [Experiment.id]
    found = found.order_by(*(part.desc() for part in order) if descending else order).limit(limit + 1)
    rows = session.scalars(found).all()
    value = (lambda row: None) if column is Experiment.id else (lambda row: getattr(row, column.key))
    return page_of(rows, limit, lambda last: Position(value(last), last.id))


def edit(session: UnitOfWork, experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """Apply a merge patch of name, notes and tags."""
    tags = changes.pop("tags", None)
    for name, value in changes.items():
        setattr(experiment, name, value)
    if tags is not None:
        experiment.tag_rows = [Tag(tag=tag, experiment_id=experiment.id) for tag in tags]
    experiment.edit_version += 1
    session.flush()
    stamp(session, [experiment.id])
    return reload(session, experiment.id)


def remove(session: UnitOfWork, id: UUID) -> bool:
    """Delete a terminal experiment with all that belongs to it; False when it is not terminal."""
    retries = session.scalars(
        # Locked before the counter is taken: a worker that writes one of them holds its row, and waits for the counter.
        select(Experiment.id).where(Experiment.retry_of == id).order_by(Experiment.id).with_for_update(key_share=True)
    ).all()
    revision = stamp(session, [id, *retries])
    ended = (Experiment.id == id) & Experiment.status.in_(TERMINAL)
    tombstones.mark_deleted(session, ended, revision)
    gone = delete(Experiment).where(ended).returning(Experiment.id)
    return session.execute(gone, execution_options=BLIND).one_or_none() is not None


def remove_of_studies(session: UnitOfWork, studies: Collection[UUID]) -> int | None:
    """Delete all experiments of studies, under a revision; None, having deleted nothing, where some are still
    active."""
    ours = Experiment.study_id.in_(studies)
    if session.scalar(select(Experiment.id).where(ours, Experiment.status.in_(ACTIVE)).limit(1)) is not None:
        return None
    session.execute(select(Experiment.id).where(ours).order_by(Experiment.id).with_for_update())
    revision = next_revision(session)
    # Now that no retry can come in between: is one there?
    if session.scalar(select(Experiment.id).where(ours, Experiment.status.in_(ACTIVE)).limit(1)) is not None:
        return None
    _hand_over(session, studies, revision)
    tombstones.mark_deleted(session, ours, revision)
    session.execute(delete(Experiment).where(ours), execution_options=BLIND)
    return revision


def _hand_over(session: Session, studies: Collection[UUID], revision: int) -> None:
    """What other studies took over from these becomes theirs, each the first one's that did."""
    taken = select(StudyReuse.experiment_id, StudyReuse.study_id).join(
        Experiment, Experiment.id == StudyReuse.experiment_id
    )
    kept = taken.where(Experiment.study_id.in_(studies), StudyReuse.study_id.not_in(studies))
    rows = session.execute(kept.order_by(StudyReuse.study_id.desc())).all()
    for id, heir in {row.experiment_id: row.study_id for row in rows}.items():
        session.execute(update(Experiment).where(Experiment.id == id).values(study_id=heir, revision=revision))
        session.execute(delete(StudyReuse).where(StudyReuse.experiment_id == id, StudyReuse.study_id == heir))
    session.execute(delete(StudyReuse).where(StudyReuse.study_id.in_(studies)))


def _whole() -> Select[Experiment]:
    return select(Experiment).options(selectinload(Experiment.tag_rows))
