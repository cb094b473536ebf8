"""The checks of `actlab doctor`: a whole installation, and each fault with its remedy."""

import json
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from actlab.cli.main import app
from actlab.client import Client
from actlab.doctor import checks, machine, remote
from service.settings import Settings
from service.storage import migrate
from service.storage.engine.database import Database
from tests.api import states
from tests.api.serving import listening
from tests.servers import free_port

NAMES = ["python", "versions", "service", "key", "workers", "clock", "device", "database", "broker", "data sets",
         "disk", "port"]  # fmt: skip


def doctor(*words: str) -> tuple[int, dict[str, Any]]:
    """Return the exit status and the findings by their names."""
    result = CliRunner().invoke(app, ["doctor", "--json", *words])
    found = json.loads(result.stdout)["checks"]
    return result.exit_code, {finding["name"]: finding for finding in found}


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, port=free_port(), device="cpu", data_dir=tmp_path / "data")


@states.on_sqlite
def test_doctor_finds_nothing_wrong_with_a_running_service(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    states.heartbeat(database)
    with listening(settings) as url:
        for name, value in {"HOME": settings.home, "DATABASE_URL": settings.database, "URL": url,
                            "PORT": url.rpartition(":")[2]}.items():  # fmt: skip
            monkeypatch.setenv(f"ACTLAB_{name}", str(value))
        status, findings = doctor()
    assert list(findings) == NAMES
    assert {finding["state"] for finding in findings.values()} == {"ok"}, findings
    assert status == 0


def test_doctor_works_without_a_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("ACTLAB_PORT", str(free_port()))
    status, findings = doctor()
    assert status == 0
    assert [findings[name]["state"] for name in ("service", "workers", "clock", "database")] == [
        "warning", "skipped", "skipped", "warning",
    ]  # fmt: skip
    assert "actlab up" in findings["service"]["remedy"]
    assert not (tmp_path / "actlab.db").exists()
    monkeypatch.setenv("ACTLAB_URL", f"http://127.0.0.1:{free_port()}")
    status, findings = doctor()
    assert (status, findings["service"]["state"]) == (3, "problem")


def test_doctor_prints_each_remedy_below_its_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("ACTLAB_DATABASE_URL", "mysql://nobody:secret@127.0.0.1/none")
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 3
    assert "→ Correct ACTLAB_DATABASE_URL." in result.stdout
    assert "secret" not in result.output


def test_doctor_reports_wrong_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTLAB_POOL_SIZE", "many")
    status, findings = doctor()
    assert (status, findings["settings"]["state"]) == (3, "problem")
    assert "ACTLAB_POOL_SIZE" in findings["settings"]["finding"]


def test_doctor_skips_this_machine_for_a_service_on_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SECONDS", 0.01)
    _, findings = doctor_of("http://192.0.2.1")  # an address for documents, which nobody has
    assert [findings[name]["state"] for name in checks.LOCAL] == ["skipped"] * 6
    assert findings["service"]["state"] == "problem"


def doctor_of(url: str) -> tuple[None, dict[str, Any]]:
    return None, {finding.name: vars(finding) for finding in checks.run(url)}


def test_database_check_names_an_outdated_schema(own: Settings) -> None:
    database = Database(own.database)
    migrate.upgrade(database)
    migrate.downgrade(database, "0001")
    database.close()
    finding = machine.database(own)
    assert (finding.state, finding.remedy) == ("problem", "`actlab db upgrade`, while no service runs on it.")


@pytest.mark.parametrize("url", ["postgresql+psycopg://me:secret@127.0.0.1:1/none", "nonsense"])
def test_database_check_names_one_that_does_not_answer(own: Settings, url: str) -> None:
    finding = machine.database(own.model_copy(update={"database_url": url}))
    assert finding.state == "problem"
    assert "ACTLAB_DATABASE_URL" in str(finding.remedy)
    assert "secret" not in finding.finding


@pytest.mark.parametrize("url", ["redis://:secret@127.0.0.1:1/0", "nonsense"])
def test_broker_check_names_one_that_does_not_answer(own: Settings, url: str) -> None:
    finding = machine.broker(own.model_copy(update={"broker_url": url}))
    assert finding.state == "problem"
    assert "ACTLAB_BROKER_URL" in str(finding.remedy)
    assert "secret" not in f"{finding}"


def test_data_set_check_names_a_damaged_file(own: Settings) -> None:
    assert machine.data_sets(own).state == "ok"
    folder = own.home / "data" / "mnist"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte.gz").write_bytes(b"not images")
    finding = machine.data_sets(own)
    assert finding.state == "problem"
    assert str(folder) in finding.finding


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "state"), [(0.5, "problem"), (2, "warning"), (50, "ok")], ids=["full", "nearly full", "empty"]
)
def test_disk_check_compares_the_free_space(
    own: Settings, monkeypatch: pytest.MonkeyPatch, free: float, state: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 0, int(free * machine.GIB)))
    assert machine.disk(own).state == state


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_port_check_names_another_program(own: Settings, taken: int) -> None:
    assert machine.port(own, is_served=False).state == "ok"
    finding = machine.port(own.model_copy(update={"port": taken}), is_served=False)
    assert (finding.state, "ACTLAB_PORT" in str(finding.remedy)) == ("problem", True)


