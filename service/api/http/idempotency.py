"""Idempotency keys: a request that is sent again creates nothing a second time."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from fastapi import Response

from service.domain.errors import Gone, IdempotencyMismatch
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.records import idempotency
from service.storage.tables.base import new_id
from service.usecases.many_experiments import Block

PREFIX = "/api/v1"


def body_hash(body: bytes) -> str:
    """Return a hash of a body; equal JSON has one hash, whatever its spacing and order of keys."""
    try:
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # a body that the route does not read
        canonical = body
    return hashlib.sha256(canonical).hexdigest()


class Creation:
    """A request that creates something, with its Idempotency-Key if it has one.

    `root` is the path of the service, which comes before each Location.
    """

    def __init__(self, request: idempotency.Request | None, root: str = "") -> None:
        self._request = request
        self._root = root

    def once(self, session: UnitOfWork, response: Response, collection: str, make: Callable[[UUID], object]) -> UUID:
        """Call `make` with a new id unless the same request was served before; return the id and set Location.

        Raises IdempotencyMismatch when the key was used with another route or body.
        """
        id = new_id()
        return UUID(self.once_named(session, response, collection, str(id), lambda: make(id), status=202))

    def once_named(
        self,
        session: UnitOfWork,
        response: Response,
        collection: str,
        name: str,
        make: Callable[[], object],
        *,
        status: int,
    ) -> str:
        """Do as `once` for a record that has a name instead of an id."""
        location = f"{PREFIX}/{collection}/{name}"
        earlier = None if self._request is None else idempotency.reserve(session, self._request, status, location)
        if earlier is None:
            make()
        else:
            self._check(earlier.route, earlier.body_sha256)
            response.headers["Idempotency-Replayed"] = "true"
            session.audited = False
            location = earlier.location
        session.details["location"] = location
        response.headers["Location"] = f"{self._root}{location}"
        return location.rpartition("/")[2]

    def once_per_block(self, session: UnitOfWork, number: int, work: Callable[[], Block]) -> Block:
        """Do a block of a creation in several transactions, unless an earlier sending of the request has done it."""
        if self._request is None:
            return work()
        own = replace(self._request, key=f"{self._request.key}\n{number}")  # no key of a client has a line end
        earlier = idempotency.reserve(session, own, 200, "")
        if earlier is None:
            block = work()
            idempotency.keep_location(session, own, f"{block.count} {block.last or ''} {block.until}")
            return block
        self._check(earlier.route, earlier.body_sha256)
        session.audited = False
        count, last, until = earlier.location.split(" ")
        return Block(int(count), UUID(last) if last else None, UUID(until))

    def _check(self, route: str, body_sha256: str) -> None:
        assert self._request is not None
        if (route, body_sha256) != (self._request.route, self._request.body_sha256):
            raise IdempotencyMismatch(
                f"The Idempotency-Key {self._request.key!r} was used for {route} with another body or route."
                " Use a new key for a new request."
            )


NO_KEY = Creation(None)


def gone_if_replayed(response: Response, id: UUID) -> None:
    """Raise Gone if an earlier request with the same key created the record, which was deleted since."""
    if response.headers.get("Idempotency-Replayed"):
        raise Gone(
            f"An earlier request with this key created {id}, which was deleted since. Use a new Idempotency-Key."
        )
