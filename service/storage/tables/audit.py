"""The table of the audit: who changed what, when and from where."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base, new_id


class AuditEntry(Base):
    """A change that a client or a command made, written in the transaction of the change."""

    __tablename__ = "audit"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(default=now(), index=True)
    principal: Mapped[str]
    name: Mapped[str]  # of the principal's key at that time
    action: Mapped[str]  # the operation id
    path: Mapped[str | None]
    address: Mapped[str | None]
    details: Mapped[dict[str, Any]]

    __table_args__ = (Index("ix_audit_principal_id", "principal", "id"),)
