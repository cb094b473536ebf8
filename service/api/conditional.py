"""Conditional and waiting GETs: an ETag from the revision, 304 for what the client has, `wait` for the next change."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import anyio
from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from service.api.services import Services

POLL_SECONDS = 0.25
JSON = "application/json"


@dataclass(frozen=True)
class Snapshot:
    """A representation. `revision` None: something in it moves without one (a queue position), so its ETag is a hash.
    `final`: it will not change any more."""

    body: BaseModel
    revision: int | None
    final: bool


@dataclass(frozen=True)
class Resource:
    """How to read one: `peek` gives the revision alone, by primary key, or None where that cannot tell; `build` the
    whole. Both raise when there is no such resource."""

    peek: Callable[[Session], int | None]
    build: Callable[[Session], Snapshot]


async def answer(request: Request, services: Services, resource: Resource, wait: float = 0) -> Response:
    """The representation with its ETag, or 304. With `wait`, answer when there is something new (the client sent
    If-None-Match) or final (it did not), at the latest after so many seconds."""
    known = _known(request)
    deadline = time.monotonic() + wait
    while True:
        etag, snapshot = await services.read(lambda session: _look(services, session, resource, known))
        over = time.monotonic() >= deadline
        if snapshot is None or _knows(known, etag):
            if over:
                return Response(status_code=304, headers={"ETag": etag})
        elif known or over or snapshot.final:
            return _response(snapshot.body.model_dump_json(), etag)
        await anyio.sleep(min(POLL_SECONDS, max(0.0, deadline - time.monotonic())))


def hashed(request: Request, body: BaseModel) -> Response:
    """A list: its ETag is a hash of its text."""
    text = body.model_dump_json()
    etag = _hash(text)
    if _knows(_known(request), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return _response(text, etag)


def at_revision(request: Request, services: Services, revision: int, build: Callable[[], BaseModel]) -> Response:
    """What was derived from everything at `revision`: built only where the client has not got it from then."""
    return text_at_revision(request, services, revision, lambda: build().model_dump_json(), JSON)


def text_at_revision(
    request: Request, services: Services, revision: int, build: Callable[[], str], media_type: str
) -> Response:
    """The same of what is no JSON."""
    etag = _etag(services, revision)
    if _knows(_known(request), etag):
        return Response(status_code=304, headers={"ETag": etag})
    return _response(build(), etag, media_type)


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has what a strong ETag names."""
    return _knows(_known(request), f"W/{etag}")


def _look(services: Services, session: Session, resource: Resource, known: set[str]) -> tuple[str, Snapshot | None]:
    revision = resource.peek(session)
    etag = _etag(services, revision)
    if revision is not None and _knows(known, etag):
        return etag, None
    snapshot = resource.build(session)
    if snapshot.revision is None:
        return _hash(snapshot.body.model_dump_json()), snapshot
    return _etag(services, snapshot.revision), snapshot


def _etag(services: Services, revision: int | None) -> str:
    return f'W/"{services.database_id}.{services.version}.{revision}"'


def _hash(text: str) -> str:
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _known(request: Request) -> set[str]:
    """The ETags of If-None-Match, compared weakly (RFC 9110, 13.1.2)."""
    given = request.headers.get("if-none-match", "")
    tags = (tag.strip() for tag in given.split(","))
    return {tag if tag.startswith("W/") or tag == "*" else f"W/{tag}" for tag in tags if tag}


def _knows(known: set[str], etag: str) -> bool:
    return etag in known or "*" in known


def _response(text: str, etag: str, media_type: str = JSON) -> Response:
    return Response(text, media_type=media_type, headers={"ETag": etag, "Cache-Control": "no-cache"})
