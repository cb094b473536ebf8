"""Studies: created with their experiments, listed, extended, cancelled, deleted with what is theirs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from service.domain.spec import ExperimentSubmission
from service.domain.status import ACTIVE
from service.domain.study import StudySpec
from service.storage.changes import tombstones
from service.storage.changes.revisions import next_revision
from service.storage.engine.clock import now
from service.storage.engine.keyset import Page, Position, page_of
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.studies import reuse
from service.storage.tables.base import new_id
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study

NO_NAMES: Mapping[str, int] = {}


@dataclass(frozen=True)
class Filter:
    """Which studies; a field left None does not narrow."""

    text: str | None = None
    preset: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.text is not None:
            found.append(Study.name.icontains(self.text, autoescape=True))
        if self.preset is not None:
            found.append(Study.preset == self.preset)
        return found


def create(
    session: UnitOfWork,
    principal: str,
    spec: StudySpec,
    submissions: Sequence[ExperimentSubmission],
    id: UUID,
    activations: Mapping[str, int] = NO_NAMES,
    reused: Collection[UUID] = (),
) -> Study:
    """Store the study and queue its experiments, all or none, or, where it tunes first, those of a study that does;
    `activations` are the versions that registered names in it stand for."""
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
        preset=spec.preset,
        base=spec.base,
        factors=spec.factors,
        grids=[grid.model_dump(mode="json") for grid in spec.grids],
        tuning=None if spec.tuning is None else spec.tuning.model_dump(mode="json"),
        seeds=spec.seeds,
        reuse=spec.reuse,
        activations=dict(activations),
    )
    session.add(study)
    session.flush()
    return study


def find(session: Session, id: UUID) -> Study | None:
    return session.get(Study, id)


def find_locked(session: Session, id: UUID) -> Study | None:
    """The study as it is now; nobody else edits, cancels or deletes it until the transaction ends.

    Not by its row, which whoever changes an experiment writes last, holding the counter: a lock that is taken before
    everything else, the row included, stands in nobody's way.
    """
    if session.get_bind().dialect.name == "postgresql":
        key = int.from_bytes(id.bytes[8:], signed=True)  # the random half of a UUIDv7
        session.execute(select(func.pg_advisory_xact_lock(key)))
    return session.scalars(select(Study).where(Study.id == id), execution_options=FRESH).one_or_none()


def spec_of(study: Study) -> StudySpec:
    """What was posted, presets spelt out, with the seeds of now."""
    spelled = {"base": study.base, "factors": study.factors, "grids": study.grids, "seeds": study.seeds}
    return StudySpec.model_validate(spelled | {"tuning": study.tuning, "reuse": study.reuse})


def tuners(session: Session, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Of these studies, those that tune, each with the study that tries its rates."""
    rows = session.execute(select(Study.tunes, Study.id).where(Study.tunes.in_(ids)))
    return {row.tunes: row.id for row in rows}


def page(session: Session, narrowed: Filter, *, descending: bool, limit: int, after: Position | None) -> Page[Study]:
    """One page in the order of creation."""
    found = select(Study).where(*narrowed.conditions())
    if after is not None:
        found = found.where(Study.id < after.id if descending else Study.id > after.id)
    found = found.order_by(Study.id.desc() if descending else Study.id).limit(limit + 1)
    rows = session.scalars(found).all()
    return page_of(rows, limit, lambda last: Position(None, last.id))


def revision(session: Session, id: UUID) -> int | None:
    return session.scalar(select(Study.revision).where(Study.id == id))


def edit(session: UnitOfWork, study: Study, changes: Mapping[str, Any], added: Sequence[ExperimentSubmission],
         reused: Collection[UUID] = ()) -> Study:  # fmt: skip
    """Apply a merge patch of name, question and seeds to a locked study, queue what new seeds add, and take over what
    of it has been trained."""
    reuse.refer(session, study.id, reused)
    revision = experiments.create_all(session, study.principal, study.id, added)
    edited = {**changes, "edit_version": Study.edit_version + 1, "revision": revision}
    return write(session, study.id, edited)


def cancel(session: UnitOfWork, study: Study) -> Study:
    """Cancel what is queued of a locked study and flag what is running, that of its tuning too: from the commit on none
    of it can succeed."""
    ids = [*tuners(session, [study.id]).values(), study.id]
    ours = Experiment.study_id.in_(ids)
    # In the order of ids, which everybody keeps who locks several.
    active = select(Experiment.id).where(ours, Experiment.status.in_(ACTIVE)).order_by(Experiment.id)
    session.execute(active.with_for_update(key_share=True))
    transitions.request_cancel(session, ours)
    at, revision = func.coalesce(Study.cancelled_at, now()), next_revision(session)
    return [write(session, id, {"cancelled_at": at, "revision": revision}) for id in ids][-1]


def remove(session: UnitOfWork, study: Study) -> bool:
    """Delete a locked study with its experiments, and with the study that tuned for it; False, having deleted nothing,
    where some are still active."""
    ids = [*tuners(session, [study.id]).values(), study.id]
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
    """Set columns of a study, its new revision among them, holding the change counter."""
    written = update(Study).where(Study.id == id).values(values)
    session.execute(written, execution_options=BLIND)
    session.note([id], values["revision"])
    return session.scalars(select(Study).where(Study.id == id), execution_options=FRESH).one()
