"""Studies that tune: those that are due for their ranking, and the results of their trials."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from service.domain import tuning
from service.domain.spec import ExperimentSubmission
from service.domain.status import ACTIVE, Cause, Status
from service.domain.tuning import Trial
from service.storage.records import membership
from service.storage.studies import records as studies
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study


def due(session: Session) -> Sequence[UUID]:
    """Return the studies whose trials have all ended and whose ranking has not been started."""
    tuner, tuned = aliased(Study), aliased(Study)
    busy = exists().where(Experiment.study_id == tuner.id, Experiment.status.in_(ACTIVE))
    waiting = (tuner.tunes == tuned.id, tuned.tuned_at.is_(None), tuned.cancelled_at.is_(None))
    return session.scalars(select(tuned.id).select_from(tuner).join(tuned, tuner.tunes == tuned.id).where(
        *waiting, ~busy).order_by(tuned.id)).all()  # fmt: skip


def with_rates(study: Study, submissions: Sequence[ExperimentSubmission]) -> list[ExperimentSubmission]:
    """Return submissions of a study as they are to be queued: with the chosen rates, where it tunes.

    Until the rates of a study that tunes have been chosen, that is none.
    """
    if study.tuning is None:
        return list(submissions)
    return tuning.ranked(submissions, {choice["cell"]: choice["learning_rate"] for choice in study.tuned or ()})


def trials(session: Session, study: UUID) -> list[tuple[dict[str, Any], Trial]]:
    """Return the trials of a study that tunes, each with its spec, in the order in which they were queued.

    Reused trials are among them.
    """
    rows = session.execute(_trial_rows(studies.tuners(session, [study])[study]))
    return [(row.spec, _trial(row)) for row in rows]


def _trial_rows(tuner: UUID) -> Any:
    """Select the experiments of a study that tries rates, reused ones too, each with its last epoch."""
    last = (Epoch.experiment_id == Experiment.id) & (Epoch.epoch == Experiment.epochs_done)
    columns = (Experiment.spec, Experiment.seed, Experiment.status, Experiment.cause, Epoch.validation_accuracy,
               Epoch.validation_loss)  # fmt: skip
    of_tuner = Experiment.id.in_(membership.of_study(tuner))
    return select(*columns).outerjoin(Epoch, last).where(of_tuner).order_by(Experiment.id)


def _trial(row: Any) -> Trial:
    succeeded = row.status == Status.SUCCEEDED
    unmeasured = succeeded and (row.validation_accuracy is None or row.validation_loss is None)
    return Trial(
        cell_hash=tuning.cell_hash(row.spec),
        rate=row.spec["optimizer"]["learning_rate"],
        seed=row.seed,
        diverged=row.cause == Cause.DIVERGED or unmeasured,
        accuracy=row.validation_accuracy if succeeded else None,
        loss=row.validation_loss if succeeded else None,
    )
