"""Workers that die, stop, hang or are frozen at the worst of moments, on both stacks."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from service.storage.database import Database
from tests.faults.conftest import SPEC
from tests.faults.history import figures, judge
from tests.stack.services import SHORT, Json, Service
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

Start = Callable[..., tuple[Service, Database]]

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


def finish(service: Service, id: str, seconds: float = 150) -> Json:
    """The experiment at its end, with processes started again that died on the way."""

    def look() -> Json | None:
        service.revive()
        found = service.client.experiment(id)
        return found if found["finished_at"] else None

    return await_true(look, seconds, every=0.2)


def test_a_worker_killed_at_every_point_loses_nothing(open_service: Start, undisturbed: list[dict[str, Any]]) -> None:
    service, database = open_service(
        ACTLAB_FAULT=",".join(POINTS), ACTLAB_MAX_LOSSES="100", ACTLAB_CHECKPOINT_SECONDS="0.2"
    )
    id = service.client.submit_experiment(SPEC)["id"]
    done = finish(service, id)
    assert done["status"] == "succeeded"
    reached = {mark.stem for mark in (service.home / "faults").iterdir()}
    assert reached == {point.partition(":")[0] for point in POINTS}
    assert figures(database, id) == undisturbed
    assert judge(database).clean


def test_a_commit_whose_answer_is_lost_is_not_made_twice(open_service: Start) -> None:
    """Killed after the commit that ends it: done, and nobody does it again."""
    service, database = open_service(ACTLAB_FAULT="finish.after_commit:kill")
    id = service.client.submit_experiment(SHORT)["id"]
    assert finish(service, id)["status"] == "succeeded"
    await_true(lambda: (service.home / "faults" / "finish.after_commit.reached").exists())
    service.revive()
    other = service.client.submit_experiment(SHORT | {"seed": 1})["id"]
    assert finish(service, other)["attempt"] == 1
    assert service.client.experiment(id)["attempt"] == 1
    assert judge(database).clean


def test_a_job_that_always_kills_its_worker_fails_at_the_third_loss(open_service: Start) -> None:
    service, database = open_service(ACTLAB_FAULT="epoch.before_commit:kill!", ACTLAB_CHECKPOINT_SECONDS="600")
    id = service.client.submit_experiment(SHORT)["id"]
    done = finish(service, id)
    assert (done["status"], done["cause"], done["lost_count"]) == ("failed", "worker_lost", 3)
    assert "log" in done["remedy"]
    assert judge(database).clean


@pytest.mark.parametrize("hang", ["hang", "seize"])
def test_a_hang_is_ended_with_or_without_the_interpreters_lock(open_service: Start, hang: str) -> None:
    service, database = open_service(ACTLAB_FAULT=f"epoch.before_commit:{hang}:1", ACTLAB_STALL_SECONDS="2")
    id = service.client.submit_experiment(SPEC)["id"]
    assert finish(service, id)["status"] == "succeeded"
    (lost,) = [attempt for attempt in service.client.attempts(id) if attempt["outcome"] == "lost"]
    assert "Timeout" in lost["log_tail"]
    assert judge(database).clean


def test_a_frozen_worker_wakes_up_to_a_lost_lease(open_service: Start, undisturbed: list[dict[str, Any]]) -> None:
    """SIGSTOP past the lease, another worker finishes, SIGCONT: the first writes nothing more."""
    service, database = open_service()
    id = service.client.submit_experiment(SPEC)["id"]
    await_true(lambda: service.client.experiment(id)["epochs_done"] >= 1)
    frozen = service.process("worker")
    os.kill(frozen.pid, signal.SIGSTOP)
    service.launch("worker", name="another")
    done = await_true(lambda: e if (e := service.client.experiment(id))["finished_at"] else None, 90, every=0.2)
    assert (done["status"], done["attempt"]) == ("succeeded", 2)
    os.kill(frozen.pid, signal.SIGCONT)
    log = service.home / "logs" / id / "1.log"
    await_true(lambda: "stopped: FenceLost" in log.read_text(), 30)
    assert figures(database, id) == undisturbed
    assert judge(database).clean


def test_the_whole_installation_away_is_nobodys_fault(make_service: Callable[..., Service]) -> None:
    service = make_service().start()
    id = service.client.submit_experiment(SPEC)["id"]
    await_true(lambda: service.client.experiment(id)["epochs_done"] >= 1)
    killed = [service.process("worker"), service.process("serve")]
    for process in service.processes.values():
        process.kill()
    for child in killed:
        child.kill()
    service.stop()
    time.sleep(5)  # longer than the lease of 4 s
    service.start()
    done = finish(service, id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    database = Database(service.database_url)
    assert judge(database).clean
    database.close()
