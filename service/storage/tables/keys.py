"""The table of API keys."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from service.access.roles import Role
from service.storage.engine.clock import now
from service.storage.tables.base import Base, one_of

STANDING = text("revoked_at IS NULL")


class ApiKey(Base):
    """A key without its secret. A revoked key stays, because records name it."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)  # of the whole text
    created_at: Mapped[datetime] = mapped_column(default=now())
    created_by: Mapped[str]  # the principal
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # at most a minute old

    __table_args__ = (
        one_of("role", Role),
        # The command revokes by name.
        Index("uq_api_keys_name", "name", unique=True, sqlite_where=STANDING, postgresql_where=STANDING),
    )
