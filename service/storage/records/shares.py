"""Records of share links: making, listing, opening and revoking them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, FRESH
from service.storage.tables.shares import Share


def create(session: Session, principal: str, study: UUID, id: UUID, sha256: bytes, lifetime: timedelta | None) -> None:
    """Store a link by the hash of its token."""
    expires_at = None if lifetime is None else after(lifetime.total_seconds())
    session.add(Share(id=id, study_id=study, sha256=sha256, created_by=principal, expires_at=expires_at))
    session.flush()


def find(session: Session, study: UUID, id: UUID) -> Share | None:
    found = select(Share).where(Share.id == id, Share.study_id == study)
    return session.scalars(found, execution_options=FRESH).one_or_none()


def listed(session: Session, study: UUID) -> Sequence[Share]:
    """Return the links of a study, the newest first, with those that have ended."""
    return session.scalars(select(Share).where(Share.study_id == study).order_by(Share.id.desc())).all()


def open_study(session: Session, sha256: bytes) -> UUID | None:
    """Count a view of a link and return its study; None where the token is wrong, or the link has ended."""
    viewed = update(Share).where(Share.sha256 == sha256, _is_open())
    counted = viewed.values(views=Share.views + 1, last_viewed_at=now()).returning(Share.study_id)
    return session.scalars(counted, execution_options=BLIND).one_or_none()


def revoke(session: Session, study: UUID, id: UUID) -> bool:
    """Revoke a link; return False where there is none, or it is revoked."""
    standing = update(Share).where(Share.id == id, Share.study_id == study, Share.revoked_at.is_(None))
    revoked = session.execute(standing.values(revoked_at=now()).returning(Share.id), execution_options=BLIND)
    return revoked.one_or_none() is not None


def _is_open() -> ColumnElement[bool]:
    return and_(Share.revoked_at.is_(None), or_(Share.expires_at.is_(None), Share.expires_at > now()))
