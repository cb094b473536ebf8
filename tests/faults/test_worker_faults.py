"""Workers that die, stop, hang or are frozen at the worst of moments, on both stacks."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.history import figures
from tests.faults.stage import PATIENCE, Stage
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

# Every transaction of a worker, before and after its commit, and the moments around a checkpoint's file. The number is
# how many go by first, so that one run meets them one after the other.
POINTS = [
    "claim.before_commit:kill",
    "claim.after_commit:kill",
    "execution.before_commit:kill",
    "execution.after_commit:kill",
    "renew.before_commit:kill:2",
    "renew.after_commit:kill:2",
    "epoch.before_commit:kill",
    "epoch.after_commit:kill",
    "checkpoint.before_rename:kill",
    "checkpoint.after_rename:kill",
    "checkpoint.before_commit:kill",
    "checkpoint.after_commit:kill",
    "finish.before_commit:kill",
]


@pytest.mark.proves(
    "an accepted experiment is never lost and ends once, in the same bits",
    "SIGKILL before and after the commit of each of a worker's transactions and around a checkpoint's rename, one after"
    " the other in one run",
)
def test_a_worker_killed_at_every_point_loses_nothing(
    open_stage: Callable[..., Stage], undisturbed: list[dict[str, Any]]
) -> None:
    stage = open_stage(ACTLAB_MAX_LOSSES="100", ACTLAB_CHECKPOINT_SECONDS="0.2")
    stage.follow(",".join(POINTS))
    id = stage.submit()
    assert stage.finish(id, seconds=3 * PATIENCE)["status"] == "succeeded"  # of 14 workers, one after the other
    assert [point for point in POINTS if not stage.reached(point.partition(":")[0])] == []
    stage.scenario.inject(len(POINTS))
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves("a commit whose answer is lost is not made twice", "SIGKILL right after the commit that ends it")
def test_a_commit_whose_answer_is_lost_is_not_made_twice(stage: Stage) -> None:
    stage.follow("finish.after_commit:kill")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    stage.await_point("finish.after_commit")
    stage.scenario.inject()
    other = stage.submit(epochs=1)
    assert stage.finish(other)["attempt"] == 1
    assert stage.until(id)["attempt"] == 1
    stage.proved()


@pytest.mark.proves("nothing stays running", "SIGKILL between a worker's claim and its first renewal")
def test_a_worker_that_dies_before_its_first_renewal_is_missed(stage: Stage) -> None:
    stage.follow("claim.after_commit:kill")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    first, *_ = stage.service.client.attempts(id)
    assert (first["outcome"], first["epochs"], first["log_tail"]) == ("lost", 0, "")
    stage.scenario.inject()
    stage.proved()


@pytest.mark.proves("a job that kills its workers ends", "SIGKILL at the first epoch of every attempt")
def test_a_job_that_always_kills_its_worker_fails_at_the_third_loss(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(ACTLAB_CHECKPOINT_SECONDS="600")  # a checkpoint would be progress, which forgives losses
    stage.follow("epoch.before_commit:kill!")
    id = stage.submit()
    done = stage.finish(id, seconds=2 * PATIENCE)
    assert (done["status"], done["cause"], done["lost_count"]) == ("failed", "worker_lost", 3)
    assert "log" in done["remedy"]
    stage.follow("")
    assert stage.finish(stage.submit(epochs=1))["status"] == "succeeded"  # others are none the worse for it
    stage.scenario.inject(done["attempt"])
    stage.proved()


@pytest.mark.proves("nothing stays running", "a step that hangs, once without and once with the interpreter's lock")
def test_a_hang_is_ended_with_or_without_the_interpreters_lock(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(ACTLAB_STALL_SECONDS="2")
    stage.follow("epoch.before_commit:hang:1,epoch.after_commit:seize:1")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    lost = [attempt for attempt in stage.service.client.attempts(id) if attempt["outcome"] == "lost"]
    assert ["Timeout" in attempt["log_tail"] for attempt in lost] == [True, True]
    stage.scenario.inject(2)
    stage.proved()


@pytest.mark.proves("a stale worker writes nothing", "SIGSTOP past the lease; another worker finishes; SIGCONT")
def test_a_frozen_worker_wakes_up_to_a_lost_lease(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.trained(id)
    with stage.another_worker(), stage.frozen_worker() as frozen:
        done = stage.finish(id)
        assert done["status"] == "succeeded"
        assert done["attempt"] > 1
        frozen.resume()
        log = stage.service.home / "logs" / id / "1.log"
        await_true(lambda: "stopped: FenceLost" in log.read_text(), PATIENCE)
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves("a worker that is told to stop hands its work on", "SIGTERM in the middle of an epoch")
def test_a_worker_told_to_stop_releases_and_another_goes_on(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.trained(id)
    leaving = stage.service.process("worker")
    asked = time.monotonic()
    leaving.terminate()
    stage.scenario.inject()
    stage.until(id, status="queued")
    assert time.monotonic() - asked < 20  # promised: 5, on a machine that is its own
    done = stage.finish(id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    first, *_ = stage.service.client.attempts(id)
    assert first["outcome"] == "released"
    assert "resumes after epoch" in (stage.service.home / "logs" / id / "2.log").read_text()
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves("an outage is nobody's fault", "everything killed, and away for longer than a lease")
def test_the_whole_installation_away_is_nobodys_fault(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.trained(id)
    pids = [stage.service.process(name).pid for name in ("worker", "serve")]
    for pid in [*(process.pid for process in stage.service.processes.values()), *pids]:
        os.kill(pid, signal.SIGKILL)
    stage.scenario.inject()
    stage.service.stop()
    time.sleep(5)  # longer than the lease of 4 s
    stage.service.start()
    done = stage.finish(id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    assert figures(stage.database, id) == undisturbed
    stage.proved()
