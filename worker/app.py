"""Entry point of a worker process: one device, one experiment at a time, Celery's solo pool.

Solo, because CUDA does not survive a fork, and because only in the main thread does a SIGTERM reach the step.
"""

from collections.abc import Callable

import psutil
import structlog
import torch
from celery import Celery, signals
from celery.worker import state

from service.background.reaper import Reaper
from service.background.wakes import TASK, Waker, create_celery
from service.datasets.locations import Locations
from service.process.periodic import Periodic
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database, open_database
from service.storage.tables.base import new_id
from worker import tasks
from worker.attempt import Bench
from worker.checkpoints import Checkpoints
from worker.identity import Identity
from worker.lease import Keeper
from worker.persistence import Persistence
from worker.sweep import sweep
from worker.training.datasets.tensors import Datasets

SWEEP_SECONDS = 3600.0
GROWN = 1.25

log = structlog.get_logger(__name__)


def main(settings: Settings, id: str | None = None) -> int:
    """Serve until told to stop; the exit status. `id` names the worker where a supervisor wants to know it."""
    database = open_database(settings)
    migrate.check(database)
    identity = Identity.of_this_process(id or new_id().hex, settings)
    shutdown = Shutdown()
    bench = _bench(settings, database, identity, shutdown)
    app = create_celery(settings)
    waker = Waker(app)
    _register(app, bench, lambda: tasks.train(bench, identity, waker))
    background = [
        Periodic("reaper", settings.reap_seconds, Reaper(database, settings).look).start(),
        Periodic("sweeper", SWEEP_SECONDS, lambda: sweep(database, settings)).start(),
    ]
    bench.keeper.start()
    log.info("worker_started", id=identity.id, device=identity.device, torch=torch.__version__)
    try:
        return _serve(app)
    finally:
        for thread in background:
            thread.stop()
        waker.stop()
        bench.keeper.stop()
        database.close()


def _bench(settings: Settings, database: Database, identity: Identity, shutdown: Shutdown) -> Bench:
    return Bench(
        settings=settings,
        device=identity.device,
        persistence=Persistence(database, settings.outage_seconds, shutdown),
        keeper=Keeper(database, settings, identity),
        checkpoints=Checkpoints(settings.checkpoints, database.faults),
        datasets=Datasets(Locations(settings.home, settings.data_dir), identity.device),
        shutdown=shutdown,
    )


def _register(app: Celery, bench: Bench, train: Callable[[], int]) -> None:
    """Connect the wake to its task, and Celery's shutdown (SIGTERM, SIGINT) to the step that is running."""
    recycler = _Recycler(bench.settings.recycle_after)

    @app.task(name=TASK, ignore_result=True)
    def wake() -> None:
        recycler.count(train())

    def stop(**_: object) -> None:
        bench.shutdown.request()

    signals.worker_shutting_down.connect(stop, weak=False)


def _serve(app: Celery) -> int:
    """Celery's loop, in this thread, until a signal."""
    options = ["--pool=solo", "--concurrency=1", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    status: int | None = app.worker_main(["--quiet", "worker", "--loglevel=WARNING", *options])
    return status or 0


class _Recycler:
    """Ends the process between two experiments when it has done many and has grown: its supervisor starts another."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._done = 0
        self._first: int | None = None

    def count(self, done: int) -> None:
        self._done += done
        resident = psutil.Process().memory_info().rss
        if done and self._first is None:
            self._first = resident
        if self._after and self._done >= self._after and resident > GROWN * (self._first or resident):
            log.info("worker_recycles", experiments=self._done, resident=resident)
            state.should_stop = 0  # type: ignore[assignment]  # the stubs know only what it starts as
