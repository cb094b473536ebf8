"""Routes of events: streams of changes, as server-sent events."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from service.access.roles import Role, needs
from service.api.events.describe import describe
from service.api.events.stream import ELSEWHERE, Beginning, Delivery, Stream, Subscription, begin
from service.api.http.dependencies import Listening, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.http.loading import load_experiment, load_study
from service.api.http.problem import responses
from service.api.http.services import Services
from service.api.openapi.event_examples import EVENT
from service.changefeed.items import Item, Kind
from service.storage.changes import deltas
from service.storage.changes.deltas import Deltas, Scope

router = APIRouter(tags=["events"], route_class=GuardedRoute)

MOST_NAMED = 100
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A stream of server-sent events; docs/live.md describes them.",
        "content": {"text/event-stream": {"schema": EVENT}},
    }
}
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would buffer events


class EventStream(StreamingResponse):
    """A stream of events that are encoded already. FastAPI's own class would encode each event once per client."""

    media_type = "text/event-stream"


class EventQuery(BaseModel):
    """The position, kinds and form of a stream."""

    model_config = ConfigDict(extra="forbid")

    since: int | None = Field(
        None,
        ge=0,
        le=2**63 - 1,
        description="Start with the changes after this `revision`. The route says what the default is.",
    )
    kind: list[Kind] = Field(
        [], max_length=5, description="Only events of these kinds; `deleted` and `reset` always come."
    )
    compact: bool = Field(False, description="Leave the spec, which never changes, out of experiments.")
    seconds: float | None = Field(
        None, gt=0, le=86_400, description="End the stream after so many seconds. Default: never.", examples=[5]
    )


class AllEventsQuery(EventQuery):
    """The studies and experiments of a stream, its position, kinds and form."""

    study: list[UUID] = Field([], max_length=MOST_NAMED, description="Only these studies and their experiments.")
    experiment: list[UUID] = Field([], max_length=MOST_NAMED, description="Only these experiments.")


LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=r"^([0-9a-f]{32}\.[0-9]{1,18})?$",
        description="The `id` of the last event received. Browsers send it by themselves; it overrides `since`.",
    ),
]


@router.get("/events", response_class=EventStream, responses=STREAMED)
@needs(Role.VIEWER)
async def list_events(
    services: ServicesDep,
    query: Annotated[AllEventsQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow all changes, or those of some studies and experiments, from `since` or from now on."""
    subscription = _subscription(query, Scope(frozenset(query.experiment), frozenset(query.study)))
    return await _stream(services, subscription, query, last_event_id, lambda session: [])


@router.get("/experiments/{id}/events", response_class=EventStream, responses=STREAMED | responses(404))
@needs(Role.VIEWER)
async def list_experiment_events(
    id: UUID,
    services: ServicesDep,
    query: Annotated[EventQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow an experiment. Without `since`, the stream starts with its state and all its epochs; then come changes."""
    subscription = _subscription(query, Scope(experiments=frozenset({id})))

    def state(session: Session) -> Sequence[Item]:
        return describe(session, deltas.of_experiment(session, load_experiment(session, id)))

    return await _stream(services, subscription, query, last_event_id, state)


@router.get("/studies/{id}/events", response_class=EventStream, responses=STREAMED | responses(404))
@needs(Role.VIEWER)
async def list_study_events(
    id: UUID,
    services: ServicesDep,
    query: Annotated[EventQuery, Query()],
    _: Listening,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow a study and its experiments. Without `since`, the stream starts with its state; then come changes."""
    subscription = _subscription(query, Scope(studies=frozenset({id})))

    def state(session: Session) -> Sequence[Item]:
        return describe(session, Deltas(studies=[load_study(session, id)]))

    return await _stream(services, subscription, query, last_event_id, state)


def _subscription(query: EventQuery, scope: Scope) -> Subscription:
    return Subscription(scope, frozenset(query.kind), query.compact)


async def _stream(
    services: Services, subscription: Subscription, query: EventQuery, last_event_id: str | None, state: Beginning
) -> Response:
    """Answer with a stream. It is read up to its start before the first byte is sent, so that errors are problems."""
    since = query.since if not last_event_id else _revision(services, last_event_id)
    delivery = await services.read(lambda session: _begun(session, subscription, since, state))
    return EventStream(Stream(services, subscription, query.seconds).follow(delivery), headers=HEADERS)


def _begun(session: Session, subscription: Subscription, since: int | None, state: Beginning) -> Delivery:
    delivery = begin(session, subscription, since, state)
    if since is not None and not delivery.items:
        state(session)  # raises NotFound for a record that was deleted before `since`
    return delivery


def _revision(services: Services, id: str) -> int:
    database, revision = id.split(".")
    return int(revision) if database == services.database_id else ELSEWHERE
