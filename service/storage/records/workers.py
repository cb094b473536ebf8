"""Records of workers: one row for each worker process, refreshed by its heartbeats."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from service.domain.workers import WorkerMemory
from service.storage.engine.clock import after, now
from service.storage.tables.workers import Worker

ALIVE_SECONDS = 15.0  # three heartbeats
FORGET_SECONDS = 86_400.0


@dataclass(frozen=True)
class Heartbeat:
    """The report of a worker about itself."""

    id: str
    hostname: str
    pid: int
    device: str
    device_name: str
    memory: WorkerMemory
    versions: dict[str, str]
    experiments: list[str] = field(default_factory=list)


def beat(session: Session, heartbeat: Heartbeat) -> None:
    """Store a heartbeat. The first one of a worker adds its row and deletes rows not refreshed for FORGET_SECONDS."""
    row = session.get(Worker, heartbeat.id)
    if row is None:
        session.execute(delete(Worker).where(Worker.last_seen < after(-FORGET_SECONDS)))
        row = Worker(id=heartbeat.id)
        session.add(row)
    for name, value in (vars(heartbeat) | {"memory": heartbeat.memory.model_dump()}).items():
        setattr(row, name, value)
    row.last_seen = now()


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
    query = select(Worker, _alive()).order_by(Worker.last_seen.desc(), Worker.id)
    return [Listed(worker, alive) for worker, alive in session.execute(query)]


def count_alive(session: Session) -> int:
    return session.execute(select(func.count()).select_from(Worker).where(_alive())).scalar_one()


def devices(session: Session) -> set[str]:
    """Return the kinds of device that live workers have."""
    return set(session.scalars(select(Worker.device).where(_alive()).distinct()))


def machines(session: Session) -> set[tuple[str, str | None]]:
    """Return the kind of device and the version of torch of each live worker."""
    rows = session.execute(select(Worker.device, Worker.versions).where(_alive()))
    return {(row.device, row.versions.get("torch")) for row in rows}


def count_idle(session: Session) -> int:
    """Count live workers without work, in Python, because comparing JSON differs between the databases."""
    running = session.scalars(select(Worker.experiments).where(_alive())).all()
    return sum(not experiments for experiments in running)


def _alive() -> ColumnElement[bool]:
    # The upper bound leaves out heartbeats from before the clock was set back.
    return Worker.last_seen.between(after(-ALIVE_SECONDS), after(ALIVE_SECONDS))
