"""The assembly of the API: its middlewares, routes, documentation, pages and background work."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from importlib.metadata import version

from fastapi import FastAPI

from service.api.events.describe import describe as describe_changes
from service.api.http import errors
from service.api.http.dependencies import EVERY_ROUTE
from service.api.http.middleware.body_limit import BodyLimit
from service.api.http.middleware.cross_site import SameSiteChanges
from service.api.http.middleware.from_memory import FromMemory
from service.api.http.middleware.head import HeadAsGet
from service.api.http.middleware.hosts import AllowedHosts
from service.api.http.middleware.proxies import DirectAccess
from service.api.http.middleware.security_headers import SecurityHeaders
from service.api.http.middleware.whole_request import WholeRequest
from service.api.http.problem import EVERYWHERE
from service.api.http.services import Services
from service.api.openapi.document import describe
from service.api.routes import (
    activations,
    article_claims,
    comparisons,
    curves,
    diagnostics,
    events,
    experiments,
    reports,
    studies,
    system,
    workers,
)
from service.background.reaper import Reaper
from service.background.reconciler import reconcile, start_rankings
from service.background.wakes import Waker, create_celery
from service.changefeed.feed import Feed, Listeners
from service.changefeed.poller import Poller
from service.dashboard.docs import add_docs
from service.dashboard.pages import add_pages
from service.process.periodic import Periodic
from service.settings import Settings
from service.storage import migrate
from service.storage.changes import revisions
from service.storage.changes.reader import ChangeReader
from service.storage.engine.database import Database, open_database

MIDDLEWARES = (
    WholeRequest,
    HeadAsGet,
    SecurityHeaders,
    AllowedHosts,
    SameSiteChanges,
    DirectAccess,
    BodyLimit,
    FromMemory,  # last: it answers without asking who is there
)
"""The middlewares, in the order in which a request passes through them."""

# In one flat list with the busiest routers first: routers nested in routers cost a poll a fifth of its time.
VERSIONED = (
    experiments,
    diagnostics,
    studies,
    reports,
    events,
    comparisons,
    curves,
    article_claims,
    activations,
    workers,
)


def create_app(settings: Settings) -> FastAPI:
    """Return an app that opens its database and starts its background work when it starts serving.

    Raises ConfigurationError for settings that would expose the API without access control.
    """
    settings.check_exposure()
    app = FastAPI(
        title="ActLab",
        version=version("actlab"),
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,
        strict_content_type=True,
    )
    app.state.settings = settings
    app.state.listeners = Listeners()
    for middleware in reversed(MIDDLEWARES):
        app.add_middleware(middleware)
    errors.add_handlers(app)
    for part in VERSIONED:
        app.include_router(part.router, prefix="/api/v1", dependencies=EVERY_ROUTE, responses=EVERYWHERE)
    app.include_router(system.router, dependencies=EVERY_ROUTE, responses=EVERYWHERE)
    add_docs(app)
    add_pages(app)
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    settings.home.mkdir(parents=True, exist_ok=True)
    with closing(open_database(settings)) as database, ExitStack() as opened:
        migrate.check(database)
        if reader := ChangeReader.of(database):
            opened.enter_context(closing(reader))
        with database.read() as session:
            database_id, head = revisions.database_id(session), revisions.newest(session)
        waker = Waker(create_celery(settings), database.faults)
        feed = Feed(head, settings.poll_seconds, settings.max_listeners, reader, app.state.listeners)
        app.state.services = Services(settings, database, waker, database_id, app.version, feed)
        background = [
            Periodic(
                "reconciler", settings.reconcile_seconds, lambda: _reconcile(database, waker, app.version)
            ).start(),
            Periodic("reaper", settings.reap_seconds, Reaper(database, settings).look).start(),
            Periodic("poller", settings.poll_seconds, Poller(database, feed, describe_changes).poll).start(),
        ]
        try:
            yield
        finally:
            feed.close()
            for thread in background:
                thread.stop()
            waker.stop()


def _reconcile(database: Database, waker: Waker, code: str) -> None:
    reconcile(database, waker)
    start_rankings(database, waker, code)
