"""The `actlab` command: starting, stopping, and one line for each mistake."""

import gzip
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.stack.services import LONG, SHORT, Service
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
    await_true(service.client.workers, seconds=60)
    children = psutil.Process(service.processes["up"].pid).children()
    service.stop("up", signal.SIGKILL)
    await_true(lambda: not any(child.is_running() for child in children), seconds=15)


@pytest.mark.parametrize("hangs", [False, True], ids=["ending", "hanging"])
def test_up_after_a_killed_one_waits_for_its_children(service: Service, hangs: bool) -> None:
    api = service.process("serve")
    if hangs:
        api.suspend()
    service.stop("up", signal.SIGKILL)
    service.start()
    assert service.processes["up"].poll() is None
    await_true(lambda: not api.is_running(), seconds=15)
    service.await_health()
    assert service.process("serve").pid != api.pid


def test_up_waits_for_one_that_is_stopping(service: Service) -> None:
    id = service.client.submit_experiment(LONG)["id"]
    service.until(id, status="running")
    service.processes["up"].terminate()
    await_true(lambda: '"stopping": true' in (service.home / "up.json").read_text(), every=0.02)
    service.launch("up", name="next")
    service.await_health()
    assert service.processes["up"].wait(40) == 0
    assert service.processes["next"].poll() is None


@pytest.mark.parametrize("loss", ["folder", "folder made again", "database"])
def test_up_ends_with_one_line_when_its_files_are_deleted(service: Service, loss: str) -> None:
    await_true(service.client.workers, seconds=60)
    await_true(lambda: "docs=" in service.output("up"))
    output = (service.home / "up.out").open()
    output.seek(0, 2)
    if loss == "database":
        (service.home / "actlab.db").unlink()
    else:
        service.home.rename(service.home.with_name("away"))
        if loss == "folder made again":
            service.home.mkdir()
    children = psutil.Process(service.processes["up"].pid).children()
    assert service.processes["up"].wait(10) == 1
    assert not any(child.is_running() for child in children)
    said = output.read()
    output.close()
    assert "was deleted or replaced" in said.splitlines()[-1]
    assert "Traceback" not in said


@pytest.mark.parametrize("device", ["cuda"])
def test_up_serves_on_without_a_worker_whose_device_cannot_be_used(
    make_service: Callable[..., Service], device: str
) -> None:
    service = make_service(ACTLAB_DEVICE=device, CUDA_VISIBLE_DEVICES="").start()
    id = service.client.submit_experiment(SHORT)["id"]
    await_true(lambda: any(worker["problem"] for worker in service.client.workers()), seconds=60)
    (worker,) = service.client.workers()
    assert (worker["alive"], worker["status"]) == (False, "unusable")
    assert "ACTLAB_DEVICE=cuda" in service.client.experiment(id)["waiting_reason"]
    await_true(lambda: "worker_not_restarted" in service.output("up"))
    assert service.output("up").count("ACTLAB_DEVICE=cuda") == 1
    assert "Traceback" not in service.output("up")
    assert len(psutil.Process(service.processes["up"].pid).children()) == 1


@pytest.mark.parametrize(
    "proxy",
    [{"HTTP_PROXY": "http://127.0.0.1:9"}, {"ALL_PROXY": "socks5://127.0.0.1:9"}, {"http_proxy": "http://127.0.0.1:9"}],
)
def test_up_reaches_its_own_api_without_a_proxy(make_service: Callable[..., Service], proxy: dict[str, str]) -> None:
    service = make_service(**proxy, NO_PROXY="", no_proxy="").start()
    await_true(lambda: "docs=" in service.output("up"))
    assert service.run("study", "list").returncode == 0


def test_up_starts_beside_service_links_and_empty_variables(make_service: Callable[..., Service]) -> None:
    empty = dict.fromkeys(("ACTLAB_THREADS", "ACTLAB_DEVICE", "ACTLAB_BROKER_URL", "ACTLAB_WEIGHTS_DAYS"), "")
    links = {"ACTLAB_SERVICE_HOST": "10.96.0.1", "ACTLAB_SERVICE_PORT": "8000"}
    service = make_service(**empty, **links).start()
    await_true(service.client.workers, seconds=60)
    linked = make_service(ACTLAB_PORT="tcp://10.96.0.1:8000")
    checked = linked.run("db", "check")
    assert "ACTLAB_PORT=tcp://10.96.0.1:8000 is ignored" in checked.stderr
    assert checked.stdout == "The database is up to date.\n"


def test_up_trains_as_many_experiments_at_once_as_it_may_have_workers(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_WORKERS="2", ACTLAB_THREADS="").start()
    ids = [service.client.submit_experiment(LONG)["id"] for _ in range(3)]
    for id in ids[:2]:
        service.until(id, status="running", seconds=120)
    await_true(lambda: [worker["status"] for worker in service.client.workers()] == ["busy", "busy"], seconds=30)
    assert service.client.experiment(ids[2])["status"] == "queued"
    assert service.output("up").count("worker_added") == 1


