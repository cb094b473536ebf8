"""Conditional and waiting GETs: an ETag from the revision, 304 for what the client has, `wait` for the next change."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from service.api.http.memory import Answer
from service.api.http.services import Services
from service.api.http.templates import template_of
from service.changefeed.feed import Feed

JSON = "application/json"
CACHING = {"Cache-Control": "no-cache", "Vary": "Authorization, Cookie"}  # `mine` depends on the sender
LOOK_SECONDS = 1.0
"""The shortest time between two reads of a resource without a revision, such as one with a place in the queue."""
LOOK_AT_LEAST_SECONDS = 5.0
"""The longest time between them: workers come and go without a revision."""
KEPT_QUERIES = frozenset({b"", b"wait=0"})
"""The query strings whose answers are kept: others are too many, or are answered once and never again."""


@dataclass(frozen=True)
class Snapshot:
    """A representation of a resource at one moment.

    `revision` is None where some of it changes without a revision, such as a queue position; its ETag is then a hash.
    `final` says that it will not change any more. `estimates` says that it holds a time that is left: no reason for
    another ETag, but estimated anew for each answer.
    """

    body: BaseModel
    revision: int | None
    final: bool
    estimates: bool = False


@dataclass(frozen=True)
class Resource:
    """A resource and the functions that read it.

    `id` is the experiment or study whose revision is also the resource's; None where it depends on more. `peek` reads
    the revision alone, by primary key, or None where no revision tells whether it changed. `build` reads all of it.
    Both raise NotFound when there is no such resource.
    """

    id: UUID | None
    peek: Callable[[Session], int | None]
    build: Callable[[Session], Snapshot]


@dataclass(frozen=True)
class Listing:
    """A page of a list, whose text is built only where the client does not have it.

    `states` are the ids and revisions of its items. `is_steady` says that they determine the text, together with
    `next_cursor`: no item has a place in the queue.
    """

    states: Sequence[tuple[UUID, int]]
    next_cursor: str | None
    is_steady: bool
    build: Callable[[], str]


@dataclass(frozen=True)
class _Look:
    """A read of a resource. `snapshot` is None where the client has it already."""

    etag: str
    snapshot: Snapshot | None
    revision: int | None


async def answer(request: Request, services: Services, resource: Resource, wait: float = 0) -> Response:
    """Answer with the representation and its ETag, or with 304.

    With `wait`, answer when the resource has changed (for a request with If-None-Match) or is final (without), at the
    latest after so many seconds.
    """
    known = _known(request)
    deadline = time.monotonic() + wait
    while True:
        head = services.feed.head
        look = _remembered(request, services, resource, known) or await _read(services, resource, known)
        over = services.feed.closed or time.monotonic() >= deadline
        if look.snapshot is None or _knows(known, look.etag):
            if over:
                return not_modified(look.etag)
        elif known or over or look.snapshot.final:
            response = _response(look.snapshot.body.model_dump_json(), look.etag)
            _keep(request, services, resource, look, response)
            return response
        await _change(services.feed, resource, look, known, head, deadline)


def _remembered(request: Request, services: Services, resource: Resource, known: set[str]) -> _Look | None:
    """Return that the resource has not changed, where this process knows it without asking the database."""
    if resource.id is None or not known or reads_database(request.headers):
        return None
    revision = services.feed.recall(resource.id)
    etag = _etag(services, revision)
    return _Look(etag, None, revision) if revision is not None and etag in known else None


async def _read(services: Services, resource: Resource, known: set[str]) -> _Look:
    token = services.feed.token()
    look = await services.read(lambda session: _look(services, session, resource, known))
    if resource.id is not None and look.revision is not None:
        services.feed.remember(resource.id, look.revision, token)
    return look


def _keep(request: Request, services: Services, resource: Resource, look: _Look, response: Response) -> None:
    """Keep an answer that depends on nothing but the path, the query and the resource's revision."""
    if resource.id is None or look.revision is None or look.snapshot is None or look.snapshot.estimates:
        return
    if (query := request.scope["query_string"]) in KEPT_QUERIES:
        answer = Answer.of(response, resource.id, look.revision, template_of(request.scope))
        services.memory.keep((request.scope["path"], query), answer)


