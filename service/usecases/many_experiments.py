"""Cancelling, deleting and retrying many experiments, a block of them in each transaction.

Experiments that an action does not apply to are passed over: those that have ended, for a cancel, and those that have
not, for a deletion or a retry. A deletion also passes over experiments that another study counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from service.domain.status import ACTIVE, TERMINAL
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.records import experiments
from service.storage.records.experiments import Filter
from service.storage.studies import reuse
from service.storage.tables.experiments import Experiment

BLOCK = 100
"""Experiments in a transaction, which others that write may have to wait for."""


@dataclass(frozen=True)
class Block:
    """A part of the work that is done: its number of experiments, and the last id that was looked at.

    `last` is None at the end. `until` is the greatest id of the whole work: retries that it makes are beyond it.
    """

    count: int
    last: UUID | None
    until: UUID


@dataclass(frozen=True)
class Action:
    """An action on experiments: the condition that it needs, and its work on a block, which returns the count."""

    applies: ColumnElement[bool]
    work: Callable[[UnitOfWork, Sequence[UUID]], int]

    def count(self, session: Session, filters: Filter) -> int:
        """Return the number of the experiments that the action would change now."""
        return experiments.count(session, [*filters.conditions(), self.applies])

    def block(self, session: UnitOfWork, filters: Filter, after: UUID | None, until: UUID) -> Block:
        """Do the next block of the work, in the transaction of the caller."""
        conditions = [*filters.conditions(), self.applies]
        ids = experiments.ids_of(session, conditions, after=after, until=until, limit=BLOCK)
        return Block(self.work(session, ids), ids[-1] if len(ids) == BLOCK else None, until)


def cancelling() -> Action:
    applies = Experiment.status.in_(ACTIVE) & ~Experiment.cancel_requested
    return Action(applies, _cancel)


def deleting() -> Action:
    return Action(Experiment.status.in_(TERMINAL) & ~reuse.counted_elsewhere(), _delete)


def retrying(principal: str) -> Action:
    return Action(Experiment.status.in_(TERMINAL), partial(_retry, principal=principal))


def retrying_failed(principal: str) -> Action:
    """Return the retry of what failed, without experiments that have been retried before."""
    return Action(experiments.is_retryable(), partial(_retry_failed, principal=principal))


def _cancel(session: UnitOfWork, ids: Sequence[UUID]) -> int:
    experiments.lock(session, ids)
    return len(transitions.request_cancel(session, Experiment.id.in_(ids)))


def _delete(session: UnitOfWork, ids: Sequence[UUID]) -> int:
    locked = experiments.lock(session, ids)
    # Asked again: a study that was being submitted may count some by now.
    counted = reuse.counted(session, ids)
    return experiments.remove_all(session, [experiment for experiment in locked if experiment.id not in counted])


def _retry(session: UnitOfWork, ids: Sequence[UUID], *, principal: str) -> int:
    ended = [experiment.id for experiment in experiments.lock(session, ids) if experiment.status.terminal]
    session.wakes = experiments.retry_all(session, principal, ended)
    return session.wakes


def _retry_failed(session: UnitOfWork, ids: Sequence[UUID], *, principal: str) -> int:
    experiments.lock(session, ids)
    # Asked again: another request that was retrying some may have committed before the lock.
    session.wakes = experiments.retry_all(session, principal, experiments.retryable(session, ids))
    return session.wakes
