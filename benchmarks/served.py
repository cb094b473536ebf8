"""Serve the API for a benchmark, on a database with one running experiment."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import urlopen

import psutil

from benchmarks.footprint import free_port, wait_for
from service.domain.results import EpochMetrics
from service.domain.spec import ExperimentSubmission
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.engine.unit_of_work import UnitOfWork
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records import experiments
from service.storage.tables.base import new_id

LEASE_SECONDS = 3600  # no worker renews the lease


@dataclass(frozen=True)
class Api:
    port: int
    process: psutil.Process
    database: Database
    fence: Fence

    @property
    def path(self) -> str:
        return f"/api/v1/experiments/{self.fence.id}"

    def record(self, epoch: int) -> None:
        figures = epoch_figures(epoch)
        self.database.run("epoch", lambda session: transitions.record_epoch(session, self.fence, figures))


def epoch_figures(epoch: int) -> EpochMetrics:
    return EpochMetrics(
        epoch=epoch, train_loss=0.5, train_accuracy=0.8, validation_loss=0.4, validation_accuracy=0.9, l2=0.01,
        learning_rate=1e-3, seconds=1.0, images_per_second=1000.0,
    )  # fmt: skip


@contextmanager
def serving(home: Path, database_url: str = "", rate_per_minute: int = 10**9) -> Iterator[Api]:
    """Run `actlab serve` on a new database with one running experiment. `rate_per_minute` limits each key."""
    database = Database(database_url or f"sqlite:///{home / 'actlab.db'}")
    migrate.upgrade(database)
    fence = database.run("start", start)
    port = free_port()
    settings = {"ACTLAB_HOME": str(home), "ACTLAB_PORT": str(port), "ACTLAB_LOG_LEVEL": "error",
                "ACTLAB_LEASE_SECONDS": str(LEASE_SECONDS), "ACTLAB_API_PROCESSES": "1",
                "ACTLAB_RATE_PER_MINUTE": str(rate_per_minute),
                "ACTLAB_DATABASE_URL": str(database.engine.url.render_as_string(hide_password=False))}  # fmt: skip
    with child([sys.executable, "-m", "actlab", "serve"], os.environ | settings, port, "/healthz") as process:
        yield Api(port, psutil.Process(process.pid), database, fence)
    database.close()


def start(session: UnitOfWork) -> Fence:
    """Queue an experiment and claim it. No other may be queued."""
    submission = ExperimentSubmission.model_validate({"activation": "relu", "epochs": 1000})
    experiments.create(session, "local", submission, id=new_id())
    (claim,) = transitions.claim(session, "benchmark", 1, LEASE_SECONDS)
    return claim.fence


@contextmanager
def child(
    command: Sequence[str], environment: dict[str, str], port: int, path: str, output: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block starts when `path` is answered with 200. `output` takes its log."""
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        wait_for(lambda: _answers(port, path))
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
