"""Starting the ranking of a study that tunes, once every experiment of the study that tries its rates has ended.

Several processes may try to start the same ranking. The transaction locks the study and checks again that the ranking
is due, so that the second process, or the next one after a crash, finds either all of it to do or nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from service.domain import factors
from service.domain import tuning as rates
from service.domain.spec import ExperimentSubmission
from service.domain.study import StudySpec
from service.domain.tuning import RATE, Choice, Trial
from service.storage.engine.clock import now
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import experiments
from service.storage.records.activations import StoredRegistry
from service.storage.studies import records as studies
from service.storage.studies import reuse, tuning


def start(session: UnitOfWork, id: UUID, code: str) -> int:
    """Choose the rates of a study and queue its ranking; return the number of workers to wake, 0 where it is not due.

    Where the study reuses experiments, those that this version `code` has trained already are not queued.
    """
    study = studies.find_locked(session, id)
    if study is None or id not in tuning.due(session):
        return 0
    spec = studies.spec_of(study)
    submissions = spec.experiments(StoredRegistry(session, study.activations, archived=True))
    choices = _choices(session, id, spec, submissions)
    rate_of = {cell: choice.learning_rate for cell, choice in choices.items()}
    queued, reused = reuse.untrained(session, rates.ranked(submissions, rate_of), code, enabled=study.reuse)
    reuse.refer(session, id, reused)
    revision = experiments.create_all(session, study.principal, id, queued)
    tuned = [choice.model_dump(mode="json") | {"cell": cell} for cell, choice in choices.items()]
    studies.write(session, id, {"tuned": tuned, "tuned_at": now(), "revision": revision})
    return len(queued)


def _choices(
    session: UnitOfWork, study: UUID, spec: StudySpec, submissions: Sequence[ExperimentSubmission]
) -> dict[str, Choice]:
    """Return the choice of each cell, in the order of the submissions."""
    specs: dict[str, Any] = {}
    trials: dict[str, dict[tuple[float, int], Trial]] = defaultdict(dict)
    for trial_spec, trial in tuning.trials(session, study):
        specs.setdefault(trial.cell_hash, trial_spec)
        earlier = trials[trial.cell_hash].get((trial.rate, trial.seed))
        # A retry replaces the trial that it repeats, unless only the earlier one has figures.
        if earlier is None or earlier.accuracy is None or trial.accuracy is not None:
            trials[trial.cell_hash][trial.rate, trial.seed] = trial
    paths = [factors.groupable(path) for path in spec.varied() if path != RATE]
    cells = dict.fromkeys(rates.cell_hash(submission.spec.model_dump(mode="json")) for submission in submissions)
    return {cell: _choice(specs[cell], paths, list(trials[cell].values())) for cell in cells if cell in trials}


def _choice(spec: dict[str, Any], paths: Sequence[str], trials: Sequence[Trial]) -> Choice:
    rate, scores = rates.choose(trials)
    rest = factors.without(spec, [RATE])
    values = {path: factors.value(rest, path) for path in paths}
    return Choice(factors=values, learning_rate=rate, at_edge=rates.is_at_edge(rate, scores), scores=scores)
