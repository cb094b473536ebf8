"""Wakes that are lost, repeated, late or garbage. The queue is in SQL, so a broker can only delay work."""

import os
import shutil
import signal
import statistics
import time
from contextlib import closing

import pytest

from service.background.wakes import TASK, create_celery
from service.settings import Settings
from tests.faults.stage import TIMEOUT_SECONDS, Stage
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]

ON_EMBEDDED = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
ON_PRODUCTION = pytest.mark.parametrize("stack", ["production"], indirect=True)

PROMISED_SECONDS = 5.0


def wake(stage: Stage, times: int) -> None:
    """Publish wakes as an API does."""
    broker = None if stage.installation.redis is None else stage.installation.redis.url
    with closing(create_celery(Settings(home=stage.service.home, broker_url=broker))) as app:
        for _ in range(times):
            app.send_task(TASK, ignore_result=True, retry=False)
    stage.scenario.inject(times)


@pytest.mark.proves(
    "a wake affects nothing but latency",
    "ten wakes at once for one experiment and two workers, and ten more after it has ended",
)
def test_wakes_repeated_ten_times_run_an_experiment_once(stage: Stage) -> None:
    with stage.another_worker():
        await_true(lambda: len(stage.live_workers()) >= 2, TIMEOUT_SECONDS)
        id = stage.submit()
        wake(stage, 10)
        done = stage.finish(id)
        wake(stage, 10)
        other = stage.submit(seed=1)
        assert stage.finish(other)["status"] == "succeeded"
    assert (done["status"], stage.await_fields(id)["attempt"], stage.await_fields(other)["attempt"]) == (
        "succeeded",
        1,
        1,
    )
    stage.judge()


@ON_EMBEDDED
@pytest.mark.proves(
    "a wake affects nothing but latency",
    "the spool is deleted, and filled with files that are no messages, twice each",
)
def test_spool_deleted_or_full_of_garbage_delays_by_seconds(stage: Stage) -> None:
    taken = []
    for damage in range(4):
        spool = stage.service.home / "spool"
        shutil.rmtree(spool, ignore_errors=True)
        if damage % 2:
            spool.mkdir(exist_ok=True)
            for number in range(50):
                (spool / f"{number}.actlab.msg").write_bytes(b"\xff{")
        stage.scenario.inject()
        started = time.monotonic()
        id = stage.submit(seed=damage, epochs=2)
        stage.await_fields(id, attempt=1)
        taken.append(time.monotonic() - started)
        stage.finish(id)
    stage.scenario.record_recovery(max(taken))
    assert statistics.median(taken) < PROMISED_SECONDS
    stage.judge()


@ON_PRODUCTION
@pytest.mark.proves(
    "a Redis that hangs slows no request",
    "SIGSTOP of Redis, then seven submits with a median answer time under 200 ms",
)
def test_redis_that_hangs_slows_no_submit(stage: Stage) -> None:
    redis = stage.installation.redis
    assert redis is not None
    assert redis.process is not None
    ids = [stage.submit(epochs=1)]
    os.kill(redis.process.pid, signal.SIGSTOP)
    stage.scenario.inject()
    try:
        taken = []
        for seed in range(1, 8):
            started = time.monotonic()
            ids.append(stage.submit(seed=seed, epochs=1))
            taken.append(time.monotonic() - started)
        assert statistics.median(taken) < 0.2
    finally:
        os.kill(redis.process.pid, signal.SIGCONT)
    resumed = time.monotonic()
    for id in ids:
        assert stage.finish(id)["status"] == "succeeded"
    stage.scenario.record_recovery(time.monotonic() - resumed)
    stage.judge()


@ON_PRODUCTION
@pytest.mark.proves(
    "a wake affects nothing but latency",
    "Redis is killed and restarted empty ten times, idle and busy in turn",
)
def test_redis_restarted_empty_ten_times_delays_by_seconds(stage: Stage) -> None:
    redis = stage.installation.redis
    assert redis is not None
    taken = []
    for round in range(10):
        redis.stop(signal.SIGKILL)
        stage.scenario.inject()
        if round % 2:  # busy: submitted while Redis is away
            id = stage.submit(seed=round, epochs=1)
        redis.start()
        started = time.monotonic()
        if not round % 2:  # idle: submitted after it came back empty
            id = stage.submit(seed=round, epochs=1)
        stage.await_fields(id, attempt=1)
        taken.append(time.monotonic() - started)
        assert stage.finish(id)["status"] == "succeeded"
    stage.scenario.record_recovery(max(taken))
    assert statistics.median(taken) < PROMISED_SECONDS
    stage.judge()
