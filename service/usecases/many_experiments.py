"""Cancelling, deleting, retrying, tagging and archiving many experiments, a block of them in each transaction.

Experiments that an action does not apply to are passed over: those that have ended, for a cancel, and those that have
not, for a deletion, a retry or an archiving. A deletion also passes over experiments that another study counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_
from sqlalchemy.orm import Session

from service.domain.errors import FieldProblem, Invalid
from service.domain.status import ACTIVE, TERMINAL
from service.domain.text import MOST_TAGS
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
    """An action on experiments: the condition that it needs, and its work on a block, which returns the count.

    `check` raises where the action cannot be done to all that match conditions; it is asked before the first block.
    """

    applies: ColumnElement[bool]
    work: Callable[[UnitOfWork, Sequence[UUID]], int]
    check: Callable[[Session, Sequence[ColumnElement[bool]]], None] = lambda session, conditions: None

    def count(self, session: Session, filters: Filter) -> int:
        """Return the number of the experiments that the action would change now. Raises as `check`."""
        self.check(session, filters.conditions())
        return experiments.count(session, [*filters.conditions(), self.applies])

    def block(self, session: UnitOfWork, filters: Filter, after: UUID | None, until: UUID) -> Block:
        """Do the next block of the work, in the transaction of the caller. Raises as `check` at the first."""
        if after is None:
            self.check(session, filters.conditions())
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


def archiving() -> Action:
    applies = Experiment.status.in_(TERMINAL) & ~experiments.is_archived()
    return Action(applies, partial(_archive, archived=True))


def restoring() -> Action:
    return Action(experiments.is_archived(), partial(_archive, archived=False))


def tagging(add: Sequence[str], remove: Sequence[str]) -> Action:
    """Return the change of tags. Its check raises Invalid where an experiment would have more than MOST_TAGS."""
    lacking = [~experiments.has_tag(tag) for tag in add]
    applies = or_(false(), *lacking, *map(experiments.has_tag, remove))
    work, check = partial(_tag, add=add, remove=remove), partial(_check_tags, add=add, remove=remove)
    return Action(applies, work, check)


def _archive(session: UnitOfWork, ids: Sequence[UUID], *, archived: bool) -> int:
    locked = [experiment.id for experiment in experiments.lock(session, ids) if experiment.status.terminal]
    if locked:
        experiments.archive_all(session, locked, archived=archived)
    return len(locked)


def _tag(session: UnitOfWork, ids: Sequence[UUID], *, add: Sequence[str], remove: Sequence[str]) -> int:
    locked = [experiment.id for experiment in experiments.lock(session, ids)]
    if locked:
        # Asked again: another request may have added tags since.
        _check_tags(session, [Experiment.id.in_(locked)], add=add, remove=remove)
        experiments.tag_all(session, locked, add, remove)
    return len(locked)


def _check_tags(
    session: Session, conditions: Sequence[ColumnElement[bool]], *, add: Sequence[str], remove: Sequence[str]
) -> None:
    id = experiments.any_of(session, [*conditions, experiments.tagged_beyond(MOST_TAGS, add, remove)]) if add else None
    if id is not None:
        reason = f"Experiment {id} would have more than {MOST_TAGS} tags; remove some of it, or leave it out"
        raise Invalid(f"{reason}.", errors=[FieldProblem("/add", reason, "too_many_tags", list(add))])


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
