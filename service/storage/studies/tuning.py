"""Studies that tune: the study that tries the rates comes first, and the ranking starts when all of it has ended.

Whoever sees that it has ended may start the ranking: the transaction locks the study and looks again, so that a second
one, or one that comes after a crash, finds either everything to do or nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from service.domain import factors, tuning
from service.domain.spec import ExperimentSubmission
from service.domain.status import ACTIVE, Cause, Status
from service.domain.study import StudySpec
from service.domain.tuning import RATE, Choice, Trial
from service.storage.engine.clock import now
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.records.activations import Names
from service.storage.studies import records as studies
from service.storage.studies import reuse
from service.storage.tables.epochs import Epoch
from service.storage.tables.experiments import Experiment
from service.storage.tables.studies import Study


def due(session: Session) -> Sequence[UUID]:
    """Studies whose rates have all been tried, and whose ranking has not been started."""
    tuner, tuned = aliased(Study), aliased(Study)
    busy = exists().where(Experiment.study_id == tuner.id, Experiment.status.in_(ACTIVE))
    waiting = (tuner.tunes == tuned.id, tuned.tuned_at.is_(None), tuned.cancelled_at.is_(None))
    return session.scalars(select(tuned.id).select_from(tuner).join(tuned, tuner.tunes == tuned.id).where(
        *waiting, ~busy).order_by(tuned.id)).all()  # fmt: skip


def start(session: UnitOfWork, id: UUID, code: str) -> int:
    """Choose the rates of a study and queue its ranking, without what has been trained by this version where the study
    reuses that. How many experiments it queues; 0 where it is not due."""
    study = studies.find_locked(session, id)
    if study is None or id not in due(session):
        return 0
    spec = studies.spec_of(study)
    submissions = spec.experiments(Names(session, study.activations, archived=True))
    choices = _choices(session, id, spec, submissions)
    rates = {cell: choice.learning_rate for cell, choice in choices.items()}
    left, reused = reuse.untrained(session, tuning.ranked(submissions, rates), code, asked=study.reuse)
    reuse.refer(session, id, reused)
    revision = experiments.create_all(session, study.principal, id, left)
    tuned = [choice.model_dump(mode="json") | {"cell": cell} for cell, choice in choices.items()]
    studies.write(session, id, {"tuned": tuned, "tuned_at": now(), "revision": revision})
    return len(left)


def with_rates(study: Study, given: Sequence[ExperimentSubmission]) -> list[ExperimentSubmission]:
    """What a study's grids give as it is to be queued: as it is, or with the rates that were chosen; as long as they
    have not been, nothing."""
    if study.tuning is None:
        return list(given)
    return tuning.ranked(given, {choice["cell"]: choice["learning_rate"] for choice in study.tuned or ()})


def _choices(
    session: Session, study: UUID, spec: StudySpec, submissions: Sequence[ExperimentSubmission]
) -> dict[str, Choice]:
    """By cell, in the order of the submissions."""
    specs: dict[str, Any] = {}
    trials: dict[str, dict[tuple[float, int], Trial]] = defaultdict(dict)
    for row in session.execute(_tried(studies.tuners(session, [study])[study])):
        trial = _trial(row)
        specs.setdefault(trial.cell, row.spec)
        before = trials[trial.cell].get((trial.rate, trial.seed))
        if (
            before is None or before.accuracy is None or trial.accuracy is not None
        ):  # a retry stands for what it repeats
            trials[trial.cell][trial.rate, trial.seed] = trial
    paths = [factors.groupable(path) for path in spec.varied() if path != RATE]
    cells = dict.fromkeys(tuning.cell_of(each.spec.model_dump(mode="json")) for each in submissions)
    return {cell: _choice(specs[cell], paths, list(trials[cell].values())) for cell in cells if cell in trials}


def _choice(spec: dict[str, Any], paths: Sequence[str], trials: Sequence[Trial]) -> Choice:
    rate, scores = tuning.choose(trials)
    rest = factors.without(spec, [RATE])
    named = {path: factors.value(rest, path) for path in paths}
    return Choice(factors=named, learning_rate=rate, at_edge=tuning.is_at_edge(rate, scores), scores=scores)


def _tried(tuner: UUID) -> Any:
    """The experiments of a study that tries rates, those that it took over too, each with its last epoch."""
    last = (Epoch.experiment_id == Experiment.id) & (Epoch.epoch == Experiment.epochs_done)
    columns = (Experiment.spec, Experiment.seed, Experiment.status, Experiment.cause, Epoch.validation_accuracy,
               Epoch.validation_loss)  # fmt: skip
    ours = Experiment.id.in_(experiments.of_study(tuner))
    return select(*columns).outerjoin(Epoch, last).where(ours).order_by(Experiment.id)


def _trial(row: Any) -> Trial:
    succeeded = row.status == Status.SUCCEEDED
    unmeasured = succeeded and (row.validation_accuracy is None or row.validation_loss is None)
    return Trial(
        cell=tuning.cell_of(row.spec),
        rate=row.spec["optimizer"]["learning_rate"],
        seed=row.seed,
        diverged=row.cause == Cause.DIVERGED or unmeasured,
        accuracy=row.validation_accuracy if succeeded else None,
        loss=row.validation_loss if succeeded else None,
    )
