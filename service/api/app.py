"""The assembly of the API: its middlewares, routes, documentation, pages and background work."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.routing import BaseRoute

from service.access import table as key_table
from service.access.table import KeyTable, Snapshot
from service.api import exposure
from service.api.events.describe import describe as describe_changes
from service.api.http import errors
from service.api.http.dependencies import EVERY_ROUTE
from service.api.http.gate import Gate
from service.api.http.guarded import GuardedRoute
from service.api.http.middleware.access import Access
from service.api.http.middleware.body_limit import BodyLimit
from service.api.http.middleware.cross_site import SameSiteChanges
from service.api.http.middleware.from_memory import FromMemory
from service.api.http.middleware.head import HeadAsGet
from service.api.http.middleware.hosts import AllowedHosts
from service.api.http.middleware.measured import Measured
from service.api.http.middleware.proxies import TrustedProxies
from service.api.http.middleware.rates import RequestRates
from service.api.http.middleware.request_ids import RequestIds
from service.api.http.middleware.root_path import RootPath
from service.api.http.middleware.security_headers import SecurityHeaders
from service.api.http.middleware.whole_request import WholeRequest
from service.api.http.problem import EVERYWHERE
from service.api.http.services import Services
from service.api.mlflow import routes as mlflow
from service.api.mlflow.errors import MlflowErrors
from service.api.openapi.document import describe
from service.api.routes import (
    activations,
    article_claims,
    audit,
    comparisons,
    curves,
    datasets,
    diagnostics,
    events,
    experiments,
    keys,
    reports,
    shares,
    studies,
    system,
    workers,
)
from service.background import audit as old_audit
from service.background import key_use
from service.background.reaper import Reaper
from service.background.reconciler import reconcile, start_rankings
from service.background.wakes import Waker, create_celery
from service.changefeed.feed import Feed, Listeners
from service.changefeed.poller import Poller
from service.dashboard.docs import add_docs
from service.dashboard.guide import add_guide
from service.dashboard.pages import add_pages
from service.observability.requests import RequestMetrics
from service.process.periodic import Periodic
from service.settings import Settings
from service.storage import migrate
from service.storage.changes import revisions
from service.storage.changes.reader import ChangeReader
from service.storage.engine.database import Database, open_database
from service.storage.records import keys as key_records

MIDDLEWARES = (
    RequestIds,
    WholeRequest,
    HeadAsGet,
    SecurityHeaders,
    RootPath,
    Measured,  # behind those that copy a request: it reads which route has got it
    MlflowErrors,
    TrustedProxies,
    AllowedHosts,
    SameSiteChanges,
    Access,
    RequestRates,
    BodyLimit,
    FromMemory,  # last: it answers without asking who is there
)
"""The middlewares, in the order in which a request passes through them."""

# In one flat list with the busiest routers first: routers nested in routers cost a poll a fifth of its time.
VERSIONED = (
    experiments,
    diagnostics,
    studies,
    shares,
    reports,
    events,
    comparisons,
    curves,
    article_claims,
    activations,
    datasets,
    workers,
    keys,
    audit,
)


def create_app(settings: Settings) -> FastAPI:
    """Return an app that opens its database and starts its background work when it starts serving.

    It then raises ConfigurationError for settings that would expose the API without access control.
    """
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
    app.state.metrics_folder = None
    for middleware in reversed(MIDDLEWARES):
        app.add_middleware(middleware)
    errors.add_handlers(app)
    for part in VERSIONED:
        app.include_router(part.router, prefix="/api/v1", dependencies=EVERY_ROUTE, responses=EVERYWHERE)
    for router in (system.router, shares.pages):
        app.include_router(router, dependencies=EVERY_ROUTE, responses=EVERYWHERE)
    app.include_router(mlflow.router)  # lenient, because clients of other versions send more
    own = len(app.routes)
    add_docs(app, settings.root_path)
    add_guide(app, settings.root_path)
    add_pages(app, settings.root_path)
    app.state.public = [*_public(app.routes[:own]), *_paths(app.routes[own:])]
    app.state.literal_paths = _literal(app.routes)
    app.state.templates = _templates(app.routes)
    describe(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    settings.home.mkdir(parents=True, exist_ok=True)
    # Keys are read through a connection of their own: no load may delay a revocation.
    own = settings.model_copy(update={"pool_size": 1})
    with closing(open_database(settings)) as database, ExitStack() as opened:
        migrate.check(database)
        exposure.prepare(settings, database)
        if reader := ChangeReader.of(database):
            opened.enter_context(closing(reader))
        with database.read() as session:
            database_id, head = revisions.database_id(session), revisions.newest(session)
        waker = Waker(create_celery(settings), database.faults)
        feed = Feed(head, settings.poll_seconds, settings.max_listeners, reader, app.state.listeners)
        keys_database = opened.enter_context(closing(open_database(own)))
        table = KeyTable(lambda version: _read_keys(keys_database, version))
        table.refresh()
        gate = Gate(table, app.state.public, insecure=settings.insecure)
        metrics = RequestMetrics(app.state.metrics_folder, app.state.listeners.place)
        app.state.services = Services(settings, database, waker, database_id, app.version, feed, gate, metrics)
        poller = Poller(database, feed, describe_changes, metrics.lag)
        background = [
            Periodic(
                "reconciler", settings.reconcile_seconds, lambda: _reconcile(database, waker, app.version)
            ).start(),
            Periodic("reaper", settings.reap_seconds, Reaper(database, settings).look).start(),
            Periodic("poller", settings.poll_seconds, poller.poll).start(),
            Periodic("keys", key_table.PERIOD_SECONDS, table.refresh).start(),
            Periodic("audit", old_audit.SWEEP_SECONDS, lambda: old_audit.sweep(database, settings.audit_days)).start(),
            Periodic("key use", key_use.FLUSH_SECONDS, lambda: key_use.flush(database, table)).start(),
        ]
        try:
            yield
        finally:
            feed.close()
            for thread in background:
                thread.stop()
            waker.stop()
            await app.state.services.rates.close()
            with suppress(DBAPIError, PoolTimeout):
                key_use.flush(database, table)


def _read_keys(database: Database, version: int) -> Snapshot | None:
    with database.read() as session:
        return key_records.snapshot(session, version)


def _public(routes: Sequence[BaseRoute]) -> list[re.Pattern[str]]:
    """Return the paths of the API's routes that need no key."""
    return [
        context.path_regex
        for context in iter_route_contexts(routes)
        if isinstance(context.original_route, GuardedRoute) and context.original_route.role is None
    ]


def _paths(routes: Sequence[BaseRoute]) -> list[re.Pattern[str]]:
    """Return the paths of the pages and of the files that they load, which hold no data."""
    return [context.path_regex for context in iter_route_contexts(routes)]


def _literal(routes: Sequence[BaseRoute]) -> frozenset[str]:
    """Return the paths without parameters."""
    return frozenset(path for context in iter_route_contexts(routes) if "{" not in (path := context.path_format or ""))


def _templates(routes: Sequence[BaseRoute]) -> dict[int, str]:
    """Return the templates of the routes' paths by the id of the route, which requests have in their scope."""
    return {id(context.original_route): str(context.path_format) for context in iter_route_contexts(routes)}


def _reconcile(database: Database, waker: Waker, code: str) -> None:
    reconcile(database, waker)
    start_rankings(database, waker, code)
