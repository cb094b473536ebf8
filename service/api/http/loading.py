"""Records by id, or the error that answers 404 or 409 in their place."""

from uuid import UUID

from sqlalchemy.orm import Session

from service.domain.errors import ExperimentNotFound, ResultNotReady, StudyNotFound
from service.domain.status import Status
from service.storage.records import experiments, results
from service.storage.studies import records as studies
from service.storage.tables.experiments import Experiment, Result
from service.storage.tables.studies import Study


def load_experiment(session: Session, id: UUID, *, lock: bool = False) -> Experiment:
    """Return an experiment, locked until the transaction ends where asked. Raises ExperimentNotFound."""
    experiment = experiments.find_locked(session, id) if lock else experiments.find(session, id)
    if experiment is None:
        raise experiment_not_found(id)
    return experiment


def load_study(session: Session, id: UUID, *, lock: bool = False) -> Study:
    """Return a study, locked until the transaction ends where asked. Raises StudyNotFound."""
    study = studies.find_locked(session, id) if lock else studies.find(session, id)
    if study is None:
        raise study_not_found(id)
    return study


def load_result(session: Session, id: UUID) -> Result:
    """Return the result of an experiment. Raises ExperimentNotFound, or ResultNotReady with the reason."""
    experiment = load_experiment(session, id)
    result = results.of_experiment(session, id)
    if result is None:
        raise ResultNotReady(_why_no_result(experiment))
    return result


def experiment_not_found(id: UUID) -> ExperimentNotFound:
    return ExperimentNotFound(f"There is no experiment {id}.")


def study_not_found(id: UUID) -> StudyNotFound:
    return StudyNotFound(f"There is no study {id}.")


def _why_no_result(experiment: Experiment) -> str:
    if Status(experiment.status).terminal:
        return (
            f"The experiment ended as {experiment.status} ({experiment.cause}), so there is no result."
            f" {experiment.remedy}"
        )
    return f"The experiment is {experiment.status}; wait for it with GET /api/v1/experiments/{experiment.id}?wait=30."
