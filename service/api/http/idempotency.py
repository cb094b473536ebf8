"""Creating once, however often the request arrives."""

import hashlib
import json
from collections.abc import Callable
from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import Session

from service.domain.errors import Gone, IdempotencyMismatch
from service.storage.records import idempotency
from service.storage.tables.base import new_id

PREFIX = "/api/v1"


def body_hash(body: bytes) -> str:
    """Hash of a body as sent; of JSON, whatever its spacing and order of keys."""
    try:
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # a body that the route does not read
        canonical = body
    return hashlib.sha256(canonical).hexdigest()


class Creation:
    """One creating request, with its Idempotency-Key if it has one."""

    def __init__(self, request: idempotency.Request | None) -> None:
        self._request = request

    def once(self, session: Session, response: Response, collection: str, make: Callable[[UUID], object]) -> UUID:
        """The id of what `make` creates, or of what the same request created before; sets Location.

        IdempotencyMismatch when the key came with another route or body.
        """
        id = new_id()
        return UUID(self.once_named(session, response, collection, str(id), lambda: make(id), status=202))

    def once_named(
        self,
        session: Session,
        response: Response,
        collection: str,
        name: str,
        make: Callable[[], object],
        *,
        status: int,
    ) -> str:
        """The same for what has a name instead of an id."""
        location = f"{PREFIX}/{collection}/{name}"
        earlier = None if self._request is None else idempotency.reserve(session, self._request, status, location)
        if earlier is None:
            make()
        else:
            self._check(earlier.route, earlier.body_sha256)
            response.headers["Idempotency-Replayed"] = "true"
            location = earlier.location
        response.headers["Location"] = location
        return location.rpartition("/")[2]

    def _check(self, route: str, body_sha256: str) -> None:
        assert self._request is not None
        if (route, body_sha256) != (self._request.route, self._request.body_sha256):
            raise IdempotencyMismatch(
                f"The Idempotency-Key {self._request.key!r} was used for {route} with another body or route."
                " Use a new key for a new request."
            )


def gone_if_replayed(response: Response, id: UUID) -> None:
    """Say that what an earlier request made was deleted since."""
    if response.headers.get("Idempotency-Replayed"):
        raise Gone(f"{id} was created by this request before, and deleted since. Use a new Idempotency-Key.")
