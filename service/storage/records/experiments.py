"""Records of experiments: creating, finding, listing, editing and deleting them.

Their transitions are in service.storage.queue.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, selectinload

from service.domain.query.conditions import Query
from service.domain.spec import SPEC_VERSION, ExperimentSpec, ExperimentSubmission
from service.domain.status import ACTIVE, TERMINAL, Status
from service.storage.changes import tombstones
from service.storage.changes.revisions import next_revision, stamp
from service.storage.engine import upsert
from service.storage.engine.clock import now
from service.storage.engine.hints import unselective
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.records import queries, totals
from service.storage.records.membership import is_any_of, of_studies
from service.storage.tables.base import new_id, table_of
from service.storage.tables.experiments import Experiment, Tag
from service.storage.tables.studies import StudyReuse

RANGES: Mapping[str, tuple[InstrumentedAttribute[Any], ...]] = {
    "epochs": (Experiment.epochs,),
    "batch_size": (Experiment.batch_size,),
    "dropout": (Experiment.dropout_conv, Experiment.dropout_dense),
    "learning_rate": (Experiment.learning_rate,),
    "test_accuracy": (Experiment.test_accuracy,),
    "validation_accuracy": (Experiment.validation_accuracy,),
    "validation_loss": (Experiment.validation_loss,),
    "best_validation_accuracy": (Experiment.best_validation_accuracy,),
    "best_validation_loss": (Experiment.best_validation_loss,),
    "created": (Experiment.created_at,),
}
"""The columns that a range applies to; of two columns, both must lie in it."""


class Range(NamedTuple):
    """A range of a field from `least` to `most`, both included; None leaves that end open."""

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
    """Conditions on experiments. An experiment must meet all of them, and of one with several values any.

    A field that is None or empty sets no condition, except that empty `principals`, `ids` or `of_conditions` select no
    experiment at all. `texts` are parts of the name, in upper or lower case; for letters beyond ASCII, whether case
    matters depends on the database. `ended` selects terminal experiments. `archived` selects those that are archived,
    or those that are not.
    """

    statuses: tuple[Status, ...] = ()
    activations: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    studies: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    principals: tuple[str, ...] | None = None
    ids: tuple[UUID, ...] | None = None
    ended: bool = False
    archived: bool | None = None
    of_conditions: tuple[str, ...] | None = None
    query: Query | None = None

    def conditions(self, *, by_status: bool = True) -> list[ColumnElement[bool]]:
        """Return the conditions. `by_status` is False for a list that is sorted by a figure, which all have that
        succeeded: sorting them took SQLite 49 ms of 100,000, and reading them in the order of the figure 0.5 ms."""
        status = (
            Experiment.status if by_status or Status.SUCCEEDED not in self.statuses else unselective(Experiment.status)
        )
        columns: dict[Any, Sequence[Any]] = {
            status: self.statuses,
            Experiment.activation: self.activations,
            Experiment.dataset: self.datasets,
        }
        conditions = [is_any_of(column, values) for column, values in columns.items() if values]
        if self.studies:
            conditions.append(Experiment.id.in_(of_studies(self.studies)))
        if self.tags:
            conditions.append(Experiment.id.in_(select(Tag.experiment_id).where(is_any_of(Tag.tag, self.tags))))
        if self.texts:
            conditions.append(or_(*(Experiment.name.icontains(text, autoescape=True) for text in self.texts)))
        if self.principals is not None:
            conditions.append(is_any_of(Experiment.principal, self.principals))
        if self.ids is not None:
            conditions.append(Experiment.id.in_(self.ids))
        if self.of_conditions is not None:
            conditions.append(Experiment.condition.in_(self.of_conditions))
        if self.archived is not None:
            conditions.append(is_archived() if self.archived else ~is_archived())
        if self.query is not None:
            conditions.append(queries.condition(self.query, queries.EXPERIMENTS))
        if self.ended:
            conditions.append(Experiment.status.in_(TERMINAL))
        return [*conditions, *(condition for range in self.ranges for condition in range.conditions())]


def is_archived() -> ColumnElement[bool]:
    """Return the condition that an experiment is archived."""
    return Experiment.archived_at.is_not(None)


def create(session: UnitOfWork, principal: str, submission: ExperimentSubmission, *, id: UUID) -> Experiment:
    """Queue one experiment and return its row."""
    add(session, principal, submission, id=id)
    return reload(session, id)


def add(session: UnitOfWork, principal: str, submission: ExperimentSubmission, *, id: UUID) -> None:
    """Queue one experiment."""
    _insert(session, [_columns(principal, submission) | {"id": id}], [submission.tags])
    stamp(session, [id])


def retry(session: UnitOfWork, principal: str, experiment: Experiment, id: UUID) -> Experiment:
    """Queue the spec of an experiment again, in the same study, as a new one that points to the first."""
    _insert(session, [_retry_columns(principal, experiment, id)], [experiment.tags])
    stamp(session, [id])
    return reload(session, id)


def create_all(session: UnitOfWork, principal: str, study: UUID, submissions: Iterable[ExperimentSubmission]) -> int:
    """Queue experiments of a study under one revision, and return that revision for the study's row."""
    submissions = list(submissions)
    rows = _rows(principal, study, submissions)
    session.flush()
    _insert(session, rows, [submission.tags for submission in submissions])
    revision = next_revision(session)
    session.execute(_STAMP_NEW, {"of_study": study, "revision": revision})
    session.note([study, *(row["id"] for row in rows)], revision)
    return revision


