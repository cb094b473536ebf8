"""Reuse: finished experiments that a study counts as its own instead of training the same again."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from service.domain.results import Fingerprint
from service.domain.spec import ExperimentSubmission
from service.domain.status import Status
from service.storage.records import workers
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import StudyReuse

CONDITIONS_PER_QUERY = 1000

Repetition = tuple[str, int]
"""A condition and a seed; experiments that agree in both are the same."""


def untrained(
    session: Session, submissions: Sequence[ExperimentSubmission], code: str, *, enabled: bool
) -> tuple[list[ExperimentSubmission], list[UUID]]:
    """Return the submissions that are left to train, and the ids of finished experiments that stand for the others.

    `code` is the version whose experiments may be reused. Unless reuse is `enabled`, all are left.
    """
    if not enabled:
        return list(submissions), []
    repetitions = _repetitions(submissions)
    finished = _find(session, set(repetitions), code)
    left = [submission for submission, same in zip(submissions, repetitions, strict=True) if same not in finished]
    return left, list(finished.values())


def refer(session: Session, study: UUID, experiments: Collection[UUID]) -> None:
    """Let a study count experiments as its own; they stay in the study that trained them."""
    if experiments:
        rows = [{"study_id": study, "experiment_id": id} for id in experiments]
        session.execute(insert(StudyReuse), rows)


def referring(session: Session, experiment: UUID) -> Sequence[UUID]:
    """Return the studies that count an experiment without having trained it."""
    return session.scalars(select(StudyReuse.study_id).where(StudyReuse.experiment_id == experiment)).all()


def counted_elsewhere() -> ColumnElement[bool]:
    """Return the condition that a study counts an experiment without having trained it."""
    return Experiment.id.in_(select(StudyReuse.experiment_id))


def counted(session: Session, experiments: Collection[UUID]) -> set[UUID]:
    """Return those of these experiments that a study counts without having trained them."""
    return set(session.scalars(select(StudyReuse.experiment_id).where(StudyReuse.experiment_id.in_(experiments))))


def _repetitions(submissions: Sequence[ExperimentSubmission]) -> list[Repetition]:
    """Return the repetition that each submission is; one hash for those that differ by the seed alone."""
    conditions: dict[str, str] = {}
    repetitions = []
    for submission in submissions:
        text = submission.but_seed
        if text not in conditions:
            conditions[text] = submission.spec.condition
        repetitions.append((conditions[text], submission.seed))
    return repetitions


def _find(session: Session, repetitions: Collection[Repetition], code: str) -> dict[Repetition, UUID]:
    """Return finished experiments that may stand for repetitions, locked against deletion.

    They have the same spec and seed, the given version of the code, and one fingerprint for all, which fits the device
    and versions of a live worker. Of several fingerprints, that of the most experiments is taken; of several
    experiments of one repetition, the newest.
    """
    alive = workers.machines(session)
    by_fingerprint: dict[str, dict[Repetition, UUID]] = defaultdict(dict)
    for row in _finished(session, {condition for condition, _ in repetitions}, code):
        fingerprint = Fingerprint.model_validate(row.fingerprint)
        if (row.condition, row.seed) in repetitions and not fingerprint.mixed and _fits(fingerprint, alive):
            by_fingerprint[fingerprint.model_dump_json()][row.condition, row.seed] = row.id
    best = max(by_fingerprint.values(), key=lambda ids: (len(ids), max(ids.values())), default={})
    locked = _locked(session, best.values())
    return {repetition: id for repetition, id in best.items() if id in locked}


def _locked(session: Session, experiments: Collection[UUID]) -> set[UUID]:
    """Lock experiments against deletion until the transaction ends; return the ids of those that still exist."""
    existing = select(Experiment.id).where(Experiment.id.in_(experiments)).order_by(Experiment.id)
    return set(session.scalars(existing.with_for_update(key_share=True)))


def _finished(session: Session, conditions: Collection[str], code: str) -> Iterator[Any]:
    ordered = sorted(conditions)
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Result.fingerprint)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    for start in range(0, len(ordered), CONDITIONS_PER_QUERY):
        among = Experiment.condition.in_(ordered[start : start + CONDITIONS_PER_QUERY])
        ended = (Experiment.status == Status.SUCCEEDED, Experiment.code == code)
        yield from session.execute(joined.where(among, *ended).order_by(Experiment.id))


def _fits(fingerprint: Fingerprint, alive: Collection[tuple[str, str | None]]) -> bool:
    """Return whether a live worker has the fingerprint's device and torch; True where no worker is alive."""
    return not alive or (fingerprint.device, fingerprint.torch) in alive
