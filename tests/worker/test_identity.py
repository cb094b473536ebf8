import psutil
import pytest
import torch

from service.domain.workers import WorkerMemory
from service.settings import Settings
from worker.identity import Identity

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_heartbeat_reports_process_and_machine_memory_on_cpu(settings: Settings) -> None:
    identity = Identity.of_this_process("w1", settings.model_copy(update={"device": "cpu"}))
    memory = identity.heartbeat([]).memory
    assert memory.total == psutil.virtual_memory().total
    assert memory.used is not None
    assert 2**20 < memory.used < memory.total


def test_heartbeat_reports_device_memory_on_cuda(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (30 * 2**30, 32 * 2**30))
    identity = Identity.of_this_process("w1", settings.model_copy(update={"device": "cuda"}))
    assert identity.heartbeat([]).memory == WorkerMemory(total=32 * 2**30, used=2 * 2**30)
