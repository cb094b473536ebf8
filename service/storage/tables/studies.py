"""Tables of studies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base, new_id


class Study(Base):
    __tablename__ = "studies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal: Mapped[str]
    name: Mapped[str | None]
    question: Mapped[str | None]
    preset: Mapped[str | None]
    base: Mapped[dict[str, Any]]
    factors: Mapped[dict[str, Any]]
    grids: Mapped[list[Any]]
    seeds: Mapped[list[Any]]
    # What to try before the ranking; then what came of it, cell by cell, and when the ranking was queued.
    tuning: Mapped[dict[str, Any] | None]
    tuned: Mapped[list[Any] | None]
    tuned_at: Mapped[datetime | None]
    reuse: Mapped[bool] = mapped_column(default=False)
    # The study that this one tries the rates for.
    tunes: Mapped[UUID | None] = mapped_column(ForeignKey("studies.id"), index=True)
    # What bare names of registered activations meant at first, so that seeds added later train the same formulas.
    activations: Mapped[dict[str, Any]] = mapped_column(default=dict)
    edit_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now())
    cancelled_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, index=True)


class StudyReuse(Base):
    """An experiment that a study counts as its own though another one, or none, trained it."""

    __tablename__ = "study_reuses"

    study_id: Mapped[UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    # Without a cascade: what a study counts is not deleted under it.
    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id"), primary_key=True, index=True)
