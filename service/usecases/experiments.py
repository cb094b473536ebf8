"""Submitting, retrying, editing, cancelling and deleting single experiments."""

from typing import Any
from uuid import UUID

from service.domain.errors import IllegalTransition
from service.domain.spec import ExperimentSubmission
from service.domain.status import Status
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.studies import reuse
from service.storage.tables.experiments import Experiment


def submit(session: UnitOfWork, principal: str, submission: ExperimentSubmission, id: UUID) -> None:
    """Queue one experiment under the given id."""
    experiments.add(session, principal, submission, id=id)


def retry(session: UnitOfWork, principal: str, experiment: Experiment, id: UUID) -> Experiment:
    """Queue the spec of a locked experiment again as a new one. Raises IllegalTransition unless it has ended."""
    if not Status(experiment.status).terminal:
        raise IllegalTransition(f"It is {experiment.status}: cancel it, or wait for it to end, before retrying.")
    return experiments.retry(session, principal, experiment, id)


def edit(session: UnitOfWork, experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """Apply a merge patch to a locked experiment. Raises IllegalTransition where it is to be archived and has not
    ended."""
    if changes.get("archived") and not Status(experiment.status).terminal:
        raise IllegalTransition(f"It is {experiment.status}: cancel it, or wait for it to end, before archiving.")
    return experiments.edit(session, experiment, changes)


def cancel(session: UnitOfWork, experiment: Experiment) -> Experiment:
    """Cancel a locked experiment. Raises IllegalTransition where it has ended otherwise."""
    if experiment.status in (Status.SUCCEEDED, Status.FAILED):
        raise IllegalTransition(f"It {experiment.status} at {experiment.finished_at}: there is nothing to cancel.")
    transitions.request_cancel(session, Experiment.id == experiment.id)
    return experiments.reload(session, experiment.id)


def delete(session: UnitOfWork, experiment: Experiment) -> None:
    """Delete a locked experiment. Raises IllegalTransition unless it has ended and no other study counts it."""
    studies = reuse.referring(session, experiment.id)
    if studies:
        raise IllegalTransition(f"It counts for study {', '.join(map(str, studies))} too; delete that first.")
    if not experiments.remove(session, experiment.id):
        raise IllegalTransition(f"It is {experiment.status}: cancel it first, then delete it.")
