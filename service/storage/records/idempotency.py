"""Idempotency keys: a repeated POST finds what the first one made. The row commits with what it stands for."""

from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.storage.engine.clock import after
from service.storage.engine.upsert import insert
from service.storage.tables.requests import IdempotencyKey

KEPT_SECONDS = 7 * 86_400.0


@dataclass(frozen=True)
class Request:
    """What tells one creating request from another. The hash is of the body as sent, before defaults."""

    principal: str
    key: str
    route: str
    body_sha256: str


def reserve(session: Session, request: Request, status: int, location: str) -> IdempotencyKey | None:
    """Take the key for what this transaction creates; None. If it is taken: the row of the earlier request.

    A second request at the same moment waits here, in the database, until the first has committed or gone.
    """
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < after(-KEPT_SECONDS)))
    taken = session.execute(
        insert(session, IdempotencyKey)
        .values(**vars(request), status=status, location=location)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    ).one_or_none()
    if taken is not None:
        return None
    mine = (IdempotencyKey.principal == request.principal, IdempotencyKey.key == request.key)
    return session.scalars(select(IdempotencyKey).where(*mine)).one()
