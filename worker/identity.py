"""The identity of a worker and the report that it sends at every heartbeat."""

import os
import platform
import socket
from dataclasses import dataclass
from importlib.metadata import version

import psutil
import torch

from service.domain.workers import WorkerMemory
from service.settings import Settings
from service.storage.records.workers import Heartbeat
from worker import devices
from worker.training.execution import Device


@dataclass(frozen=True)
class Identity:
    id: str
    device: Device
    device_name: str
    renew_seconds: float | None = None

    @classmethod
    def of_this_process(cls, id: str, settings: Settings) -> "Identity":
        """Raises UnusableDevice."""
        return cls(id, *devices.choose(settings), settings.renew_seconds)

    def heartbeat(self, experiments: list[str]) -> Heartbeat:
        return Heartbeat(
            id=self.id,
            hostname=hostname(),
            pid=os.getpid(),
            device=self.device,
            device_name=self.device_name,
            memory=self.memory(),
            versions=_versions(),
            experiments=experiments,
            renew_seconds=self.renew_seconds,
        )

    def memory(self) -> WorkerMemory:
        if self.device == "cuda":
            return _cuda_memory()
        return WorkerMemory(total=psutil.virtual_memory().total, used=psutil.Process().memory_info().rss)


def hostname() -> str:
    """Return the name of this machine, by which the workers of one machine are told from those of others."""
    return socket.gethostname()


def unusable(id: str, settings: Settings) -> Heartbeat:
    """Return the report of a worker whose device cannot be used."""
    return Heartbeat(
        id=id,
        hostname=hostname(),
        pid=os.getpid(),
        device=settings.device,
        device_name="not usable",
        memory=WorkerMemory(),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    return {"actlab": version("actlab"), "torch": torch.__version__, "python": platform.python_version()}


def _cuda_memory() -> WorkerMemory:
    """Return the memory of the GPU; unknown where CUDA fails, so that leases are renewed until the step sees it."""
    try:
        free, total = torch.cuda.mem_get_info()
    except RuntimeError:
        return WorkerMemory()
    return WorkerMemory(total=total, used=total - free)
