"""The objects that a worker process uses for every experiment."""

from dataclasses import dataclass
from typing import Self

from service.datasets.locations import Locations
from service.observability.work import WorkMetrics
from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.database import Database
from service.storage.queue.downloads import Machine
from worker.checkpoints import Checkpoints
from worker.identity import Identity, hostname
from worker.lease import LeaseRenewer
from worker.persistence import Persistence
from worker.training.datasets.tensors import Datasets
from worker.training.execution import Device, default_threads


@dataclass(frozen=True)
class WorkerContext:
    settings: Settings
    device: Device
    threads: int  # of this process, before an experiment with others sets its own
    persistence: Persistence
    lease_renewer: LeaseRenewer
    checkpoints: Checkpoints
    datasets: Datasets
    shutdown: Shutdown
    metrics: WorkMetrics

    @property
    def machine(self) -> Machine:
        return Machine(hostname(), self.datasets.loaded, self.settings.download_hours * 3600)

    @classmethod
    def open(
        cls, settings: Settings, database: Database, identity: Identity, shutdown: Shutdown, share: int = 1
    ) -> Self:
        """Build the context of this process. The caller starts and stops its lease renewer.

        `share` is the number of workers among which the processors of this machine are divided.
        """
        metrics = WorkMetrics()
        return cls(
            settings=settings,
            device=identity.device,
            threads=settings.threads or _threads(identity.device, share),
            persistence=Persistence(database, settings.outage_seconds, shutdown),
            lease_renewer=LeaseRenewer(database, settings, identity, metrics),
            checkpoints=Checkpoints(settings.checkpoints, database.faults),
            datasets=Datasets(Locations(settings.home, settings.data_dir), identity.device),
            shutdown=shutdown,
            metrics=metrics,
        )


def _threads(device: Device, share: int) -> int:
    return max(1, default_threads() // share) if device == "cpu" else default_threads()
