"""Records of studies: creating, listing, editing, cancelling and deleting them with their experiments."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from service.domain.query.conditions import Query
from service.domain.spec import ExperimentSubmission
from service.domain.status import ACTIVE
from service.domain.study import StudySpec
from service.storage.changes import tombstones
from service.storage.changes.revisions import next_revision
from service.storage.engine.clock import now
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments, ordering, queries
from service.storage.records.ordering import Order, Start
from service.storage.records.queries import Columns
from service.storage.studies import reuse
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study, StudyTag

NO_VERSIONS: Mapping[str, int] = {}

COLUMNS: Columns = {
    **{name: (getattr(Study, name),) for name in ("id", "name", "question", "notes", "preset")},
    "tag": queries.labels(Study.id, StudyTag.tag, StudyTag.study_id),
    "created_by": (Study.principal,),
    "created": (Study.created_at,),
    "archived": (Study.archived_at.is_not(None),),
}
"""The columns of the fields that queries name."""


@dataclass(frozen=True)
class Filter:
    """Conditions on studies, of which a study must meet any value each. `texts` are parts of the name.

    Empty `principals` select no study at all. `archived` selects those that are archived, or those that are not.
    """

    texts: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    principals: tuple[str, ...] | None = None
    tags: tuple[str, ...] = ()
    archived: bool | None = None
    query: Query | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.texts:
            conditions.append(or_(*(Study.name.icontains(text, autoescape=True) for text in self.texts)))
        if self.presets:
            conditions.append(Study.preset.in_(self.presets))
        if self.principals is not None:
            conditions.append(Study.principal.in_(self.principals))
        if self.tags:
            conditions.append(Study.id.in_(select(StudyTag.study_id).where(StudyTag.tag.in_(self.tags))))
        if self.archived is not None:
            is_archived = Study.archived_at.is_not(None)
            conditions.append(is_archived if self.archived else ~is_archived)
        if self.query is not None:
            conditions.append(queries.condition(self.query, COLUMNS))
        return conditions


def create(
    session: UnitOfWork,
    principal: str,
    spec: StudySpec,
    submissions: Sequence[ExperimentSubmission],
    id: UUID,
    activations: Mapping[str, int] = NO_VERSIONS,
    reused: Collection[UUID] = (),
) -> Study:
    """Store a study and queue the experiments of its first stage.

    A study that tunes gets a second study that tries its rates; the submissions are then those of that one.
    `activations` are the versions that registered names in the spec stand for, and `reused` the ids of finished
    experiments that the first stage counts.
    """
    study = first = _add(session, principal, spec, id, activations)
    tuner = spec.tuner()
    if tuner is not None:
        first = _add(session, principal, tuner, new_id(), activations)
        first.tunes = id
        session.flush()
    reuse.refer(session, first.id, reused)
    study.revision = first.revision = experiments.create_all(session, principal, first.id, submissions)
    session.flush()
    session.refresh(study)
    return study


def _add(session: Session, principal: str, spec: StudySpec, id: UUID, activations: Mapping[str, int]) -> Study:
    study = Study(
        id=id,
        principal=principal,
        name=spec.name,
        question=spec.question,
        notes=spec.notes,
        preset=spec.preset,
        base=spec.base,
        factors=spec.factors,
        grids=[grid.model_dump(mode="json") for grid in spec.grids],
        tuning=None if spec.tuning is None else spec.tuning.model_dump(mode="json"),
        seeds=spec.seeds,
        reuse=spec.reuse,
        reference=spec.reference,
        activations=dict(activations),
    )
    session.add(study)
    session.flush()
    _add_tags(session, id, spec.tags)
    return study


def find(session: Session, id: UUID) -> Study | None:
    return session.get(Study, id)


def find_locked(session: Session, id: UUID) -> Study | None:
    """Return a study and lock it against other edits, cancels and deletes until the transaction ends.

    PostgreSQL locks a key derived from the id, not the row: transactions that change an experiment write the row of
    its study last, while they hold the change counter, and a lock on the row could deadlock with them. SQLite has one
    writer at a time.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(id.bytes[8:], signed=True)  # the random half of a UUIDv7
        session.execute(select(func.pg_advisory_xact_lock(key)))
    return session.scalars(select(Study).where(Study.id == id), execution_options=FRESH).one_or_none()


def spec_of(study: Study) -> StudySpec:
    """Return the spec of a study as it was posted, with its preset spelt out and its present seeds."""
    fields = {"base": study.base, "factors": study.factors, "grids": study.grids, "seeds": study.seeds}
    others = {"tuning": study.tuning, "reuse": study.reuse, "reference": study.reference}
    return StudySpec.model_validate(fields | others)


