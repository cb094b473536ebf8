"""Tables of registered activations. No other table refers to them: a spec holds the formula itself."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base, new_id


class RegisteredActivation(Base):
    """A registered name. It is never given to another activation, because experiments keep showing it."""

    __tablename__ = "activations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    newest: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now())
    archived_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("newest >= 1", name="newest"),)


class ActivationVersion(Base):
    """A version of a registered activation; never changed."""

    __tablename__ = "activation_versions"

    activation_id: Mapped[UUID] = mapped_column(ForeignKey("activations.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    principal: Mapped[str]
    formula: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    # Measured at registration, because measuring is too slow for a list of many.
    properties: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=now())

    __table_args__ = (CheckConstraint("version >= 1", name="version"),)
