"""The table of what deleted experiments add to totals."""

from sqlalchemy import BigInteger, CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.tables.base import Base


class DeletedTotal(Base):
    """The number of deleted experiments that ended in one way, and of their lost attempts.

    Counters of a monitoring system must not fall. A counter is the number of rows plus this number.
    """

    __tablename__ = "deleted_totals"

    status: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(primary_key=True)  # empty for a success
    experiments: Mapped[int] = mapped_column(BigInteger)
    attempts_lost: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint("experiments >= 0 AND attempts_lost >= 0", name="counts"),)
