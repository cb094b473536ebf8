"""Tables of what has changed: the change counter and the tombstones of what was deleted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base


class ChangeCounter(Base):
    """One row. Its value is the revision of the newest committed change; its id tells this database from others."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)
    database_id: Mapped[str]
    # Of the newest tombstone swept: who saw no later revision may have missed a delete.
    forgotten: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Tombstone(Base):
    """What was deleted, kept for a day, so that whoever follows the changes hears of it. A study is its own study."""

    __tablename__ = "tombstones"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    study_id: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(BigInteger, index=True)
    deleted_at: Mapped[datetime] = mapped_column(default=now(), index=True)
