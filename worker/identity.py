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
from worker.training.execution import Device


@dataclass(frozen=True)
class Identity:
    id: str
    device: Device
    device_name: str

    @classmethod
    def of_this_process(cls, id: str, settings: Settings) -> "Identity":
        device = _device(settings)
        name = torch.cuda.get_device_name() if device == "cuda" else platform.machine()
        return cls(id, device, name)

    def heartbeat(self, experiments: list[str]) -> Heartbeat:
        return Heartbeat(
            id=self.id,
            hostname=socket.gethostname(),
            pid=os.getpid(),
            device=self.device,
            device_name=self.device_name,
            memory=self._memory(),
            versions={
                "actlab": version("actlab"),
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
            experiments=experiments,
        )

    def _memory(self) -> WorkerMemory:
        if self.device == "cuda":
            free, total = torch.cuda.mem_get_info()
            return WorkerMemory(total=total, used=total - free)
        return WorkerMemory(total=psutil.virtual_memory().total, used=psutil.Process().memory_info().rss)


def _device(settings: Settings) -> Device:
    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return settings.device
