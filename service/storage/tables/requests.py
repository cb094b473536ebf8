"""The table of idempotency keys."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base


class IdempotencyKey(Base):
    """The answer to a POST with an Idempotency-Key, which its repetition gets again."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    body_sha256: Mapped[str]
    status: Mapped[int]
    location: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now(), index=True)
