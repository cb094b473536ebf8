"""Records of idempotency keys, by which a repeated creation finds what the first one made.

A key commits in the same transaction as the record that it stands for.
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.storage.engine.clock import after
from service.storage.engine.unit_of_work import BLIND
from service.storage.engine.upsert import insert
from service.storage.tables.requests import IdempotencyKey

KEPT_SECONDS = 7 * 86_400.0


@dataclass(frozen=True)
class Request:
    """The identity of a creating request. The hash is of the body as it was sent, before defaults."""

    principal: str
    key: str
    route: str
    body_sha256: str


def reserve(session: Session, request: Request, status: int, location: str) -> IdempotencyKey | None:
    """Reserve a key for the record that this transaction creates; return the row of an earlier request, or None.

    A second request at the same moment waits here, in the database, until the first has committed or rolled back.
    """
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < after(-KEPT_SECONDS)))
    reserved = session.execute(
        insert(session, IdempotencyKey)
        .values(**vars(request), status=status, location=location)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).one_or_none()
    if reserved is not None:
        return None
    same_key = (IdempotencyKey.principal == request.principal, IdempotencyKey.key == request.key)
    return session.scalars(select(IdempotencyKey).where(*same_key)).one()


def keep_location(session: Session, request: Request, location: str) -> None:
    """Replace the location of a reserved key, where it is known only after the work."""
    same_key = (IdempotencyKey.principal == request.principal, IdempotencyKey.key == request.key)
    session.execute(update(IdempotencyKey).where(*same_key).values(location=location), execution_options=BLIND)
