"""APIs that die around a commit, brokers and databases that go away: nothing accepted is lost or doubled."""

import os
import shutil
import signal
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from actlab.client import ApiError
from service.storage.database import Database
from tests.faults.conftest import SPEC
from tests.faults.history import figures, judge
from tests.faults.test_worker_faults import finish
from tests.servers import PostgresServer, RedisServer
from tests.stack.services import SHORT, Json, Service
from tests.waiting import await_true

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

Start = Callable[..., tuple[Service, Database]]
ON_PRODUCTION = pytest.mark.parametrize("make_service", ["production"], indirect=True)
ON_EMBEDDED = pytest.mark.parametrize("make_service", ["embedded"], indirect=True)


def submit(service: Service, key: str) -> Json:
    """As a careful client does: the same request with the same key until it is answered."""

    def once() -> Json | None:
        service.revive()
        try:
            return service.client.submit_experiment(SHORT, idempotency_key=key)
        except httpx2.TransportError:
            return None

    return await_true(once, 60, every=0.2)


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "before_answer"])
def test_an_api_killed_around_a_submit_makes_one_experiment(open_service: Start, point: str) -> None:
    service, database = open_service(ACTLAB_FAULT=f"submit_experiment.{point}:kill")
    if service.embedded:
        await_true(lambda: "docs=" in service.output("up"))  # before that, an API that dies ends the start
    accepted = submit(service, "k")
    assert (service.home / "faults" / f"submit_experiment.{point}.reached").exists()
    assert finish(service, accepted["id"])["status"] == "succeeded"
    verdict = judge(database)
    assert verdict.accepted == 1
    assert verdict.clean


@ON_EMBEDDED
def test_a_spool_that_is_deleted_or_full_of_garbage_costs_seconds(open_service: Start) -> None:
    service, database = open_service()
    await_true(service.client.workers, seconds=30)
    for damage in range(4):
        spool = service.home / "spool"
        shutil.rmtree(spool, ignore_errors=True)
        if damage % 2:
            spool.mkdir(exist_ok=True)
            for number in range(50):
                (spool / f"{number}.actlab.msg").write_bytes(b"\xff{")
        id = service.client.submit_experiment(SHORT | {"seed": damage, "epochs": 1})["id"]
        started = time.monotonic()
        service.until(id, status="running", seconds=5)
        assert time.monotonic() - started < 5
        finish(service, id)
    assert judge(database).clean


@ON_PRODUCTION
def test_a_hung_redis_slows_no_submit(open_service: Start, redis_server: RedisServer) -> None:
    service, database = open_service()
    service.client.submit_experiment(SHORT)
    assert redis_server.process is not None
    os.kill(redis_server.process.pid, signal.SIGSTOP)
    try:
        taken = []
        for seed in range(1, 8):
            started = time.monotonic()
            service.client.submit_experiment(SHORT | {"seed": seed, "epochs": 1})
            taken.append(time.monotonic() - started)
        assert statistics.median(taken) < 0.2
    finally:
        os.kill(redis_server.process.pid, signal.SIGCONT)
    for experiment in service.client.experiments():
        assert finish(service, experiment["id"])["status"] == "succeeded"
    assert judge(database).clean


@ON_PRODUCTION
def test_redis_lost_and_empty_ten_times_delays_by_seconds(open_service: Start, redis_server: RedisServer) -> None:
    service, database = open_service()
    await_true(service.client.workers, seconds=30)
    for round in range(10):
        redis_server.stop(signal.SIGKILL)
        if round % 2:  # busy: submitted while Redis is away
            id = service.client.submit_experiment(SHORT | {"seed": round, "epochs": 1})["id"]
        redis_server.start()
        if not round % 2:  # idle: submitted after it came back empty
            id = service.client.submit_experiment(SHORT | {"seed": round, "epochs": 1})["id"]
        service.until(id, status="succeeded", seconds=15)
    assert judge(database).clean


@pytest.fixture
def own_postgres() -> Any:
    server = PostgresServer().start()
    yield server
    server.remove()


@ON_PRODUCTION
@pytest.mark.parametrize("point", ["epoch.before_commit", "finish.before_commit"])
def test_postgresql_restarted_inside_a_commit_loses_nothing(
    make_service: Callable[..., Service],
    own_postgres: PostgresServer,
    undisturbed: list[dict[str, Any]],
    point: str,
) -> None:
    """An immediate shutdown, as by a power cut, while a worker stands just before its COMMIT."""
    service = make_service(ACTLAB_FAULT=f"{point}:pause", ACTLAB_DATABASE_URL=own_postgres.url()).start()
    id = service.client.submit_experiment(SPEC)["id"]
    mark = service.home / "faults" / f"{point}.reached"
    await_true(mark.exists, 60)
    own_postgres.stop(signal.SIGQUIT)
    mark.with_suffix(".go").touch()
    time.sleep(2)
    own_postgres.start()
    database = Database(own_postgres.url())
    assert await_true(lambda: _ended(service, id), 90)["status"] == "succeeded"
    assert figures(database, id) == undisturbed
    assert judge(database).clean
    database.close()


def _ended(service: Service, id: str) -> Json | None:
    try:
        found = service.client.experiment(id)
    except ApiError:  # 503 until the database is back
        return None
    return found if found["finished_at"] else None
