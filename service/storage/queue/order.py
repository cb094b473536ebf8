"""The order of queued experiments, their places in it, and the depth of the queue.

Experiments of a higher priority come first. Of one priority, the share comes first that has used the least training
time of the last hour, and of one share the oldest experiment.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, case, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from service.domain.spec import SPEC_VERSION
from service.domain.status import ACTIVE, Status
from service.storage.engine.clock import after, now, seconds_since
from service.storage.queue import downloads, shares
from service.storage.queue.downloads import Unavailable
from service.storage.records import workers
from service.storage.tables.experiments import Experiment

BACK_OFF_SECONDS = 2.0  # for each loss before the last
LONGEST_BACK_OFF_SECONDS = 300.0  # above the back-off after the most losses that a setting allows


@dataclass(frozen=True)
class Waiting:
    """The place of a queued experiment. Position 1 is next; `back_off_seconds` is above 0 while a retry waits.

    `worker_problem` is the reason why the worker seen last could not start. `unavailable` is set while no live worker
    can get the data set.
    """

    position: int
    back_off_seconds: float
    workers_alive: int
    worker_problem: str | None = None
    unavailable: Unavailable | None = None


@dataclass(frozen=True)
class Depth:
    """The size of the queue by status and priority, and the age of its oldest entry."""

    queued: int
    running: int
    oldest_queued_seconds: float | None
    by_priority: dict[int, int]


def due(limit: int, only: ColumnElement[bool] | None = None) -> Select[Any]:
    """Select the ids of experiments that may start now, in the order of the queue, skipping rows locked by others.

    `only` is a further condition, of the worker that asks.
    """
    used = shares.used()
    return (
        shares.joined(select(Experiment.id), used)
        .where(*_claimable(), true() if only is None else only)
        .order_by(Experiment.priority.desc(), *shares.order(used), Experiment.created_at, Experiment.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Experiment)
    )


def count_due(session: Session) -> int:
    """Return the number of experiments that may start now, without those whose data set no live worker can get."""
    available = Experiment.dataset.not_in(downloads.unavailable(session))
    return session.execute(select(func.count()).select_from(Experiment).where(*_claimable(), available)).scalar_one()


def count_queued(session: Session, principal: str) -> int:
    """Return the number of queued experiments that a principal has submitted."""
    own = (Experiment.status == Status.QUEUED, Experiment.principal == principal)
    return session.execute(select(func.count()).select_from(Experiment).where(*own)).scalar_one()


def waiting(session: Session, ids: Collection[UUID]) -> dict[UUID, Waiting]:
    """Return the places of those experiments that are queued; a few queries whatever their number.

    The first of each share stands where a claim would take it. The others stand behind the shares that will have used
    less time when their turn comes, if the experiments before them take as long as others of the share did. Those whose
    data set no live worker can get stand at the end.
    """
    unavailable = downloads.unavailable(session)
    rows: Sequence[Any] = []
    if len(ids) == 1 and not unavailable:
        rows = session.execute(_place_of_no_study(), {"own_id": next(iter(ids))}).all()
    rows = rows or session.execute(_places(), {"unavailable": list(unavailable), "ids": list(ids)}).all()
    if not rows:
        return {}
    alive, problem = workers.presence(session)
    return {row.id: Waiting(row.position, row.back_off, alive, problem, unavailable.get(row.dataset)) for row in rows}


@cache
def _places() -> Select[Any]:
    """Select the places of the experiments `ids`, where those of the data sets `unavailable` stand at the end."""
    queue = _queue()
    position = func.row_number().over(
        order_by=(
            queue.c.dataset.in_(bindparam("unavailable", expanding=True)),
            *(queue.c.priority.desc(), queue.c.start, queue.c.running, queue.c.created_at, queue.c.id),
        )
    )
    ranked = select(queue.c.id, queue.c.dataset, queue.c.back_off, position.label("position")).subquery()
    return select(ranked).where(ranked.c.id.in_(bindparam("ids", expanding=True)))


@cache
def _place_of_no_study() -> Select[Any]:
    """Select the place of the experiment `own_id` where it is queued and of no study, and all data sets are available.

    What stands before it is counted, which takes a twentieth of the time that it takes to order the whole queue: an
    experiment of no study has used no time, so that of each study only the first stands before it, if at all.
    """
    own = aliased(Experiment, name="own")
    older = or_(
        Experiment.created_at < own.created_at,
        and_(Experiment.created_at == own.created_at, Experiment.id < own.id),
    )
    of_no_study = and_(Experiment.priority == own.priority, Experiment.study_id.is_(None), older)
    before = select(func.count()).where(
        Experiment.status == Status.QUEUED, or_(Experiment.priority > own.priority, of_no_study)
    )
    firsts = _firsts_without_use()
    studies = select(func.count()).where(firsts.c.priority == own.priority, firsts.c.created_at <= own.created_at)
    position = 1 + before.correlate(own).scalar_subquery() + studies.correlate(own).scalar_subquery()
    back_off = case((own.not_before > now(), -seconds_since(own.not_before)), else_=0.0)
    return select(own.id, own.dataset, back_off.label("back_off"), position.label("position")).where(
        own.id == bindparam("own_id"), own.status == Status.QUEUED, own.study_id.is_(None)
    )


def _firsts_without_use() -> Subquery:
    """Select when the first experiment of each study was queued, of the studies that have used no time."""
    used = shares.used()
    seconds, running = shares.order(used)
    columns: Any = select(Experiment.priority, func.min(Experiment.created_at).label("created_at"))
    return (
        shares.joined(columns, used)
        .where(Experiment.status == Status.QUEUED, Experiment.study_id.is_not(None), seconds == 0.0, running == 0)
        .group_by(Experiment.priority, shares.share())
        .subquery()
    )


def _queue() -> Subquery:
    """Select the queued experiments, each with the time that its share will have used when its turn comes."""
    used = shares.used()
    seconds, running = shares.order(used)
    before = func.row_number().over(
        partition_by=(Experiment.priority, shares.share()), order_by=(Experiment.created_at, Experiment.id)
    )
    columns = select(
        Experiment.id,
        Experiment.priority,
        Experiment.created_at,
        Experiment.dataset,
        (seconds + (before - 1) * shares.mean_seconds(used)).label("start"),
        running.label("running"),
        case((Experiment.not_before > now(), -seconds_since(Experiment.not_before)), else_=0.0).label("back_off"),
    )
    return shares.joined(columns, used).where(Experiment.status == Status.QUEUED).subquery()


def depth(session: Session) -> Depth:
    """Return the depth of the queue; one query."""
    counts = select(
        Experiment.status, Experiment.priority, func.count().label("n"),
        func.max(seconds_since(Experiment.created_at)).label("oldest"),
    )  # fmt: skip
    active = counts.where(Experiment.status.in_(ACTIVE)).group_by(Experiment.status, Experiment.priority)
    rows = session.execute(active.order_by(Experiment.priority.desc())).all()
    queued = [row for row in rows if row.status == Status.QUEUED]
    return Depth(
        queued=sum(row.n for row in queued),
        running=sum(row.n for row in rows if row.status == Status.RUNNING),
        oldest_queued_seconds=max((row.oldest for row in queued), default=None),
        by_priority={row.priority: row.n for row in queued},
    )


def _claimable() -> tuple[ColumnElement[bool], ...]:
    return (
        Experiment.status == Status.QUEUED,
        ~Experiment.cancel_requested,
        or_(
            Experiment.not_before.is_(None),
            Experiment.not_before <= now(),
            Experiment.not_before > after(LONGEST_BACK_OFF_SECONDS),  # set before the clock was set back
        ),
        Experiment.spec_version <= SPEC_VERSION,
    )
