"""Records of API keys: making, listing and revoking them, and the snapshot that each API process holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from service.access.keys import Key, NewKey
from service.access.roles import Role
from service.access.table import Snapshot
from service.storage.engine.clock import after, now
from service.storage.engine.unit_of_work import BLIND, FRESH, UnitOfWork
from service.storage.engine.upsert import insert
from service.storage.tables.changes import ChangeCounter
from service.storage.tables.keys import ApiKey


def create(
    session: UnitOfWork, principal: str, key: NewKey, name: str, role: Role, lifetime: timedelta | None
) -> ApiKey | None:
    """Store a key; return None where one has its id, or one that is not revoked its name."""
    values = {"id": key.id, "name": name, "role": role, "sha256": key.sha256, "created_by": principal,
              "expires_at": None if lifetime is None else after(lifetime.total_seconds())}  # fmt: skip
    added = insert(session, ApiKey).values(values).on_conflict_do_nothing()
    if session.execute(added.returning(ApiKey.id)).one_or_none() is None:
        return None
    _mark_changed(session)
    return find(session, key.id)


def revoke(session: UnitOfWork, id: str) -> bool:
    """Revoke a key; return False where there is none, or it is revoked."""
    standing = update(ApiKey).where(ApiKey.id == id, ApiKey.revoked_at.is_(None))
    revoked = session.execute(standing.values(revoked_at=now()).returning(ApiKey.id), execution_options=BLIND)
    if revoked.one_or_none() is None:
        return False
    _mark_changed(session)
    return True


def find(session: Session, id: str) -> ApiKey | None:
    return session.scalars(select(ApiKey).where(ApiKey.id == id), execution_options=FRESH).one_or_none()


def find_named(session: Session, id_or_name: str) -> ApiKey | None:
    """Return the key of an id, or the one of a name that is not revoked."""
    named = (ApiKey.name == id_or_name) & ApiKey.revoked_at.is_(None)
    rows = session.scalars(select(ApiKey).where(or_(ApiKey.id == id_or_name, named))).all()
    return next(iter(sorted(rows, key=lambda row: row.id != id_or_name)), None)


def listed(session: Session, *, revoked: bool = False) -> Sequence[ApiKey]:
    """Return the keys, the newest first; `revoked` includes those that were revoked."""
    query = select(ApiKey).order_by(ApiKey.created_at.desc(), ApiKey.id)
    return session.scalars(query if revoked else query.where(ApiKey.revoked_at.is_(None))).all()


def exist(session: Session) -> bool:
    """Return whether any key was ever made."""
    return session.scalar(select(ApiKey.id).limit(1)) is not None


def snapshot(session: Session, version: int) -> Snapshot | None:
    """Return all keys; None where none has changed since the counter had this value."""
    newest = session.execute(select(ChangeCounter.keys)).scalar_one()
    if newest == version:
        return None
    rows = session.scalars(select(ApiKey)).all()
    return Snapshot(newest, {row.id: _key(row) for row in rows})


def record_use(session: Session, used: Mapping[str, datetime]) -> None:
    """Record when keys were last used, unless another process has recorded a later use."""
    for id, at in used.items():
        is_later = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < at)
        later = update(ApiKey).where(ApiKey.id == id, is_later).values(last_used_at=at)
        session.execute(later, execution_options=BLIND)


def _key(row: ApiKey) -> Key:
    return Key(row.id, row.name, Role(row.role), row.sha256, row.expires_at, row.revoked_at)


def _mark_changed(session: UnitOfWork) -> None:
    session.execute(update(ChangeCounter).values(keys=ChangeCounter.keys + 1), execution_options=BLIND)
    session.keys_changed = True
