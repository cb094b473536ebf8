"""Which studies count experiments that they did not train."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.base import Base


class StudyReuse(Base):
    """An experiment that a study counts as its own though another one, or none, trained it."""

    __tablename__ = "study_reuses"

    study_id: Mapped[UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), primary_key=True)
    # Without a cascade: what a study counts is not deleted under it.
    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id"), primary_key=True, index=True)
