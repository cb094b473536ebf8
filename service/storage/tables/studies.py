"""Tables of studies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base, Json, new_id


class Study(Base):
    __tablename__ = "studies"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    principal: Mapped[str]
    name: Mapped[str | None]
    question: Mapped[str | None]
    notes: Mapped[str | None]
    preset: Mapped[str | None]
    base: Mapped[dict[str, Any]]
    factors: Mapped[dict[str, Any]]
    grids: Mapped[list[Any]]
    seeds: Mapped[list[Any]]
    # The rates to try before the ranking, the choice for each cell, and the time when the ranking was queued.
    tuning: Mapped[dict[str, Any] | None]
    tuned: Mapped[list[Any] | None]
    tuned_at: Mapped[datetime | None]
    reuse: Mapped[bool] = mapped_column(default=False)
    # The group that the others are compared with, as it was posted: a value or an object of factors.
    reference: Mapped[Any | None] = mapped_column(Json)
    # The study for which this one tries rates.
    tunes: Mapped[UUID | None] = mapped_column(ForeignKey("studies.id"), index=True)
    # Versions that names of registered activations stood for at first, so that added seeds train the same formulas.
    activations: Mapped[dict[str, Any]] = mapped_column(default=dict)
    edit_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now())
    cancelled_at: Mapped[datetime | None]
    # Since when lists leave it out.
    archived_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(BigInteger, default=0, index=True)


class StudyTag(Base):
    __tablename__ = "study_tags"

    tag: Mapped[str] = mapped_column(primary_key=True)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_study_tags_study_id", "study_id"),)


class StudyReuse(Base):
    """An experiment that a study counts as its own, although it was trained by another study or by none."""

    __tablename__ = "study_reuses"

    study_id: Mapped[UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    # Without a cascade: an experiment that a study counts cannot be deleted.
    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id"), primary_key=True, index=True)
