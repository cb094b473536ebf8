"""Routes for operators: the health of the process, its readiness and its metrics."""

import shutil
from collections.abc import Iterator
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Response
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.access.roles import PUBLIC, Role, needs
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.http.services import Services
from service.api.schemas.system import Health, Readiness
from service.domain.errors import Overloaded
from service.observability import facts as fact_metrics
from service.observability import machine
from service.storage import migrate
from service.storage.analysis import facts
from service.storage.analysis.facts import Facts
from service.storage.records import workers

router = APIRouter(tags=["system"], route_class=GuardedRoute)

Accept = Annotated[str, Header(description="`application/openmetrics-text` asks for the format of OpenMetrics.")]
EXPOSITION: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The metrics as text, in Prometheus' format or in that of OpenMetrics, by `Accept`.",
        "content": {
            "text/plain": {"schema": {"type": "string", "examples": ['actlab_queue_experiments{priority="0"} 12.0\n']}}
        },
    }
}


@router.get("/healthz")
@needs(PUBLIC)
async def get_health(services: ServicesDep) -> Health:
    """Check that the process answers. The database is not asked, so that its outage does not restart the API."""
    return Health(status="ok", version=services.version)


@router.get("/readyz")
@needs(PUBLIC)
def get_readiness(services: ServicesDep, session: ReadSession) -> Readiness:
    """Check that the database answers and is at the right revision; 503 otherwise."""
    migrate.check(services.database)
    disk = shutil.disk_usage(services.settings.home)
    return Readiness(
        status="ready",
        database=services.database.engine.dialect.name,
        schema_revision=migrate.head() or "",
        disk_free_bytes=disk.free,
        disk_used_share=round(1 - disk.free / disk.total, 4),
        workers_alive=workers.count_alive(session),
    )


@router.get("/metrics", responses=EXPOSITION, response_class=Response)
@needs(Role.VIEWER)
async def get_service_metrics(services: ServicesDep, accept: Accept = "") -> Response:
    """Read the metrics for Prometheus: those of the database, and those that the API processes on this port count.

    Where the database does not answer, `actlab_database_up` is 0 and the metrics of the database are missing.
    """
    known = await _facts(services)
    families = [*fact_metrics.families(known), *_own(services)]
    text, media_type = await to_thread.run_sync(services.metrics.render, accept, families)
    return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


async def _facts(services: Services) -> Facts | None:
    try:
        return await services.read(facts.read)
    except (DBAPIError, PoolTimeout, Overloaded):
        return None


def _own(services: Services) -> Iterator[Metric]:
    """Yield the figures of the API processes that are read at the scrape."""
    yield from machine.families(services.version, services.settings.home)
    feed, settings = services.feed, services.settings
    yield GaugeMetricFamily("actlab_listeners", "Streams of events that are followed.", feed.all_listeners)
    yield GaugeMetricFamily("actlab_listeners_limit", "ACTLAB_MAX_LISTENERS.", settings.max_listeners)
    yield GaugeMetricFamily("actlab_api_processes", "API processes on this port.", settings.processes)