def _rows(principal: str, study: UUID, submissions: Iterable[ExperimentSubmission]) -> list[dict[str, Any]]:
    """Return the columns of new experiments of a study. Those that differ by the seed alone share their values: to
    write and hash the spec of each would take half of the time of a large study."""
    shared: dict[str, dict[str, Any]] = {}
    rows = []
    for submission in submissions:
        text = submission.but_seed
        if text not in shared:
            shared[text] = _columns(principal, submission) | {"study_id": study}
        seed = {"seed": submission.seed}
        rows.append(shared[text] | seed | {"id": new_id(), "spec": shared[text]["spec"] | seed})
    return rows


def _insert(session: UnitOfWork, rows: Sequence[dict[str, Any]], tags: Sequence[Sequence[str]]) -> None:
    """Insert rows with the same columns, each with its tags."""
    if rows:
        session.execute(_INSERT, rows)
    if tagged := [{"tag": tag, "experiment_id": row["id"]} for row, own in zip(rows, tags, strict=True) for tag in own]:
        session.execute(_INSERT_TAGS, tagged)


_EXPERIMENTS = table_of(Experiment)
_INSERT, _INSERT_TAGS = insert(_EXPERIMENTS), insert(table_of(Tag))
_STAMP_NEW = update(_EXPERIMENTS).where(_EXPERIMENTS.c.study_id == bindparam("of_study"), _EXPERIMENTS.c.revision == 0)


def _retry_columns(principal: str, experiment: Experiment, id: UUID) -> dict[str, Any]:
    links = {"id": id, "retry_of": experiment.id, "study_id": experiment.study_id}
    return _columns(principal, submission_of(experiment)) | links


def _columns(principal: str, submission: ExperimentSubmission) -> dict[str, Any]:
    """Return the columns that a submission sets."""
    spec = submission.spec
    return {
        "principal": principal,
        "name": submission.name,
        "notes": submission.notes,
        "priority": submission.priority,
        "spec": spec.model_dump(mode="json"),
        "spec_version": SPEC_VERSION,
        "activation": spec.activation.label,
        "dataset": spec.dataset,
        "seed": spec.seed,
        "epochs": spec.epochs,
        "batch_size": spec.batch_size,
        "dropout_conv": spec.dropout.conv,
        "dropout_dense": spec.dropout.dense,
        "learning_rate": spec.optimizer.learning_rate,
        "condition": spec.condition,
    }


