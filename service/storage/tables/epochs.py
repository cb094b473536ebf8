"""The table of figures per epoch."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.base import Base


class Epoch(Base):
    """The figures of one epoch. A figure that is not finite is null and named in `non_finite`."""

    __tablename__ = "epochs"

    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    attempt: Mapped[int]
    train_loss: Mapped[float | None]
    train_accuracy: Mapped[float | None]
    validation_loss: Mapped[float | None]
    validation_accuracy: Mapped[float | None]
    l2: Mapped[float | None]
    learning_rate: Mapped[float]
    seconds: Mapped[float]
    images_per_second: Mapped[float]
    non_finite: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (
        CheckConstraint("epoch >= 1", name="epoch"),
        CheckConstraint("train_accuracy >= 0 AND train_accuracy <= 1", name="train_accuracy"),
        CheckConstraint("validation_accuracy >= 0 AND validation_accuracy <= 1", name="validation_accuracy"),
    )
