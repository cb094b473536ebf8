"""Entry point of a worker process: one device, one experiment at a time, Celery's solo pool.

The pool is solo because CUDA does not survive a fork, and because Python delivers a SIGTERM to the main thread alone,
where the training step then runs.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version

import psutil
import structlog
import torch
from celery import Celery, signals
from celery.worker import state
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import DBAPIError

from service.background.reaper import Reaper
from service.background.wakes import TASK, Waker, create_celery
from service.domain.errors import SchemaOutdated
from service.observability import machine
from service.observability.work import device_families
from service.process import log as process_log
from service.process.periodic import Periodic
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database, open_database
from service.storage.records import workers
from service.storage.tables.base import new_id
from worker import tasks
from worker.context import WorkerContext
from worker.devices import UnusableDevice
from worker.identity import Identity, unusable
from worker.sweep import sweep
from worker.warmup import warm_up

SWEEP_SECONDS = 3600.0
GROWTH = 1.25

log = structlog.get_logger(__name__)


def main(settings: Settings, id: str | None = None, share: int = 1) -> int:
    """Serve until a signal stops the process, and return its exit status. Raises UnusableDevice.

    `id` is the worker's, made up by default; a supervisor passes one that it knows. `share` is the number of workers
    among which it divides the processors.
    """
    database = open_database(settings)
    identity = _identify(database, id or new_id().hex, settings)
    migrate.check(database)
    process_log.identify(worker=identity.id)
    shutdown = Shutdown()
    warm_up(identity.device)
    context = WorkerContext.open(settings, database, identity, shutdown, share)
    _serve_metrics(context, identity)
    app = create_celery(settings)
    waker = Waker(app)
    _register(app, context, lambda: tasks.train(context, identity, waker))
    background = [
        Periodic("reaper", settings.reap_seconds, Reaper(database, settings).look).start(),
        Periodic("sweeper", SWEEP_SECONDS, lambda: sweep(database, settings)).start(),
    ]
    context.lease_renewer.start()
    log.info("worker_started", id=identity.id, device=identity.device, torch=torch.__version__)
    try:
        return _serve(app) or shutdown.status  # Celery does not hand on the status that it stops with
    finally:
        for thread in background:
            thread.stop()
        waker.stop()
        context.lease_renewer.stop()
        database.close()


def _serve_metrics(context: WorkerContext, identity: Identity) -> None:
    settings = context.settings
    if settings.metrics_port is None:
        return

    def read() -> Iterator[Metric]:
        yield from machine.families(version("actlab"), settings.home)
        yield from device_families(identity.device, identity.memory())

    port = context.metrics.serve(settings.metrics_host, settings.metrics_port, read)
    log.info("metrics_served", host=settings.metrics_host, port=port)


def _identify(database: Database, id: str, settings: Settings) -> Identity:
    """Return the identity of this process. Raises UnusableDevice, after it has been stored for the list of workers."""
    try:
        return Identity.of_this_process(id, settings)
    except UnusableDevice as error:
        detail = error.detail
        with suppress(SchemaOutdated, DBAPIError):  # the device is what the operator must be told of
            migrate.check(database)
            database.run("problem", lambda s: workers.report_problem(s, unusable(id, settings), detail))
        raise


def _register(app: Celery, context: WorkerContext, train: Callable[[], int]) -> None:
    """Register the task of a wake, and pass Celery's shutdown (SIGTERM, SIGINT) on to the running step."""
    recycler = _Recycler(context.settings.recycle_after)

    @app.task(name=TASK, ignore_result=True)
    def wake() -> None:
        recycler.count(train())
        if context.shutdown.status:
            state.should_stop = context.shutdown.status  # type: ignore[assignment]  # the stubs know only its first value

    def stop(**_: object) -> None:
        context.shutdown.request()

    signals.worker_shutting_down.connect(stop, weak=False)
    # With a receiver Celery configures no log of its own, and its records take the form of the others.
    signals.setup_logging.connect(_keep_log)


def _keep_log(**_: object) -> None:
    """Leave the log as it is."""


def _serve(app: Celery) -> int:
    """Run Celery's loop in this thread until a signal ends it, and return the exit status."""
    options = ["--pool=solo", "--concurrency=1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    status: int | None = app.worker_main(["--quiet", "worker", "--loglevel=WARNING", *options])
    return status or 0


class _Recycler:
    """Ends the process between two experiments once it has run `after` of them and its memory has grown by more than
    the factor GROWTH. Its supervisor starts another one."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._done = 0
        self._first_resident: int | None = None

    def count(self, done: int) -> None:
        """Add experiments that were run, and ask Celery to stop where the limits are passed."""
        self._done += done
        resident = psutil.Process().memory_info().rss
        if done and self._first_resident is None:
            self._first_resident = resident
        if self._after and self._done >= self._after and resident > GROWTH * (self._first_resident or resident):
            log.info("worker_recycles", experiments=self._done, resident=resident)
            state.should_stop = 0  # type: ignore[assignment]  # the stubs know only its first value
