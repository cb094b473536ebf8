"""The device of a worker: chosen, checked, and reported where it cannot be used."""

import pytest
import torch

from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from service.storage.records import workers
from tests.making import make_heartbeat
from tests.worker.attempts import raising
from worker import app, devices
from worker.devices import UnusableDevice

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

FAILURES = {
    "a build without CUDA": AssertionError("Torch not compiled with CUDA enabled"),
    "no driver": RuntimeError("Found no NVIDIA driver on your system.\nPlease check that you have an NVIDIA GPU"),
    "no device": RuntimeError("No CUDA GPUs are available"),
    "a failing device": torch.AcceleratorError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
}


@pytest.fixture(params=FAILURES)
def failure(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let CUDA fail, and return the first line of the reason."""
    error: Exception = FAILURES[request.param]
    for name in ("mem_get_info", "get_device_name"):
        monkeypatch.setattr(torch.cuda, name, raising(error))
    return str(error).splitlines()[0].rstrip(".")


def test_choose_names_the_setting_and_what_was_found(settings: Settings, failure: str) -> None:
    with pytest.raises(UnusableDevice, match="ACTLAB_DEVICE=cuda") as refused:
        devices.choose(settings.model_copy(update={"device": "cuda"}))
    assert failure in refused.value.detail
    assert torch.__version__ in refused.value.detail
    assert "\n" not in refused.value.detail


def test_choose_takes_the_cpu_for_auto_where_cuda_fails(
    settings: Settings, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.choose(settings.model_copy(update={"device": "auto"}))[0] == "cpu"


def test_main_reports_a_worker_that_cannot_start(settings: Settings, database: Database, failure: str) -> None:
    for id in ("w1", "w2"):
        with pytest.raises(UnusableDevice):
            app.main(settings.model_copy(update={"device": "cuda"}), id)
    with database.read() as session:
        ((id, problem, alive),) = [(row.worker.id, row.worker.problem, row.alive) for row in workers.listed(session)]
        assert workers.presence(session) == (0, problem)
    assert (id, alive) == ("w2", False)
    assert failure in (problem or "")


def test_beat_of_the_same_machine_deletes_the_report(settings: Settings, database: Database, failure: str) -> None:
    with pytest.raises(UnusableDevice) as refused:
        app.main(settings.model_copy(update={"device": "cuda"}), "w1")
    with database.read() as session:
        (listed,) = workers.listed(session)
        assert workers.problem_of(session, "w1") == refused.value.detail
    report = make_heartbeat("w2", hostname=listed.worker.hostname)
    database.run("beat", lambda session: workers.beat(session, report))
    with database.read() as session:
        assert workers.presence(session) == (1, None)


def test_main_names_the_device_where_the_database_is_not_migrated(
    settings: Settings, database: Database, failure: str
) -> None:
    migrate.downgrade(database, "0014")
    with pytest.raises(UnusableDevice):
        app.main(settings.model_copy(update={"device": "cuda"}))
