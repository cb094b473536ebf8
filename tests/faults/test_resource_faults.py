"""Disks that are full, and memory that runs out."""

import resource
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import psutil
import pytest

from tests.faults.history import figures
from tests.faults.stage import SPEC, Stage

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

FULL_SECONDS = 6.0  # longer than the lease of 4 s
MEBIBYTE = 2**20


@pytest.fixture
def limits() -> Iterator["Limits"]:
    opened = Limits()
    yield opened
    opened.lift()


class Limits:
    """Sets limits of running processes on file size or memory, in bytes, and lifts them again."""

    def __init__(self) -> None:
        self._limited: list[tuple[psutil.Process, int]] = []

    def set(self, process: psutil.Process, which: int, size: int) -> None:
        process.rlimit(which, (size, resource.RLIM_INFINITY))
        self._limited.append((process, which))

    def lift(self) -> None:
        for process, which in self._limited:
            if process.is_running():
                process.rlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self._limited.clear()


@pytest.mark.proves(
    "a full disk costs checkpoints and weights, but no result",
    "the worker's files are limited to 6 MiB, and its checkpoints and weights need more",
)
def test_disk_too_full_for_checkpoints_costs_no_result(stage: Stage, limits: Limits) -> None:
    large: dict[str, Any] = {"model": {"conv_channels": [4, 4], "dense_units": 4096}, "epochs": 2}
    stage.finish(stage.submit(epochs=1))  # the worker has started
    limits.set(stage.service.process("worker"), psutil.RLIMIT_FSIZE, 6 * MEBIBYTE)
    stage.scenario.inject()
    id = stage.submit(**large)
    done = stage.finish(id)
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    assert "no weights" in stage.service.client.attempts(id)[0]["log_tail"]
    assert stage.service.client.result(id)["last"]["epoch"] == 2
    stage.judge()


@pytest.mark.proves(
    "a full disk delays experiments and loses none",
    "no process can extend a file for longer than a lease",
)
def test_disk_full_for_longer_than_a_lease_delays_the_run(
    stage: Stage, limits: Limits, undisturbed: list[dict[str, Any]]
) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    for name in ("worker", "serve"):
        limits.set(stage.service.process(name), psutil.RLIMIT_FSIZE, 0)
    stage.scenario.inject()
    if stage.embedded:  # on production the database has a disk of its own
        answer = httpx2.post(f"http://127.0.0.1:{stage.service.port}/api/v1/experiments", json=SPEC, timeout=40)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
    time.sleep(FULL_SECONDS)
    limits.lift()
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "an experiment that needs too much memory fails with the cause `out_of_memory`",
    "the worker's memory is limited to 400 MiB more, and the experiment needs 6 GB",
)
def test_worker_out_of_memory_reports_it_and_continues(stage: Stage, limits: Limits) -> None:
    stage.finish(stage.submit(epochs=1))  # the worker has started
    worker = stage.service.process("worker")
    limits.set(worker, psutil.RLIMIT_AS, worker.memory_info().vms + 400 * MEBIBYTE)
    stage.scenario.inject()
    id = stage.submit(model={"conv_channels": [512, 512], "dense_units": 8}, train_samples=None, batch_size=4096)
    done = stage.finish(id)
    assert (done["status"], done["cause"], done["attempt"]) == ("failed", "out_of_memory", 1)
    assert "batch_size" in done["remedy"]
    assert stage.finish(stage.submit(seed=1, epochs=1))["status"] == "succeeded"
    assert stage.service.process("worker").pid == worker.pid
    stage.judge()