def submission_of(experiment: Experiment) -> ExperimentSubmission:
    """Return the submission that would create the same experiment again."""
    return ExperimentSubmission.of(
        ExperimentSpec.model_validate(experiment.spec),
        name=experiment.name,
        notes=experiment.notes,
        priority=experiment.priority,
        tags=experiment.tags,
    )


def find(session: Session, id: UUID) -> Experiment | None:
    return session.scalars(_by_id(), {"own_id": id}).one_or_none()


def find_locked(session: Session, id: UUID) -> Experiment | None:
    """Return an experiment and lock it, so that a decision about it still holds when it is written."""
    # Not FOR UPDATE: in PostgreSQL a transaction that writes a retry takes a key-share lock on the experiment that
    # it repeats, while it holds the change counter.
    locked = _whole().where(Experiment.id == id).with_for_update(of=Experiment, key_share=True)
    return session.scalars(locked).one_or_none()


def is_retryable() -> ColumnElement[bool]:
    """Return the condition that an experiment failed and has not been retried."""
    again = aliased(Experiment)
    return and_(Experiment.status == Status.FAILED, ~exists().where(again.retry_of == Experiment.id))


def retryable(session: Session, ids: Collection[UUID]) -> Sequence[UUID]:
    """Return those of these experiments that failed and have not been retried."""
    return session.scalars(select(Experiment.id).where(Experiment.id.in_(ids), is_retryable())).all()


class Locked(NamedTuple):
    """A locked experiment, and its status, which no other transaction changes."""

    id: UUID
    status: Status


def lock(session: Session, ids: Collection[UUID]) -> list[Locked]:
    """Lock those of these experiments that exist, and the retries of them; return the former.

    The order is that of ids, as in every transaction that locks several. Retries are locked before the change counter,
    because a worker that writes one holds its row and waits for the counter.
    """
    either = Experiment.id.in_(ids) | Experiment.retry_of.in_(ids)
    rows = select(Experiment.id, Experiment.status).where(either)
    locked = session.execute(rows.order_by(Experiment.id).with_for_update(key_share=True))
    named = set(ids)
    return [Locked(row.id, Status(row.status)) for row in locked if row.id in named]


def retry_all(session: UnitOfWork, principal: str, ids: Collection[UUID]) -> int:
    """Do as `retry` for several experiments, under one revision; return their number."""
    rows = session.scalars(_whole().where(Experiment.id.in_(ids)).order_by(Experiment.id)).all()
    retries = [_retry_columns(principal, experiment, new_id()) for experiment in rows]
    _insert(session, retries, [experiment.tags for experiment in rows])
    if retries:
        stamp(session, [row["id"] for row in retries])
    return len(retries)


def count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    return session.execute(select(func.count()).select_from(Experiment).where(*conditions)).scalar_one()


def ids_of(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, after: UUID | None, until: UUID, limit: int
) -> Sequence[UUID]:
    """Return the ids of up to `limit` experiments that meet conditions, in order, after one id and up to another."""
    ids = select(Experiment.id).where(*conditions, Experiment.id <= until)
    if after is not None:
        ids = ids.where(Experiment.id > after)
    return session.scalars(ids.order_by(Experiment.id).limit(limit)).all()


def reload(session: Session, id: UUID) -> Experiment:
    """Read a row again after UPDATEs that bypassed the session."""
    session.flush()
    return session.scalars(_by_id(), {"own_id": id}, execution_options=FRESH).one()


def revision(session: Session, id: UUID) -> tuple[int, str] | None:
    """Return revision and status, by primary key: all that a poll of an unchanged experiment reads."""
    row = session.execute(select(Experiment.revision, Experiment.status).where(Experiment.id == id)).one_or_none()
    return None if row is None else (row.revision, row.status)


