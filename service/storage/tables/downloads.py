"""The table of downloads that failed."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base


class FailedDownload(Base):
    """A data set that a machine cannot download now, kept until the machine has it."""

    __tablename__ = "failed_downloads"

    dataset: Mapped[str] = mapped_column(primary_key=True)
    machine: Mapped[str] = mapped_column(primary_key=True)  # the hostname of its workers
    since: Mapped[datetime] = mapped_column(default=now())
    failures: Mapped[int] = mapped_column(default=1)
    retry_at: Mapped[datetime]
    reason: Mapped[str]  # of the newest failure

    __table_args__ = (CheckConstraint("failures >= 1", name="failures"),)
