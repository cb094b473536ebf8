"""Workers that die, stop, hang or are frozen at the moments that matter, on both stacks."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.history import figures
from tests.faults.stage import TIMEOUT_SECONDS, Stage
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

# Before and after the commit of every transaction of a worker, and around the rename of a checkpoint's file. The number
# is how often the point is passed first, so that one run meets the points one after the other.
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
    "an accepted experiment is never lost and ends once, with the same bits",
    "SIGKILL before and after each commit of a worker and around the rename of a checkpoint, one after the"
    " other in one run",
)
def test_worker_killed_at_every_commit_loses_no_experiment(
    open_stage: Callable[..., Stage], undisturbed: list[dict[str, Any]]
) -> None:
    stage = open_stage(ACTLAB_MAX_LOSSES="100", ACTLAB_CHECKPOINT_SECONDS="0.2")
    stage.plan_faults(",".join(POINTS))
    id = stage.submit()
    assert stage.finish(id, seconds=3 * TIMEOUT_SECONDS)["status"] == "succeeded"  # 14 workers, one after the other
    assert [point for point in POINTS if not stage.reached(point.partition(":")[0])] == []
    stage.scenario.inject(len(POINTS))
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "a commit whose answer is lost is not repeated",
    "SIGKILL immediately after the commit that ends the experiment",
)
def test_worker_does_not_repeat_a_commit_whose_answer_is_lost(stage: Stage) -> None:
    stage.plan_faults("finish.after_commit:kill")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    stage.await_point("finish.after_commit")
    stage.scenario.inject()
    other = stage.submit(epochs=1)
    assert stage.finish(other)["attempt"] == 1
    assert stage.await_fields(id)["attempt"] == 1
    stage.judge()


@pytest.mark.proves(
    "no experiment stays `running` without a worker",
    "SIGKILL between a worker's claim and its first renewal",
)
def test_reaper_requeues_after_a_death_before_the_first_renewal(stage: Stage) -> None:
    stage.plan_faults("claim.after_commit:kill")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    first, *_ = stage.service.client.attempts(id)
    assert (first["outcome"], first["epochs"], first["log_tail"]) == ("lost", 0, "")
    stage.scenario.inject()
    stage.judge()


@pytest.mark.proves("an experiment that kills its workers fails", "SIGKILL at the first epoch of every attempt")
def test_experiment_that_kills_its_workers_fails_at_the_third_loss(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(ACTLAB_CHECKPOINT_SECONDS="600")  # a checkpoint would be progress, which forgives losses
    stage.plan_faults("epoch.before_commit:kill!")
    id = stage.submit()
    done = stage.finish(id, seconds=2 * TIMEOUT_SECONDS)
    assert (done["status"], done["cause"], done["lost_count"]) == ("failed", "worker_lost", 3)
    assert "log" in done["remedy"]
    stage.plan_faults("")
    assert stage.finish(stage.submit(epochs=1))["status"] == "succeeded"  # other experiments still succeed
    stage.scenario.inject(done["attempt"])
    stage.judge()


@pytest.mark.proves(
    "no experiment stays `running` without a worker",
    "a step hangs, once without and once with the interpreter's lock",
)
def test_watchdog_ends_a_hang_with_or_without_the_interpreter_lock(open_stage: Callable[..., Stage]) -> None:
    stage = open_stage(ACTLAB_STALL_SECONDS="2")
    stage.plan_faults("epoch.before_commit:hang:1,epoch.after_commit:seize:1")
    id = stage.submit()
    assert stage.finish(id)["status"] == "succeeded"
    lost = [attempt for attempt in stage.service.client.attempts(id) if attempt["outcome"] == "lost"]
    assert ["Timeout" in attempt["log_tail"] for attempt in lost] == [True, True]
    stage.scenario.inject(2)
    stage.judge()


@pytest.mark.proves(
    "a stale worker writes nothing",
    "SIGSTOP for longer than the lease; another worker finishes; SIGCONT",
)
def test_worker_frozen_past_its_lease_writes_nothing_more(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    with stage.another_worker(), stage.frozen_worker() as frozen:
        done = stage.finish(id)
        assert done["status"] == "succeeded"
        assert done["attempt"] > 1
        frozen.resume()
        log = stage.service.home / "logs" / id / "1.log"
        await_true(lambda: "stopped: FenceLost" in log.read_text(), TIMEOUT_SECONDS)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves("a worker that is stopped releases its experiment", "SIGTERM during an epoch")
def test_worker_on_sigterm_releases_its_experiment_to_another(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    leaving = stage.service.process("worker")
    signalled = time.monotonic()
    leaving.terminate()
    stage.scenario.inject()
    stage.await_fields(id, status="queued")
    assert time.monotonic() - signalled < 20  # an idle machine takes under 5
    done = stage.finish(id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    first, *_ = stage.service.client.attempts(id)
    assert first["outcome"] == "released"
    assert "resumes after epoch" in (stage.service.home / "logs" / id / "2.log").read_text()
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves("an outage counts no loss", "all processes are killed and stay down for longer than a lease")
def test_installation_outage_counts_no_loss(stage: Stage, undisturbed: list[dict[str, Any]]) -> None:
    id = stage.submit()
    stage.await_epochs(id)
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
    stage.judge()