def which_exist(session: Session, ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Return which of these experiments exist, and which of those have not ended."""
    rows = session.execute(select(Experiment.id, Experiment.status).where(Experiment.id.in_(ids))).all()
    return {row.id for row in rows}, {row.id for row in rows if row.status in ACTIVE}


class Entry(NamedTuple):
    """An experiment's line in a list: what selects and sorts it, and what tells whether it has changed."""

    id: UUID
    revision: int
    status: str
    value: float | None


def entries(session: Session, filters: Filter, *, sort: str, limit: int, after: Position | None) -> Page[Entry]:
    """Do as `page`, and return what tells which experiments they are, and whether a copy of them is the newest."""
    column = _column(sort)
    value = null() if column is Experiment.id else column
    query = select(Experiment.id, Experiment.revision, Experiment.status, value.label("value"))
    rows = session.execute(_in_order(query, filters, sort, after).limit(limit + 1)).all()
    return page_of([Entry(*row) for row in rows], limit, lambda last: Position(last.value, last.id))


def page(session: Session, filters: Filter, *, sort: str, limit: int, after: Position | None) -> Page[Experiment]:
    """Return one page of experiments in the order of `sort`, a column, with a leading `-` for descending.

    Only experiments with a value in that column are listed, because null sorts differently in each database.
    """
    column = _column(sort)
    rows = session.scalars(_in_order(_whole(), filters, sort, after).limit(limit + 1)).all()
    value = (lambda row: None) if column is Experiment.id else (lambda row: getattr(row, column.key))
    return page_of(rows, limit, lambda last: Position(value(last), last.id))


def whole(session: Session, ids: Collection[UUID]) -> Sequence[Experiment]:
    """Return experiments by their ids, in no order."""
    return session.scalars(_whole().where(Experiment.id.in_(ids))).all()


def _column(sort: str) -> Any:
    return getattr(Experiment, sort.removeprefix("-"))


def _in_order(query: Select[Any], filters: Filter, sort: str, after: Position | None) -> Select[Any]:
    column, descending = _column(sort), sort.startswith("-")
    query = query.where(*filters.conditions(by_status=column is Experiment.id), column.is_not(None))
    if after is not None:
        place = tuple_(column, Experiment.id) if column is not Experiment.id else tuple_(Experiment.id)
        bound = (after.value, after.id) if column is not Experiment.id else (after.id,)
        query = query.where(place < bound if descending else place > bound)
    order = [column, Experiment.id] if column is not Experiment.id else [Experiment.id]
    return query.order_by(*(part.desc() for part in order) if descending else order)


def edit(session: UnitOfWork, experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """Apply a merge patch of name, notes, tags and `archived`."""
    tags, archived = changes.pop("tags", None), changes.pop("archived", None)
    for name, value in changes.items():
        setattr(experiment, name, value)
    if archived is not None and archived != (experiment.archived_at is not None):
        experiment.archived_at = now() if archived else None
    if tags is not None:
        experiment.tag_rows = [Tag(tag=tag, experiment_id=experiment.id) for tag in tags]
    experiment.edit_version += 1
    session.flush()
    stamp(session, [experiment.id])
    return reload(session, experiment.id)


def archive_all(session: UnitOfWork, ids: Collection[UUID], *, archived: bool) -> None:
    """Archive locked experiments, or restore them, under one revision."""
    values = {"archived_at": now() if archived else None, "edit_version": Experiment.edit_version + 1}
    session.execute(update(Experiment).where(Experiment.id.in_(ids)).values(values), execution_options=BLIND)
    stamp(session, ids)


def tag_all(session: UnitOfWork, ids: Collection[UUID], add: Collection[str], remove: Collection[str]) -> None:
    """Add tags to locked experiments and remove others, under one revision."""
    tags = table_of(Tag)
    session.execute(delete(tags).where(tags.c.experiment_id.in_(ids), tags.c.tag.in_(remove)))
    if rows := [{"tag": tag, "experiment_id": id} for id in ids for tag in add]:
        session.execute(upsert.insert(session, tags).on_conflict_do_nothing(), rows)
    edited = update(Experiment).where(Experiment.id.in_(ids)).values(edit_version=Experiment.edit_version + 1)
    session.execute(edited, execution_options=BLIND)
    stamp(session, ids)


def has_tag(tag: str) -> ColumnElement[bool]:
    """Return the condition that an experiment has a tag."""
    return Experiment.id.in_(select(Tag.experiment_id).where(Tag.tag == tag))


def tagged_beyond(most: int, add: Collection[str], remove: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that an experiment would have more than `most` tags after a change of them."""
    kept = Tag.tag.not_in([*add, *remove])
    number = select(func.count()).where(Tag.experiment_id == Experiment.id, kept).scalar_subquery()
    return number + len(add) > most


def any_of(session: Session, conditions: Sequence[ColumnElement[bool]]) -> UUID | None:
    """Return the id of an experiment that meets conditions; None where none does."""
    return session.scalars(select(Experiment.id).where(*conditions).limit(1)).first()


def remove(session: UnitOfWork, id: UUID) -> bool:
    """Delete a terminal experiment with its epochs, attempts and result; return False where it is not terminal."""
    return bool(remove_all(session, lock(session, [id])))


def remove_all(session: UnitOfWork, experiments: Collection[Locked]) -> int:
    """Delete those of locked experiments that are terminal, under one revision; return their number."""
    ids = [experiment.id for experiment in experiments if experiment.status.terminal]
    if not ids:
        return 0
    retries = session.scalars(select(Experiment.id).where(Experiment.retry_of.in_(ids))).all()
    revision = stamp(session, [*ids, *retries])
    tombstones.mark_deleted(session, Experiment.id.in_(ids), revision)
    totals.keep(session, Experiment.id.in_(ids))
    session.execute(delete(Experiment).where(Experiment.id.in_(ids)), execution_options=BLIND)
    return len(ids)


def remove_of_studies(session: UnitOfWork, studies: Collection[UUID]) -> int | None:
    """Delete all experiments of studies under one revision and return it; return None where some are active.

    Nothing is deleted in that case.
    """
    of_studies = Experiment.study_id.in_(studies)
    if session.scalar(select(Experiment.id).where(of_studies, Experiment.status.in_(ACTIVE)).limit(1)) is not None:
        return None
    session.execute(select(Experiment.id).where(of_studies).order_by(Experiment.id).with_for_update())
    revision = next_revision(session)
    # Checked again: from here on no transaction can add a retry.
    if session.scalar(select(Experiment.id).where(of_studies, Experiment.status.in_(ACTIVE)).limit(1)) is not None:
        return None
    _hand_over(session, studies, revision)
    tombstones.mark_deleted(session, of_studies, revision)
    totals.keep(session, of_studies)
    session.execute(delete(Experiment).where(of_studies), execution_options=BLIND)
    return revision


def _hand_over(session: UnitOfWork, studies: Collection[UUID], revision: int) -> None:
    """Give the experiments that other studies reuse to the first study that does."""
    reuses = select(StudyReuse.experiment_id, StudyReuse.study_id).join(
        Experiment, Experiment.id == StudyReuse.experiment_id
    )
    reused_elsewhere = reuses.where(Experiment.study_id.in_(studies), StudyReuse.study_id.not_in(studies))
    rows = session.execute(reused_elsewhere.order_by(StudyReuse.study_id.desc())).all()
    for id, heir in {row.experiment_id: row.study_id for row in rows}.items():
        session.execute(update(Experiment).where(Experiment.id == id).values(study_id=heir, revision=revision))
        session.note([id], revision)
        session.execute(delete(StudyReuse).where(StudyReuse.experiment_id == id, StudyReuse.study_id == heir))
    session.execute(delete(StudyReuse).where(StudyReuse.study_id.in_(studies)))


@cache
def _by_id() -> Select[Experiment]:
    return _whole().where(Experiment.id == bindparam("own_id"))


def _whole() -> Select[Experiment]:
    return select(Experiment).options(selectinload(Experiment.tag_rows))