async def _change(feed: Feed, resource: Resource, look: _Look, known: set[str], head: int, deadline: float) -> None:
    """Wait until the resource may have changed, without asking the database."""
    if known and look.revision is None:
        await feed.paused(min(LOOK_SECONDS, deadline - time.monotonic()))
        await feed.moved(head, min(LOOK_AT_LEAST_SECONDS, deadline - time.monotonic()))
        return
    while not feed.closed and (left := deadline - time.monotonic()) > 0:
        await feed.moved(head, left)
        batches = feed.after(head)
        if batches is None or any(resource.id is None or batch.touches(resource.id) for batch in batches):
            return
        head = batches[-1].until if batches else head


def hashed(request: Request, body: BaseModel) -> Response:
    """Answer with a list, whose ETag is a hash of its text, or with 304."""
    text = body.model_dump_json()
    etag = _hash(text)
    return not_modified(etag) if _knows(_known(request), etag) else _response(text, etag)


def listed(request: Request, services: Services, listing: Listing, token: int, *, keep: bool) -> Response:
    """Answer with a page, or with 304. `token` is the feed's from before the page was read; `keep` lets the process
    answer the same question from memory, to whoever asks it."""
    text = None if listing.is_steady else listing.build()
    etag = _hash(_identity(services, listing) if text is None else text)
    if _knows(_known(request), etag):
        return not_modified(etag)
    response = _response(listing.build() if text is None else text, etag)
    if listing.is_steady and keep:
        question = (request.scope["path"], request.scope["query_string"])
        services.memory.keep(question, Answer.of(response, None, token, template_of(request.scope)))
    return response


def at_revision(request: Request, services: Services, revision: int, build: Callable[[], BaseModel]) -> Response:
    """Answer with a body that depends on nothing but `revision`, or with 304 without building it."""
    return text_at_revision(request, services, revision, lambda: build().model_dump_json(), JSON)


def text_at_revision(
    request: Request,
    services: Services,
    revision: int,
    build: Callable[[], str],
    media_type: str,
    *,
    file: str | None = None,
) -> Response:
    """Do as `at_revision` for a text of another media type, as an attachment where `file` names one."""
    etag = _etag(services, revision)
    if _knows(_known(request), etag):
        return not_modified(etag)
    response = _response(build(), etag, media_type)
    if file is not None:
        response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def is_known(request: Request, etag: str) -> bool:
    """Return whether the client has the representation of a strong ETag."""
    return _knows(_known(request), f"W/{etag}")


def is_among(etag: str, if_none_match: str) -> bool:
    """Return whether an If-None-Match names a weak ETag."""
    return etag == if_none_match or _knows(_tags(if_none_match), etag)


def reads_database(headers: Mapping[str, str]) -> bool:
    """Return whether a request asks for the state of the database, and not for what this process remembers.

    Every Cache-Control counts: a client that sends one wants something newer, as browsers do that reload a page.
    """
    return "cache-control" in headers or "pragma" in headers


def not_modified(etag: str) -> Response:
    return Response(status_code=304, headers={"ETag": etag})


def _look(services: Services, session: Session, resource: Resource, known: set[str]) -> _Look:
    revision = resource.peek(session)
    etag = _etag(services, revision)
    if revision is not None and _knows(known, etag):
        return _Look(etag, None, revision)
    snapshot = resource.build(session)
    if snapshot.revision is None:
        return _Look(_hash(snapshot.body.model_dump_json()), snapshot, None)
    return _Look(_etag(services, snapshot.revision), snapshot, snapshot.revision)


def _etag(services: Services, revision: int | None) -> str:
    return f'W/"{services.database_id}.{services.version}.{revision}"'


def _hash(text: str) -> str:
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _identity(services: Services, listing: Listing) -> str:
    """Return a text that differs where the text of a steady page does."""
    states = ",".join(f"{id.hex}.{revision}" for id, revision in listing.states)
    return f"{services.database_id}.{services.version}.{listing.next_cursor}.{states}"


def _known(request: Request) -> set[str]:
    return _tags(request.headers.get("if-none-match", ""))


def _tags(if_none_match: str) -> set[str]:
    """Return the ETags of If-None-Match, all as weak ones (RFC 9110, 13.1.2)."""
    tags = (tag.strip() for tag in if_none_match.split(","))
    return {tag if tag.startswith("W/") or tag == "*" else f"W/{tag}" for tag in tags if tag}


def _knows(known: set[str], etag: str) -> bool:
    return etag in known or "*" in known


def _response(text: str, etag: str, media_type: str = JSON) -> Response:
    return Response(text, media_type=media_type, headers={"ETag": etag, **CACHING})
