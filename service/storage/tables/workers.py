"""The table of workers."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base


class Worker(Base):
    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    hostname: Mapped[str]
    pid: Mapped[int]
    device: Mapped[str]
    device_name: Mapped[str]
    memory: Mapped[dict[str, Any]]  # a WorkerMemory
    experiments: Mapped[list[Any]]
    versions: Mapped[dict[str, Any]]
    started_at: Mapped[datetime] = mapped_column(default=now())
    last_seen: Mapped[datetime] = mapped_column(default=now(), index=True)
    renew_seconds: Mapped[float | None]  # its ACTLAB_RENEW_SECONDS; null for a worker of 0.1.0
    problem: Mapped[str | None]  # the reason why it could not start

    @property
    def status(self) -> str:
        if self.problem is not None:
            return "unusable"
        return "busy" if self.experiments else "idle"
