"""Experiments of other studies that a study takes over instead of training the same again."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from service.domain.results import Fingerprint
from service.domain.spec import ExperimentSubmission
from service.domain.status import Status
from service.storage.records import workers
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import StudyReuse

ASKED_AT_ONCE = 1000

Cell = tuple[str, int]
"""Condition and seed: what makes two experiments the same."""


def untrained(
    session: Session, wanted: Sequence[ExperimentSubmission], code: str, *, asked: bool
) -> tuple[list[ExperimentSubmission], list[UUID]]:
    """What of these is left to train, and the experiments that stand for the rest: all and none where reuse was not
    asked for."""
    if not asked:
        return list(wanted), []
    found = _find(session, wanted, code)
    left = [each for each in wanted if (each.spec.condition, each.seed) not in found]
    return left, list(found.values())


def refer(session: Session, study: UUID, experiments: Collection[UUID]) -> None:
    """Let the study count these as its own, without their leaving the one that trained them."""
    if experiments:
        rows = [{"study_id": study, "experiment_id": id} for id in experiments]
        session.execute(insert(StudyReuse), rows)


def referring(session: Session, experiment: UUID) -> Sequence[UUID]:
    """Studies that count this experiment without having trained it."""
    return session.scalars(select(StudyReuse.study_id).where(StudyReuse.experiment_id == experiment)).all()


def _find(session: Session, wanted: Sequence[ExperimentSubmission], code: str) -> dict[Cell, UUID]:
    """Finished experiments that may stand for these: same spec and seed, this version of the code, and one fingerprint
    for all of them, which a live worker's device and versions fit. Of several fingerprints the one that stands for
    most; of several experiments the newest."""
    cells = {(each.spec.condition, each.seed) for each in wanted}
    alive = workers.machines(session)
    by_fingerprint: dict[str, dict[Cell, UUID]] = defaultdict(dict)
    for row in _finished(session, {condition for condition, _ in cells}, code):
        fingerprint = Fingerprint.model_validate(row.fingerprint)
        if (row.condition, row.seed) in cells and not fingerprint.mixed and _fits(fingerprint, alive):
            by_fingerprint[fingerprint.model_dump_json()][row.condition, row.seed] = row.id
    best = max(by_fingerprint.values(), key=lambda found: (len(found), max(found.values())), default={})
    held = _held(session, best.values())
    return {cell: id for cell, id in best.items() if id in held}


def _held(session: Session, experiments: Collection[UUID]) -> set[UUID]:
    """Those that are still there, and that nobody deletes until the transaction ends."""
    found = select(Experiment.id).where(Experiment.id.in_(experiments)).order_by(Experiment.id)
    return set(session.scalars(found.with_for_update(key_share=True)))


def _finished(session: Session, conditions: Collection[str], code: str) -> Iterator[Any]:
    ordered = sorted(conditions)
    columns = (Experiment.id, Experiment.condition, Experiment.seed, Result.fingerprint)
    joined = select(*columns).join(Result, Result.experiment_id == Experiment.id)
    for start in range(0, len(ordered), ASKED_AT_ONCE):
        among = Experiment.condition.in_(ordered[start : start + ASKED_AT_ONCE])
        ended = (Experiment.status == Status.SUCCEEDED, Experiment.code == code)
        yield from session.execute(joined.where(among, *ended).order_by(Experiment.id))


def _fits(fingerprint: Fingerprint, alive: Collection[tuple[str, str | None]]) -> bool:
    """With no worker alive there is nothing to differ from."""
    return not alive or (fingerprint.device, fingerprint.torch) in alive