def tags_of(session: Session, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the tags of each of these studies that has some, in their order."""
    tags: dict[UUID, list[str]] = defaultdict(list)
    rows = select(StudyTag.study_id, StudyTag.tag).where(StudyTag.study_id.in_(ids)).order_by(StudyTag.tag)
    for row in session.execute(rows):
        tags[row.study_id].append(row.tag)
    return tags


def tuners(session: Session, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the study that tries the rates, for each of these studies that tunes."""
    rows = session.execute(select(Study.tunes, Study.id).where(Study.tunes.in_(ids)))
    return {row.tunes: row.id for row in rows}


def page(session: Session, filters: Filter, *, descending: bool, limit: int, after: Position | None) -> Page[Study]:
    """Return one page of studies in the order of creation."""
    query = select(Study).where(*filters.conditions())
    if after is not None:
        query = query.where(Study.id < after.id if descending else Study.id > after.id)
    query = query.order_by(Study.id.desc() if descending else Study.id).limit(limit + 1)
    rows = session.scalars(query).all()
    return page_of(rows, limit, lambda last: Position(None, last.id))


def ordered_page(
    session: Session, filters: Filter, order: Sequence[Order], start: Start, limit: int
) -> Sequence[Study]:
    """Return studies in an order of fields, newest first without one."""
    rows = select(Study).where(*filters.conditions())
    return session.scalars(ordering.ordered(rows, Study.id, COLUMNS, order, start).limit(limit)).all()


def named(session: Session, name: str) -> Study | None:
    """Return the newest study of a name, first among those that are not archived."""
    rows = select(Study).where(Study.name == name).order_by(Study.archived_at.is_not(None), Study.id.desc())
    return session.scalars(rows.limit(1)).first()


def unnamed(session: Session, least: UUID, greatest: UUID) -> Study | None:
    """Return the newest study without a name whose id lies between two, both included."""
    rows = select(Study).where(Study.name.is_(None), Study.id.between(least, greatest))
    return session.scalars(rows.order_by(Study.id.desc()).limit(1)).first()


def revision(session: Session, id: UUID) -> int | None:
    return session.scalar(select(Study.revision).where(Study.id == id))


def edit(session: UnitOfWork, study: Study, changes: Mapping[str, Any], added: Sequence[ExperimentSubmission],
         reused: Collection[UUID] = ()) -> Study:  # fmt: skip
    """Apply a merge patch of name, question, notes, tags, seeds and reference to a locked study.

    `added` are the experiments to queue for new seeds, and `reused` the ids of those that need no training.
    """
    edited = {name: value for name, value in changes.items() if name != "tags"}
    if "tags" in changes:
        _replace_tags(session, study.id, changes["tags"])
    reuse.refer(session, study.id, reused)
    revision = experiments.create_all(session, study.principal, study.id, added)
    return write(session, study.id, edited | {"edit_version": Study.edit_version + 1, "revision": revision})


def archive(session: UnitOfWork, study: Study) -> Study:
    """Archive a locked study, its tuning, and their experiments that no other study counts. Archiving it twice changes
    nothing."""
    if study.archived_at is not None:
        return study
    theirs = _lock_theirs(session, study, Experiment.archived_at.is_(None), ~reuse.counted_elsewhere())
    return _write_archived(session, study, session.scalar(select(now())), theirs)


def restore(session: UnitOfWork, study: Study) -> Study:
    """Restore a locked study with what was archived with it. Restoring it twice changes nothing."""
    if study.archived_at is None:
        return study
    theirs = _lock_theirs(session, study, Experiment.archived_at == study.archived_at)
    return _write_archived(session, study, None, theirs)


def cancel(session: UnitOfWork, study: Study) -> Study:
    """Cancel the queued experiments of a locked study and of its tuning, and flag the running ones.

    From the commit on none of them can succeed.
    """
    ids = _with_tuner(session, study)
    of_studies = Experiment.study_id.in_(ids)
    # In the order of ids, as every transaction that locks several experiments.
    active = select(Experiment.id).where(of_studies, Experiment.status.in_(ACTIVE)).order_by(Experiment.id)
    session.execute(active.with_for_update(key_share=True))
    transitions.request_cancel(session, of_studies)
    values = {"cancelled_at": func.coalesce(Study.cancelled_at, now()), "revision": next_revision(session)}
    return [write(session, id, values) for id in ids][-1]


def _lock_theirs(session: Session, study: Study, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Lock the experiments of a study and of its tuning that meet conditions, in the order of their ids, as every
    transaction that locks several; return the condition that selects them."""
    theirs = and_(Experiment.study_id.in_(_with_tuner(session, study)), *conditions)
    locked = select(Experiment.id).where(theirs).order_by(Experiment.id)
    session.execute(locked.with_for_update(key_share=True))
    return theirs


def _write_archived(session: UnitOfWork, study: Study, at: datetime | None, theirs: ColumnElement[bool]) -> Study:
    revision = next_revision(session)
    values = {"archived_at": at, "edit_version": Experiment.edit_version + 1, "revision": revision}
    archived = update(Experiment).where(theirs).values(values).returning(Experiment.id)
    session.note(session.scalars(archived, execution_options=BLIND), revision)
    values = {"archived_at": at, "edit_version": Study.edit_version + 1, "revision": revision}
    return [write(session, id, values) for id in _with_tuner(session, study)][-1]


def _with_tuner(session: Session, study: Study) -> list[UUID]:
    """Return the ids of the study that tries the rates, if any, and of the study."""
    return [*tuners(session, [study.id]).values(), study.id]


def _replace_tags(session: Session, study: UUID, tags: Sequence[str]) -> None:
    session.execute(delete(StudyTag).where(StudyTag.study_id == study), execution_options=BLIND)
    _add_tags(session, study, tags)


def _add_tags(session: Session, study: UUID, tags: Sequence[str]) -> None:
    if tags:
        session.execute(insert(StudyTag), [{"study_id": study, "tag": tag} for tag in tags])


def remove(session: UnitOfWork, study: Study) -> bool:
    """Delete a locked study with its experiments, and the study that tried its rates.

    Returns False, having deleted nothing, where some experiments are active.
    """
    ids = _with_tuner(session, study)
    revision = experiments.remove_of_studies(session, ids)
    if revision is None:
        return False
    for id in ids:
        tombstones.mark_study_deleted(session, id, revision)
        session.flush()
        session.execute(delete(Study).where(Study.id == id), execution_options=BLIND)
    session.expunge(study)
    return True


def write(session: UnitOfWork, id: UUID, values: dict[str, Any]) -> Study:
    """Set columns of a study, `revision` among them, and return the row. The change counter must be held."""
    session.execute(update(Study).where(Study.id == id).values(values), execution_options=BLIND)
    session.note([id], values["revision"])
    return session.scalars(select(Study).where(Study.id == id), execution_options=FRESH).one()
