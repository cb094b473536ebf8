"""Tables of changes: the change counter, and tombstones of deleted rows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base


class ChangeCounter(Base):
    """The change counter, in one row: the revision of the newest committed change, and the id of the database."""

    __tablename__ = "change_counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)
    database_id: Mapped[str]
    # The revision of the newest swept tombstone: a client that saw no later one may have missed a delete.
    forgotten: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    # The number of changes to API keys, by which each process notices one.
    keys: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)


class Tombstone(Base):
    """A deleted experiment or study, kept for a day for clients that follow changes. A study is its own `study_id`."""

    __tablename__ = "tombstones"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    study_id: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(BigInteger, index=True)
    deleted_at: Mapped[datetime] = mapped_column(default=now(), index=True)
