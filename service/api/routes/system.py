"""Routes for operators: the health of the process and its readiness."""

import shutil

from fastapi import APIRouter

from service.access.roles import PUBLIC, needs
from service.api.http.dependencies import ReadSession, ServicesDep
from service.api.http.guarded import GuardedRoute
from service.api.schemas.system import Health, Readiness
from service.storage import migrate
from service.storage.records import workers

router = APIRouter(tags=["system"], route_class=GuardedRoute)


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