def test_device_check_names_a_device_that_is_not_there(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert machine.device(own).state == "ok"
    finding = machine.device(own.model_copy(update={"device": "cuda"}))
    assert finding.state == "problem"
    assert "ACTLAB_DEVICE=cpu" in str(finding.remedy)


class Answering(httpx2.MockTransport):
    """Answers /me and /workers of a service."""

    def __init__(self, workers: list[dict[str, Any]], status: int = 200) -> None:
        me = {"open": False, "name": "ci", "role": "viewer", "expires_at": None, "detail": "This key has ended."}
        answers = {"/api/v1/me": (status, me), "/api/v1/workers": (200, {"items": workers})}
        super().__init__(
            lambda request: httpx2.Response(*answers[request.url.path][:1], json=answers[request.url.path][1])
        )


ALIVE = {"alive": True, "status": "busy", "problem": None, "hostname": "a"}
LOST = ALIVE | {"alive": False}
UNUSABLE = LOST | {"problem": "CUDA cannot be used."}


@pytest.mark.parametrize(
    ("workers", "state", "words"),
    [([ALIVE, LOST], "ok", "1 alive, 1 busy"), ([LOST], "problem", "None is alive"),
     ([ALIVE, UNUSABLE], "problem", "CUDA cannot be used")],
    ids=["alive", "lost", "unusable"],
)  # fmt: skip
def test_worker_check_tells_whether_any_trains(workers: list[dict[str, Any]], state: str, words: str) -> None:
    _, finding, _ = remote.of_running(Client("http://a", transport=Answering(workers)), remote.Health("1", 0.0))
    assert finding.state == state
    assert words in finding.finding


def test_key_check_names_a_key_that_is_refused() -> None:
    client = Client("http://a", transport=Answering([], status=401))
    finding, *_ = remote.of_running(client, remote.Health("1", 0.0))
    assert (finding.state, finding.finding) == ("problem", "This key has ended.")


@pytest.mark.parametrize(
    ("ahead", "state"), [(None, "skipped"), (1.0, "ok"), (60.0, "warning"), (-60.0, "warning")],
    ids=["unknown", "near", "ahead", "behind"],
)  # fmt: skip
def test_clock_check_compares_the_clocks(ahead: float | None, state: str) -> None:
    *_, finding = remote.of_running(Client("http://a", transport=Answering([])), remote.Health("1", ahead))
    assert finding.state == state


def test_service_check_names_another_version() -> None:
    finding = remote.reachable("http://a", remote.Health("9.9", 0.0), "0.2.0", expected=True)
    assert (finding.state, finding.finding) == ("warning", "http://a is 9.9, this command 0.2.0")


def test_versions_check_names_a_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.versions().state == "ok"
    monkeypatch.setattr(checks, "_is_installed", lambda name: name != "torch")
    finding = checks.versions()
    assert finding.state == "problem"
    assert finding.finding.endswith("missing: torch")
    assert finding.remedy == "pip install 'actlab[worker]'"
