"""The `actlab` command: starting, stopping, and one line for each mistake."""

import gzip
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.stack.services import SHORT, Service
from tests.waiting import await_true

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(660),
    pytest.mark.parametrize("make_service", ["embedded"], indirect=True),
]


def test_up_names_the_process_that_holds_the_folder(service: Service) -> None:
    second = service.run("up", check=False)
    assert second.returncode == 1
    assert f"in use by process {service.processes['up'].pid}" in second.stderr
    assert "ACTLAB_HOME" in second.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stops_its_children_on_a_signal(service: Service, number: int) -> None:
    supervisor = service.processes["up"]
    children = psutil.Process(supervisor.pid).children(recursive=True)
    assert len(children) >= 2
    service.stop("up", number)
    assert supervisor.returncode == 0
    assert not [child for child in children if child.is_running()]
    assert not (service.home / "up.json").exists()


def test_children_end_when_their_supervisor_is_killed(service: Service) -> None:
    await_true(service.client.workers, seconds=30)
    children = psutil.Process(service.processes["up"].pid).children()
    service.stop("up", signal.SIGKILL)
    await_true(lambda: not any(child.is_running() for child in children), seconds=15)


def test_up_restarts_an_api_that_was_killed(service: Service) -> None:
    await_true(lambda: "docs=" in service.output("up"))  # before that, an API that dies ends the start
    first = service.process("serve")
    first.kill()
    await_true(lambda: not service.client.healthy())
    await_true(service.client.healthy, seconds=30)
    assert service.process("serve").pid != first.pid


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_up_fails_where_its_port_is_taken(make_service: Callable[..., Service], taken_port: int) -> None:
    failed = make_service(ACTLAB_PORT=str(taken_port)).run("up", check=False)
    assert failed.returncode == 1
    assert f"port {taken_port}" in failed.stderr


def test_up_fails_where_another_service_has_its_port(service: Service, tmp_path: Path) -> None:
    other = Service(tmp_path / "other", ACTLAB_PORT=str(service.port))
    failed = other.run("up", check=False)
    assert failed.returncode == 1
    assert f"port {service.port}" in failed.stderr
    other.close()


MISTAKES = {
    "a setting of the wrong type": ({"ACTLAB_PORT": "eighty"}, ["serve"], "ACTLAB_PORT"),
    "an exposed address": ({"ACTLAB_HOST": "0.0.0.0"}, ["up"], "--insecure"),
    "an exposed address, served alone": ({"ACTLAB_HOST": "0.0.0.0"}, ["serve"], "--insecure"),
    "a database that is not there": (
        {"ACTLAB_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, ["serve"], "ACTLAB_DATABASE_URL",
    ),
    "a database without a schema": ({}, ["worker"], "actlab db upgrade"),
    "a database of another kind": ({"ACTLAB_DATABASE_URL": "mysql://x/y"}, ["db", "upgrade"], "ACTLAB_DATABASE_URL"),
    "a folder that cannot be made": ({"ACTLAB_HOME": "/proc/nowhere"}, ["up"], "/proc/nowhere"),
    "an unknown data set": ({}, ["data", "fetch", "cifar"], "cifar"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_command_reports_a_mistake_without_a_traceback(make_service: Callable[..., Service], mistake: str) -> None:
    settings, command, said = MISTAKES[mistake]
    failed = make_service(**settings).run(*command, check=False)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("damage", ["missing", "corrupt", "truncated"])
def test_worker_fails_an_experiment_whose_data_are_unusable(
    make_service: Callable[..., Service], tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "data" / "mnist"
    if damage != "missing":
        folder.mkdir(parents=True)
        content = gzip.compress(b"not images") if damage == "corrupt" else gzip.compress(bytes(1000))[:20]
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
            (folder / f"{name}-ubyte.gz").write_bytes(content)
    # No mirror can be reached, and no copy of the user's may be found.
    unreachable = {"HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "HOME": str(tmp_path)}
    service = make_service(ACTLAB_DATA_DIR=str(tmp_path / "data"), **unreachable).start()
    done = service.finished(service.client.submit_experiment(SHORT | {"dataset": "mnist"})["id"])
    assert (done["status"], done["cause"]) == ("failed", "invalid_data")
    assert str(folder) in done["detail"]
    assert "actlab data fetch" in done["detail"] + done["remedy"]
    assert service.client.experiment(done["id"])["spec"]["dataset"] == "mnist"


def test_data_fetch_needs_nothing_for_packaged_data(make_service: Callable[..., Service]) -> None:
    assert "nothing to fetch" in make_service().run("data", "fetch", "mnist_5k").stdout


def test_demo_prints_its_table_and_leaves_nothing_running(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_THREADS="1")
    service.launch("demo", "--epochs", "1", "--dataset", "digits")
    demo = service.processes["demo"]
    assert demo.wait(600) == 0
    shown = service.output("demo")
    for line in ("epochs 1", "relu", "sigmoid", "tanh", "leaky_relu", "swish", "(reference)", "mean", "±", "/docs"):
        assert line in shown
    assert not service.client.healthy()
    service.start()  # the results are kept
    (study,) = {experiment["study_id"] for experiment in service.client.experiments(status="succeeded", limit=500)}
    assert service.client.study(study)["progress"]["succeeded"] == 15
