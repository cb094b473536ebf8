"""Several API processes on one port: they share it and its limits, are replaced when they end, and end together."""

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from service.storage.engine.database import Database
from service.storage.records import keys
from tests.api.holders import bearer, make_key
from tests.stack.services import Service
from tests.waiting import await_true

NUMBER = 3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def started(home: Path) -> Service:
    """Return a service whose API has several processes, and no worker."""
    service = Service(home, ACTLAB_API_PROCESSES=str(NUMBER), ACTLAB_MAX_LISTENERS="2")
    service.run("db", "upgrade")
    service.launch("serve")
    service.await_health()
    await_true(lambda: len(processes(service)) == NUMBER)
    return service


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yield a service for tests that leave its processes as they are."""
    service = started(tmp_path_factory.mktemp("shared") / "home")
    yield service
    service.close()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Service]:
    """Yield a service for a test that ends its processes."""
    service = started(tmp_path / "home")
    yield service
    service.close()


def processes(service: Service) -> list[psutil.Process]:
    return psutil.Process(service.processes["serve"].pid).children()


def statuses(service: Service, key: str | None) -> set[int]:
    """Return the statuses of requests with a key, each on a connection of its own, so that all processes answer."""
    headers = {} if key is None else bearer(key)
    url = f"http://127.0.0.1:{service.port}/api/v1/me"
    return {httpx2.get(url, headers=headers, timeout=10).status_code for _ in range(40)}


@pytest.mark.defends("theft")
def test_keys_and_revocations_hold_in_every_process_within_a_second(api: Service) -> None:
    database = Database(api.database_url)
    key = make_key(database)
    time.sleep(1)
    assert statuses(api, key.text) == {200}
    assert statuses(api, None) == {401}
    database.run("revoke", lambda session: keys.revoke(session, key.id))
    time.sleep(1)
    assert statuses(api, key.text) == {401}
    database.close()


def test_processes_are_replaced_when_they_end_and_end_with_their_parent(api: Service) -> None:
    before = processes(api)
    before[0].kill()
    await_true(lambda: before[0].pid not in {process.pid for process in processes(api)})
    await_true(lambda: len(processes(api)) == NUMBER, seconds=30)
    after = processes(api)
    assert {process.pid for process in before[1:]} < {process.pid for process in after}
    parent = api.processes["serve"]
    api.stop("serve", signal.SIGTERM)
    assert parent.returncode == 0
    assert not any(process.is_running() for process in after)


def test_processes_end_when_their_parent_is_killed(api: Service) -> None:
    children = processes(api)
    api.stop("serve", signal.SIGKILL)
    await_true(lambda: not any(child.is_running() for child in children), seconds=15)


def test_limit_of_listeners_is_that_of_all_processes(shared: Service) -> None:
    url = f"http://127.0.0.1:{shared.port}/api/v1/events"
    with (
        httpx2.Client(timeout=10) as client,
        client.stream("GET", url) as one,
        client.stream("GET", url) as two,
    ):
        assert (one.status_code, two.status_code) == (200, 200)
        assert {httpx2.get(url, timeout=10).status_code for _ in range(6)} == {503}


def test_processes_make_different_ids(shared: Service) -> None:
    def submit() -> str:
        answer = httpx2.post(
            f"http://127.0.0.1:{shared.port}/api/v1/experiments", json={"activation": "relu"}, timeout=10
        )
        return str(answer.json()["id"])

    assert len({submit() for _ in range(30)}) == 30


def test_answers_are_not_delayed(shared: Service) -> None:
    """Without TCP_NODELAY on the shared socket each would wait 40 ms for an acknowledgement."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{shared.port}") as client:

        def seconds() -> float:
            begun = time.perf_counter()
            assert client.get("/api/v1/queue").status_code == 200
            return time.perf_counter() - begun

        assert statistics.median(seconds() for _ in range(21)) < 0.03


def test_port_that_is_taken_is_said_once(shared: Service) -> None:
    failed = shared.run("serve", check=False)
    assert failed.returncode == 1
    assert failed.stderr.count(f"port {shared.port}") == 1
    assert "Traceback" not in failed.stderr


IMPATIENT = """
from service.api import processes
from actlab.cli.main import main

processes.HANG_SECONDS = 2.0
main()
"""


def test_process_that_hangs_is_replaced(tmp_path: Path) -> None:
    """Connections that wait for it meanwhile are answered by the next one."""
    service = Service(tmp_path / "home", ACTLAB_API_PROCESSES="2")
    service.run("db", "upgrade")
    command = [sys.executable, "-c", IMPATIENT, "serve"]
    parent = subprocess.Popen(command, env=service.environment)
    try:
        service.await_health()
        await_true(lambda: len(psutil.Process(parent.pid).children()) == 2)
        time.sleep(1)  # until both beat
        hanging = psutil.Process(parent.pid).children()[0]
        hanging.suspend()
        for _ in range(10):  # each on a connection of its own
            assert httpx2.get(f"http://127.0.0.1:{service.port}/healthz", timeout=20).status_code == 200
        await_true(lambda: not hanging.is_running(), seconds=20)
    finally:
        parent.terminate()
        parent.wait(30)
    service.client.close()


DEFECT = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from service.api import processes
from service.settings import Settings

@asynccontextmanager
async def lifespan(app):
    raise RuntimeError("a defect")
    yield

raise SystemExit(processes.run(FastAPI(lifespan=lifespan), Settings()))
"""


def test_defect_at_the_start_is_said_once(tmp_path: Path) -> None:
    service = Service(tmp_path / "home", ACTLAB_API_PROCESSES="3")
    command = [sys.executable, "-c", DEFECT]
    failed = subprocess.run(command, env=service.environment, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 1
    assert failed.stderr.count("RuntimeError: a defect") == 1
