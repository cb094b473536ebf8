"""Databases that restart, are unreachable, drop packets, refuse writes, or whose clock jumps."""

import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from service.storage.engine.database import Database
from service.storage.tables.experiments import Experiment
from service.storage.tables.workers import Worker
from tests.faults.history import figures
from tests.faults.scenario import Scenario
from tests.faults.stage import TIMEOUT_SECONDS, Stage, writes_blocked
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

ON_PRODUCTION = pytest.mark.parametrize("stack", ["production"], indirect=True)
AWAY_SECONDS = 6.0  # longer than the lease of 4 s
HOUR = 3600
WRITERS = 4
ROUNDS = 10

Undisturbed = list[dict[str, Any]]


@ON_PRODUCTION
@pytest.mark.proves(
    "a commit that a restart of the database interrupts is stored once",
    "immediate shutdown of PostgreSQL before the COMMIT of an epoch, and before the final COMMIT",
)
def test_postgresql_restarted_during_a_commit_loses_no_write(stage: Stage, undisturbed: Undisturbed) -> None:
    postgres = stage.installation.postgres
    assert postgres is not None
    stage.plan_faults("epoch.before_commit:pause:1,finish.before_commit:pause")
    id = stage.submit()
    for point in ("epoch.before_commit", "finish.before_commit"):
        stage.await_point(point)
        postgres.stop(signal.SIGQUIT)
        stage.scenario.inject()
        stage.resume_at(point)
        time.sleep(1)
        postgres.start()
    assert stage.finish(id)["status"] == "succeeded"
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@ON_PRODUCTION
@pytest.mark.proves("an outage counts no loss", "PostgreSQL is stopped for longer than a lease")
def test_database_outage_longer_than_a_lease_counts_no_loss(stage: Stage, undisturbed: Undisturbed) -> None:
    postgres = stage.installation.postgres
    assert postgres is not None
    id = stage.submit()
    stage.await_epochs(id)
    postgres.stop(signal.SIGINT)
    stage.scenario.inject()
    time.sleep(AWAY_SECONDS)
    postgres.start()
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "an outage counts no loss",
    "another transaction blocks all writes for longer than a lease, while reads are answered",
)
def test_database_that_refuses_writes_past_a_lease_counts_no_loss(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    with writes_blocked(stage):
        stage.scenario.inject()
        time.sleep(AWAY_SECONDS)
        assert stage.await_fields(id)["status"] == "running"
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@ON_PRODUCTION
@pytest.mark.proves(
    "dropped packets cost seconds",
    "a proxy in front of PostgreSQL accepts every packet and answers none for longer than a lease",
)
def test_connection_that_drops_packets_delays_by_seconds(stage: Stage, undisturbed: Undisturbed) -> None:
    proxy = stage.installation.proxy
    assert proxy is not None
    id = stage.submit()
    stage.await_epochs(id)
    proxy.drop()
    stage.scenario.inject()
    requested = time.monotonic()
    url, fresh = f"http://127.0.0.1:{stage.service.port}/api/v1/experiments/{id}", {"Cache-Control": "no-cache"}
    answer = httpx2.get(url, headers=fresh, timeout=60)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - requested)))
    proxy.restore()
    restored = time.monotonic()
    await_true(lambda: stage.experiment(id), TIMEOUT_SECONDS)
    stage.scenario.record_recovery(time.monotonic() - restored)
    done = stage.finish(id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "an accepted experiment is never lost and ends once, with the same bits",
    "four processes write concurrently, each as fast as it can",
)
def test_database_with_four_writers_loses_and_refuses_nothing(
    database_url: str, database: Database, scenario: Scenario
) -> None:
    """On SQLite a deferred transaction would be refused at once with "database is locked"."""
    command = [sys.executable, "-m", "tests.faults.writer", database_url]
    writers = [subprocess.Popen([*command, f"w{number}", str(ROUNDS)]) for number in range(WRITERS)]
    assert [writer.wait(TIMEOUT_SECONDS) for writer in writers] == [0] * WRITERS
    scenario.inject(WRITERS)
    assert scenario.judge(database).accepted == WRITERS * ROUNDS


def jump(stage: Stage, seconds: float) -> None:
    """Set the database's clock forward, by setting back all times that it stored, which it is compared with."""
    stage.scenario.inject()
    shift = timedelta(seconds=seconds)
    with stage.database.write("jump") as session:
        for experiment in session.scalars(select(Experiment).with_for_update()):
            experiment.lease_until = experiment.lease_until and experiment.lease_until - shift
            experiment.not_before = experiment.not_before and experiment.not_before - shift
        for worker in session.scalars(select(Worker).with_for_update()):
            worker.last_seen -= shift


@pytest.mark.proves(
    "a jump of the clock ends no valid lease and extends no expired one",
    "the database's clock is set an hour forward while a worker trains",
)
def test_clock_set_forward_takes_no_lease_from_a_live_worker(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    jump(stage, HOUR)
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.judge()


@pytest.mark.proves(
    "a jump of the clock ends no valid lease and extends no expired one",
    "the database's clock is set an hour back while a worker is frozen",
)
def test_clock_set_back_leaves_no_experiment_running(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.await_epochs(id)
    with stage.another_worker(), stage.frozen_worker():
        jump(stage, -HOUR)
        done = stage.finish(id)
    assert done["status"] == "succeeded"
    assert done["attempt"] > 1
    assert figures(stage.database, id) == undisturbed
    stage.judge()
