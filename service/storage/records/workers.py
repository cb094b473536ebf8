"""Records of workers: one row for each worker process, refreshed by its heartbeats."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, func, select
from sqlalchemy.orm import Session

from service.domain.workers import WorkerMemory
from service.storage.engine.clock import after, now, seconds_since
from service.storage.records import downloads
from service.storage.tables.workers import Worker

ALIVE_SECONDS = 15.0
"""Least age of a heartbeat at which its worker no longer counts as alive."""
ALIVE_HEARTBEATS = 3
"""Heartbeats that may be missing where so many take longer than ALIVE_SECONDS."""
FORGET_SECONDS = 86_400.0


@dataclass(frozen=True)
class Heartbeat:
    """The report of a worker about itself. `renew_seconds`: the time between two heartbeats."""

    id: str
    hostname: str
    pid: int
    device: str
    device_name: str
    memory: WorkerMemory
    versions: dict[str, str]
    experiments: list[str] = field(default_factory=list)
    renew_seconds: float | None = None


def beat(session: Session, heartbeat: Heartbeat) -> None:
    """Store a heartbeat. The first one of a worker adds its row and deletes those that say nothing more: rows not
    refreshed for FORGET_SECONDS, and workers of the same machine that could not start. It also lets the machine try its
    failed downloads at once."""
    row = session.get(Worker, heartbeat.id)
    if row is None:
        _forget(session, heartbeat.hostname)
        downloads.retry_now(session, heartbeat.hostname)
        row = Worker(id=heartbeat.id)
        session.add(row)
    for name, value in (vars(heartbeat) | {"memory": heartbeat.memory.model_dump()}).items():
        setattr(row, name, value)
    row.last_seen = now()


def report_problem(session: Session, heartbeat: Heartbeat, problem: str) -> None:
    """Store a worker that cannot start, in place of earlier ones of its machine, with the reason."""
    _forget(session, heartbeat.hostname)
    session.add(Worker(**vars(heartbeat) | {"memory": heartbeat.memory.model_dump(), "problem": problem}))


def _forget(session: Session, hostname: str) -> None:
    session.execute(delete(Worker).where(Worker.last_seen < after(-FORGET_SECONDS)))
    session.execute(delete(Worker).where(Worker.hostname == hostname, Worker.problem.is_not(None)))


def problem_of(session: Session, id: str) -> str | None:
    """Return the reason why a worker could not start; None for one that could, and for an unknown one."""
    return session.scalar(select(Worker.problem).where(Worker.id == id))


@dataclass(frozen=True)
class Presence:
    """A live worker: its kind of device, and whether it has an experiment."""

    device: str
    busy: bool


def presences(session: Session, ids: Collection[str]) -> dict[str, Presence]:
    """Return those of these workers that are alive."""
    query = select(Worker.id, Worker.device, Worker.experiments).where(Worker.id.in_(ids), _alive(session))
    return {row.id: Presence(row.device, bool(row.experiments)) for row in session.execute(query)}


def leave(session: Session, id: str) -> None:
    """Delete a worker that stopped cleanly, or that its supervisor saw die."""
    session.execute(delete(Worker).where(Worker.id == id))


@dataclass(frozen=True)
class Listed:
    """A worker, and whether its last heartbeat is recent."""

    worker: Worker
    alive: bool


def listed(session: Session) -> list[Listed]:
    """Return all workers, the one seen last first."""
    query = select(Worker, _alive(session)).order_by(Worker.last_seen.desc(), Worker.id)
    return [Listed(worker, alive) for worker, alive in session.execute(query)]


def count_alive(session: Session) -> int:
    return session.execute(select(func.count()).select_from(Worker).where(_alive(session))).scalar_one()


def presence(session: Session) -> tuple[int, str | None]:
    """Return the number of live workers, and the reason why the worker seen last could not start, if it could not."""
    count, problem = session.execute(_presence(session.info["renew_seconds"])).one()
    return count, problem


@cache
def _presence(renew_seconds: float) -> Select[Any]:
    newest = select(Worker.problem).order_by(Worker.last_seen.desc(), Worker.id).limit(1).scalar_subquery()
    alive = select(func.count()).select_from(Worker).where(_is_alive(renew_seconds)).scalar_subquery()
    return select(alive, newest)


def devices(session: Session) -> set[str]:
    """Return the kinds of device that live workers have."""
    return set(session.scalars(select(Worker.device).where(_alive(session)).distinct()))


def hostnames(session: Session) -> set[str]:
    """Return the machines that have a live worker."""
    return set(session.scalars(select(Worker.hostname).where(_alive(session)).distinct()))


def machines(session: Session) -> set[tuple[str, str | None]]:
    """Return the kind of device and the version of torch of each live worker."""
    rows = session.execute(select(Worker.device, Worker.versions).where(_alive(session)))
    return {(row.device, row.versions.get("torch")) for row in rows}


def count_idle(session: Session) -> int:
    """Count live workers without work, in Python, because comparing JSON differs between the databases."""
    running = session.scalars(select(Worker.experiments).where(_alive(session))).all()
    return sum(not experiments for experiments in running)


def _alive(session: Session) -> ColumnElement[bool]:
    return _is_alive(session.info["renew_seconds"])


def _is_alive(renew_seconds: float) -> ColumnElement[bool]:
    """Return whether a worker's last heartbeat is recent, by the time between two of its own heartbeats.

    For a worker that does not report that time, `renew_seconds` counts, ACTLAB_RENEW_SECONDS of this process.
    """
    missing = func.coalesce(Worker.renew_seconds, renew_seconds) * ALIVE_HEARTBEATS
    limit = case((missing > ALIVE_SECONDS, missing), else_=ALIVE_SECONDS)
    # The lower bound leaves out heartbeats from before the clock was set back.
    return and_(seconds_since(Worker.last_seen).between(-limit, limit), Worker.problem.is_(None))
