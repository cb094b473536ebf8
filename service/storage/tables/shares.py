"""The table of share links."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.engine.clock import now
from service.storage.tables.base import Base, new_id


class Share(Base):
    """A link to a read-only page of one study, without its token. A revoked one stays, with its count."""

    __tablename__ = "shares"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    study_id: Mapped[UUID] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # of the token
    created_at: Mapped[datetime] = mapped_column(default=now())
    created_by: Mapped[str]  # the principal
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    views: Mapped[int] = mapped_column(default=0)
    last_viewed_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("views >= 0", name="views"),)
