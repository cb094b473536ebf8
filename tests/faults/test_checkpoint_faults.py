"""Checkpoints of an older attempt, of a stale attempt, damaged or missing."""

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.history import figures
from tests.faults.stage import TIMEOUT_SECONDS, Stage
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

Undisturbed = list[dict[str, Any]]


def checkpoints(stage: Stage, id: str) -> list[Path]:
    return sorted((stage.service.home / "checkpoints" / id).glob("*.pt"))


def log(stage: Stage, id: str, attempt: int) -> str:
    return (stage.service.home / "logs" / id / f"{attempt}.log").read_text()


@pytest.mark.proves(
    "a resumed run gives the same bits as an uninterrupted one",
    "SIGKILL after a checkpoint, and again before the next: the third attempt resumes from the first one's",
)
def test_checkpoint_of_an_older_attempt_is_resumed(stage: Stage, undisturbed: Undisturbed) -> None:
    stage.plan_faults("checkpoint.after_commit:kill")
    id = stage.submit()
    stage.await_point("checkpoint.after_commit")
    stage.plan_faults("checkpoint.before_rename:kill")
    assert stage.finish(id)["status"] == "succeeded"
    resumed = [log(stage, id, attempt).partition("resumes after ")[2].partition("\n")[0] for attempt in (1, 2, 3)]
    assert resumed[0] == ""
    assert resumed[1] == resumed[2] != ""
    stage.scenario.inject(2)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "a stale worker writes nothing",
    "SIGSTOP between a checkpoint's file and its commit; another worker finishes; SIGCONT",
)
def test_checkpoint_of_a_stale_attempt_is_not_recorded(stage: Stage, undisturbed: Undisturbed) -> None:
    stage.plan_faults("checkpoint.before_rename:stop")
    id = stage.submit()
    frozen = stage.service.process("worker")
    await_true(lambda: frozen.status() == psutil.STATUS_STOPPED, TIMEOUT_SECONDS)
    stage.scenario.inject()
    with stage.another_worker():
        assert stage.finish(id)["status"] == "succeeded"
        os.kill(frozen.pid, signal.SIGCONT)
        await_true(lambda: "stopped: FenceLost" in log(stage, id, 1), TIMEOUT_SECONDS)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "an unreadable checkpoint costs time, but no result",
    "the file is damaged in one place between two attempts, and removed in another run",
)
@pytest.mark.parametrize("damage", ["corrupt", "missing"])
def test_checkpoint_that_is_damaged_restarts_the_run(stage: Stage, undisturbed: Undisturbed, damage: str) -> None:
    stage.plan_faults("checkpoint.after_commit:pause")
    id = stage.submit()
    stage.await_point("checkpoint.after_commit")
    (file,) = checkpoints(stage, id)
    if damage == "missing":
        file.unlink()
    else:
        content = file.read_bytes()
        file.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    stage.scenario.inject()
    stage.kill("worker")
    assert stage.finish(id)["status"] == "succeeded"
    assert "starts over" in log(stage, id, 2)
    assert figures(stage.database, id) == undisturbed
    stage.judge()
