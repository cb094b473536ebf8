"""Databases that restart, stay away, swallow what they are told, or whose clock jumps."""

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
from tests.faults.stage import PATIENCE, Stage, nobody_writes
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
    "a commit that the database did not survive is made again, or was made",
    "immediate shutdown of PostgreSQL while a worker stands before the COMMIT of an epoch, and of the end",
)
def test_postgresql_restarted_inside_a_commit_loses_nothing(stage: Stage, undisturbed: Undisturbed) -> None:
    """As by a power cut."""
    postgres = stage.installation.postgres
    assert postgres is not None
    stage.follow("epoch.before_commit:pause:1,finish.before_commit:pause")
    id = stage.submit()
    for point in ("epoch.before_commit", "finish.before_commit"):
        stage.await_point(point)
        postgres.stop(signal.SIGQUIT)
        stage.scenario.inject()
        stage.go(point)
        time.sleep(1)
        postgres.start()
    assert stage.finish(id)["status"] == "succeeded"
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@ON_PRODUCTION
@pytest.mark.proves("an outage is nobody's fault", "PostgreSQL alone stopped for longer than a lease")
def test_the_database_away_for_longer_than_a_lease_is_nobodys_fault(stage: Stage, undisturbed: Undisturbed) -> None:
    postgres = stage.installation.postgres
    assert postgres is not None
    id = stage.submit()
    stage.trained(id)
    postgres.stop(signal.SIGINT)
    stage.scenario.inject()
    time.sleep(AWAY_SECONDS)
    postgres.start()
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves(
    "an outage is nobody's fault",
    "a transaction of somebody else keeps everybody from writing for longer than a lease, while reads are answered",
)
def test_a_database_that_takes_no_writes_is_nobodys_fault(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.trained(id)
    with nobody_writes(stage):
        stage.scenario.inject()
        time.sleep(AWAY_SECONDS)
        assert stage.until(id)["status"] == "running"
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@ON_PRODUCTION
@pytest.mark.proves(
    "a packet that is swallowed costs seconds",
    "a proxy before PostgreSQL takes everything and answers nothing for longer than a lease",
)
def test_a_connection_that_swallows_packets_costs_seconds(stage: Stage, undisturbed: Undisturbed) -> None:
    proxy = stage.installation.proxy
    assert proxy is not None
    id = stage.submit()
    stage.trained(id)
    proxy.swallow()
    stage.scenario.inject()
    asked = time.monotonic()
    answer = httpx2.get(f"http://127.0.0.1:{stage.service.port}/api/v1/experiments/{id}", timeout=60)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - asked)))
    proxy.restore()
    restored = time.monotonic()
    await_true(lambda: stage.look(id), PATIENCE)
    stage.scenario.back(time.monotonic() - restored)
    done = stage.finish(id)
    assert (done["status"], done["lost_count"]) == ("succeeded", 0)
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves(
    "an accepted experiment is never lost and ends once, in the same bits",
    "four processes that write at once, each as fast as it can",
)
def test_four_writers_lose_nothing_and_meet_no_lock(database_url: str, database: Database, scenario: Scenario) -> None:
    """On SQLite a transaction that began deferred would be refused at once: database is locked."""
    command = [sys.executable, "-m", "tests.faults.writer", database_url]
    writers = [subprocess.Popen([*command, f"w{number}", str(ROUNDS)]) for number in range(WRITERS)]
    assert [writer.wait(PATIENCE) for writer in writers] == [0] * WRITERS
    scenario.inject(WRITERS)
    assert scenario.proved(database).accepted == WRITERS * ROUNDS


def jump(stage: Stage, seconds: float) -> None:
    """Set the database's clock forward. It is only ever compared with what was stored by it, so that this is the same
    as setting all that back."""
    stage.scenario.inject()
    shift = timedelta(seconds=seconds)
    with stage.database.write("jump") as session:
        for experiment in session.scalars(select(Experiment).with_for_update()):
            experiment.lease_until = experiment.lease_until and experiment.lease_until - shift
            experiment.not_before = experiment.not_before and experiment.not_before - shift
        for worker in session.scalars(select(Worker).with_for_update()):
            worker.last_seen -= shift


@pytest.mark.proves("the clock decides nothing alone", "the database's clock set an hour forward while a worker trains")
def test_a_clock_that_jumps_forward_takes_nothing_from_a_living_worker(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.trained(id)
    jump(stage, HOUR)
    done = stage.finish(id)
    assert (done["status"], done["attempt"], done["lost_count"]) == ("succeeded", 1, 0)
    assert figures(stage.database, id) == undisturbed
    stage.proved()


@pytest.mark.proves("the clock decides nothing alone", "the database's clock set an hour back while a worker is frozen")
def test_a_clock_that_jumps_back_leaves_nothing_running(stage: Stage, undisturbed: Undisturbed) -> None:
    id = stage.submit()
    stage.trained(id)
    with stage.another_worker(), stage.frozen_worker():
        jump(stage, -HOUR)
        done = stage.finish(id)
    assert done["status"] == "succeeded"
    assert done["attempt"] > 1
    assert figures(stage.database, id) == undisturbed
    stage.proved()