def test_up_chooses_a_port_for_port_zero(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_PORT="0")
    service.launch("up")
    await_true(lambda: "docs=" in service.output("up"), seconds=90)
    assert "127.0.0.1:0/" not in service.output("up")


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
    "a database that is not there": (
        {"ACTLAB_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, ["serve"], "ACTLAB_DATABASE_URL",
    ),
    "a database without a schema": ({}, ["worker"], "actlab db upgrade"),
    "a database of another kind": ({"ACTLAB_DATABASE_URL": "mysql://x/y"}, ["db", "upgrade"], "ACTLAB_DATABASE_URL"),
    "a folder that cannot be made": ({"ACTLAB_HOME": "/proc/nowhere"}, ["up"], "/proc/nowhere"),
    "a device that is not there": (
        {"ACTLAB_DEVICE": "cuda", "CUDA_VISIBLE_DEVICES": ""}, ["worker"], "ACTLAB_DEVICE=cuda",
    ),
    "a proxy that cannot be used": (
        {"ALL_PROXY": "socks5://127.0.0.1:9", "HOME": "/nowhere"}, ["data", "fetch"], "ALL_PROXY",
    ),
    "an unknown data set": ({}, ["data", "fetch", "cifar"], "cifar"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_command_reports_a_mistake_without_a_traceback(make_service: Callable[..., Service], mistake: str) -> None:
    settings, command, said = MISTAKES[mistake]
    failed = make_service(**settings).run(*command, check=False)
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


def test_serve_refuses_an_exposed_address_without_keys(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_HOST="0.0.0.0")
    service.run("db", "upgrade")  # keys are in the database
    failed = service.run("serve", check=False)
    assert failed.returncode == 1
    assert "--insecure" in failed.stderr
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
    impatient = {"ACTLAB_DOWNLOAD_HOURS": "0.0001"}
    service = make_service(ACTLAB_DATA_DIR=str(tmp_path / "data"), **unreachable, **impatient).start()
    done = service.finished(service.client.submit_experiment(SHORT | {"dataset": "mnist"})["id"])
    assert (done["status"], done["cause"]) == ("failed", "invalid_data")
    assert str(folder) in done["detail"]
    assert "actlab data fetch" in done["detail"] + done["remedy"]
    assert service.client.experiment(done["id"])["spec"]["dataset"] == "mnist"


def test_data_fetch_needs_nothing_for_packaged_data(make_service: Callable[..., Service]) -> None:
    assert "nothing to fetch" in make_service().run("data", "fetch", "mnist_5k").stdout


@pytest.fixture
def default_port_taken() -> Iterator[None]:
    """Another program at the default port, which answers nothing."""
    try:
        listener = socket.create_server(("127.0.0.1", 8000))
    except OSError:
        yield  # something else has it
        return
    with listener:
        yield


@pytest.mark.usefixtures("default_port_taken")
def test_demo_takes_a_free_port_where_the_default_one_is_taken(make_service: Callable[..., Service]) -> None:
    service = make_service()
    del service.environment["ACTLAB_PORT"]
    service.launch("demo", "--epochs", "1", "--dataset", "digits")
    await_true(lambda: "Study" in service.output("demo"), seconds=180)
    said = service.output("demo")
    assert "Port 8000 is taken" in said
    (port,) = set(re.findall(r"127\.0\.0\.1:(\d+)", said))
    assert f"uses port {port}" in said


def test_demo_ends_where_its_port_is_set_and_taken(make_service: Callable[..., Service], taken_port: int) -> None:
    failed = make_service(ACTLAB_PORT=str(taken_port)).run("demo", check=False)
    assert failed.returncode == 1
    assert f"port {taken_port}" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_demo_says_why_no_worker_could_start(make_service: Callable[..., Service]) -> None:
    failed = make_service(ACTLAB_DEVICE="cuda", CUDA_VISIBLE_DEVICES="").run("demo", check=False)
    assert failed.returncode == 1
    assert "ACTLAB_DEVICE=cuda" in failed.stderr


POISON = """
import torch
import worker.attempt
from actlab.cli.main import main

def fail(*_):
    raise torch.AcceleratorError("CUDA error: device-side assert triggered")

worker.attempt.train = fail
main()
"""


def test_worker_ends_after_an_error_of_cuda_and_charges_one_experiment(make_service: Callable[..., Service]) -> None:
    service = make_service()
    service.run("db", "upgrade")
    service.launch("serve")
    service.await_health()
    for seed in range(20):
        service.client.submit_experiment(SHORT | {"seed": seed})
    command = [sys.executable, "-c", POISON, "worker"]
    assert subprocess.run(command, env=service.environment, timeout=120).returncode == 71
    experiments = service.client.experiments(limit=100)
    assert {experiment["status"] for experiment in experiments} == {"queued"}
    assert sorted(experiment["lost_count"] for experiment in experiments) == [0] * 19 + [1]
    assert service.client.workers() == []


def test_demo_prints_its_table_and_leaves_nothing_running(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_THREADS="1")
    service.launch("demo", "--epochs", "1", "--dataset", "digits")
    demo = service.processes["demo"]
    assert demo.wait(600) == 0
    shown = service.output("demo")
    for line in ("epochs 1", "relu", "sigmoid", "tanh", "leaky_relu", "swish", "(reference)", "mean", "±", "/studies/"):
        assert line in shown
    assert not service.client.healthy()
    service.start()  # the results are kept
    (study,) = {experiment["study_id"] for experiment in service.client.experiments(status="succeeded", limit=500)}
    assert service.client.study(study)["progress"]["succeeded"] == 25
