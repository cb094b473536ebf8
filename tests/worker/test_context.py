import pytest

from service.process.shutdown import Shutdown
from service.settings import Settings
from service.storage.engine.database import Database
from worker import context
from worker.context import WorkerContext
from worker.identity import Identity
from worker.training.execution import Device

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("share", "device", "set_threads", "threads"),
    [(1, "cpu", None, 8), (2, "cpu", None, 4), (3, "cpu", None, 2), (16, "cpu", None, 1), (4, "cuda", None, 8),
     (2, "cpu", 5, 5)],
)  # fmt: skip
def test_open_divides_the_processors_among_workers_on_cpu(
    database: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    share: int,
    device: Device,
    set_threads: int | None,
    threads: int,
) -> None:
    monkeypatch.setattr(context, "default_threads", lambda: 8)
    settings = settings.model_copy(update={"threads": set_threads})
    identity = Identity("w1", device, "a device")
    assert WorkerContext.open(settings, database, identity, Shutdown(), share).threads == threads
