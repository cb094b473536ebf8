"""The table of diagnostics."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.base import Base


class Layer(Base):
    """The diagnostics of one layer after one epoch, as service.domain.diagnostics describes them."""

    __tablename__ = "diagnostics"

    experiment_id: Mapped[UUID] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    layer: Mapped[str]
    attempt: Mapped[int]
    units: Mapped[int]
    zero_share: Mapped[float | None]
    saturated_share: Mapped[float | None]
    dead_share: Mapped[float | None]
    dead_share_confirmed: Mapped[float | None]
    inactive_share: Mapped[float | None]
    mean_before: Mapped[float | None]
    sd_before: Mapped[float | None]
    mean_after: Mapped[float | None]
    sd_after: Mapped[float | None]
    gradient_norm: Mapped[float | None]
    gradient_rms: Mapped[float | None]
    update_ratio: Mapped[float | None]
    unchanged: Mapped[bool | None]
    parameters: Mapped[dict[str, Any]]
    non_finite: Mapped[list[Any]]
    revision: Mapped[int] = mapped_column(BigInteger, default=0)

    __table_args__ = (CheckConstraint("epoch >= 0 AND position >= 0 AND units >= 1", name="counts"),)
