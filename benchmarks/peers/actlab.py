"""ActLab as `actlab serve` runs it, with the number of processes that is its default."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import httpx2

from benchmarks.filling import fill, id_of
from benchmarks.footprint import free_port
from benchmarks.peers.load import Read
from benchmarks.peers.tracker import EPOCHS, LISTERS, PAGE, READERS, Served
from benchmarks.served import LEASE_SECONDS, child
from service.domain.results import EpochMetrics, Fingerprint, Score, TestResult
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.queue import transitions
from service.storage.queue.leases import Fence
from service.storage.records.results import FinishedRun

SCORE = Score(epoch=EPOCHS, test_loss=0.1, test_accuracy=0.95, interval=(0.94, 0.96), correct=bytes(1250))
FINGERPRINT = Fingerprint(
    torch="2.13.0", numpy="2.3.0", device="cpu", device_name="a processor", instruction_set="AVX2", threads=1,
    precision="float32", code="0.2.0",
)  # fmt: skip
RUN = FinishedRun(
    TestResult(
        last=SCORE, best=SCORE, per_class=[], confusion_matrix=[[10000]], fingerprint=FINGERPRINT,
        epochs_trained=EPOCHS, seconds=20.0,
    ),
    weights=None,
)  # fmt: skip


@dataclass(frozen=True)
class ActLab:
    promise: str = "a power cut: SQLite in WAL mode is synced at each commit"

    @property
    def name(self) -> str:
        return f"actlab {version('actlab')}"

    @contextmanager
    def running(self, home: Path) -> Iterator[Served]:
        database, port = Database(Settings(home=home, database_url=None).database), free_port()
        migrate.upgrade(database)
        settings = {
            "ACTLAB_HOME": str(home), "ACTLAB_PORT": str(port), "ACTLAB_LOG_LEVEL": "error", "ACTLAB_DATABASE_URL": "",
            "ACTLAB_LEASE_SECONDS": str(LEASE_SECONDS),
        }  # fmt: skip
        with (
            child([sys.executable, "-m", "actlab", "serve"], os.environ | settings, port, "/healthz"),
            httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False, timeout=60) as client,
        ):
            yield ActLabServed(client, database)
        database.close()


@dataclass(frozen=True)
class ActLabServed:
    client: httpx2.Client
    database: Database

    def fill(self, runs: int) -> None:
        fill(self.database, runs)

    def reads(self) -> Mapping[str, Read]:
        base = str(self.client.base_url).rstrip("/")
        experiment = f"{base}/experiments/{id_of(150)}"
        return {
            "run": Read(experiment, READERS),
            "history": Read(f"{experiment}/metrics", READERS),
            "page": Read(f"{base}/experiments?activation=relu&sort=-test_accuracy&limit={PAGE}", LISTERS),
        }

    def write(self) -> None:
        """Submit an experiment by the API; record it as a worker does, which is not by HTTP but by SQL."""
        answer = self.client.post("/experiments", json={"activation": "relu", "epochs": EPOCHS})
        answer.raise_for_status()
        (claim,) = self.database.run("claim", lambda s: transitions.claim(s, "benchmark", 1, LEASE_SECONDS))
        for epoch in range(1, EPOCHS + 1):
            self._record(claim.fence, epoch)
        self.database.run("succeed", lambda s: transitions.succeed(s, claim.fence, RUN))

    def _record(self, fence: Fence, epoch: int) -> None:
        figures = EpochMetrics(
            epoch=epoch, train_loss=0.5, train_accuracy=0.8, validation_loss=0.4, validation_accuracy=0.9, l2=0.01,
            learning_rate=1e-3, seconds=1.0, images_per_second=1000.0,
        )  # fmt: skip
        self.database.run("epoch", lambda s: transitions.record_epoch(s, fence, figures))
