"""Routes of events: be told when something changes, instead of asking."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.api.events.describe import describe
from service.api.events.stream import ELSEWHERE, Beginning, News, Stream, Wish, begin
from service.api.http.dependencies import Listening, ServicesDep
from service.api.http.problem import responses
from service.api.http.services import Services
from service.api.openapi.event_examples import EVENT
from service.api.views import experiments as views
from service.api.views import studies as study_views
from service.changefeed.items import Item, Kind
from service.storage.changes import deltas
from service.storage.changes.deltas import Deltas, Scope

router = APIRouter(tags=["events"])

MOST_NAMED = 100
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, as they happen: see docs/live.md.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}
"""What a stream answers."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold events back


class EventStream(StreamingResponse):
    """Not FastAPI's own for server-sent events, which encodes each event once for each client."""

    media_type = "text/event-stream"


class EventQuery(BaseModel):
    """What to tell, and how."""

    model_config = ConfigDict(extra="forbid")

    since: int | None = Field(
        None, ge=0, le=2**63 - 1, description="Tell what changed after this `revision`; default: see the route."
    )
    kind: list[Kind] = Field([], max_length=5, description="Only these; `deleted` and `reset` always come.")
    compact: bool = Field(False, description="Leave the spec, which never changes, out of experiments.")
    seconds: float | None = Field(
        None, gt=0, le=86_400, description="End after so many seconds; default: never.", examples=[5]
    )


class AllEventsQuery(EventQuery):
    """And of whom."""

    study: list[UUID] = Field([], max_length=MOST_NAMED, description="Only these studies and their experiments.")
    experiment: list[UUID] = Field([], max_length=MOST_NAMED, description="Only these experiments.")


LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=r"^([0-9a-f]{32}\.[0-9]{1,18})?$",
        description="The `id` of the last event seen, which browsers send by themselves; it outweighs `since`.",
    ),
]


@router.get("/events", response_class=EventStream, responses=STREAMED)
async def list_events(
    services: ServicesDep,
    query: Annotated[AllEventsQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow every change, or those of some studies and experiments, from `since` or from now on."""
    wish = _wish(query, Scope(frozenset(query.experiment), frozenset(query.study)))
    return await _stream(services, wish, query, last_event_id, lambda session: [])


@router.get("/experiments/{id}/events", response_class=EventStream, responses=STREAMED | responses(404))
async def list_experiment_events(
    id: UUID,
    services: ServicesDep,
    query: Annotated[EventQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow one experiment: where it is now with all its epochs, unless `since` is given, and then what changes."""
    wish = _wish(query, Scope(experiments=frozenset({id})))

    def state(session: Session) -> Sequence[Item]:
        return describe(session, deltas.of_experiment(session, views.found(session, id)))

    return await _stream(services, wish, query, last_event_id, state)


@router.get("/studies/{id}/events", response_class=EventStream, responses=STREAMED | responses(404))
async def list_study_events(
    id: UUID,
    services: ServicesDep,
    query: Annotated[EventQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a study and its experiments: how far it is now, unless `since` is given, and then what changes."""
    wish = _wish(query, Scope(studies=frozenset({id})))

    def state(session: Session) -> Sequence[Item]:
        return describe(session, Deltas(studies=[study_views.found(session, id)]))

    return await _stream(services, wish, query, last_event_id, state)


def _wish(query: EventQuery, scope: Scope) -> Wish:
    return Wish(scope, frozenset(query.kind), query.compact)


async def _stream(
    services: Services, wish: Wish, query: EventQuery, last_event_id: str | None, state: Beginning
) -> Response:
    """What can be wrong is answered before the first byte is sent: no client sees a stream break off for it."""
    since = query.since if not last_event_id else _revision(services, last_event_id)
    news = await services.read(lambda session: _begun(session, wish, since, state))
    return EventStream(Stream(services, wish, query.seconds).follow(news), headers=HEADERS)


def _begun(session: Session, wish: Wish, since: int | None, state: Beginning) -> News:
    news = begin(session, wish, since, state)
    if since is not None and not news.items:
        state(session)  # 404 where it is gone for so long that the client has been told already
    return news


def _revision(services: Services, id: str) -> int:
    database, revision = id.split(".")
    return int(revision) if database == services.database_id else ELSEWHERE
