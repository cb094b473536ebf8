"""Backups that are made while everything runs, and services that start on them."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.servers import PostgresServer
from tests.stack.services import SHORT, Service
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SPEC = SHORT | {"epochs": 6}


def assert_goes_on(restored: Service, done: str, running: str, queued: str) -> None:
    assert restored.client.experiment(done)["status"] == "succeeded"
    assert restored.client.result(done)["last"]["epoch"] == 2
    for id in (running, queued):
        ended = restored.finished(id)
        assert (ended["status"], ended["lost_count"]) == ("succeeded", 0)


def fill(service: Service) -> tuple[str, str, str]:
    """Leave one experiment that has ended, one that runs and one that waits; return their ids."""
    done = service.client.submit_experiment(SHORT)["id"]
    service.finished(done)
    running, queued = (service.client.submit_experiment(SPEC | {"seed": seed})["id"] for seed in (1, 2))
    await_true(lambda: service.client.experiment(running)["epochs_done"] >= 1)
    return done, running, queued


@pytest.mark.parametrize("make_service", ["embedded"], indirect=True)
def test_backup_of_sqlite_goes_on_where_it_is_restored(service: Service, tmp_path: Path) -> None:
    ids = fill(service)
    backup = tmp_path / "backup.db"
    service.run("db", "backup", str(backup))
    refused = service.run("db", "backup", str(backup), check=False)
    assert refused.returncode == 1
    assert "overwrites nothing" in refused.stderr
    service.stop()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    restored = Service(elsewhere)
    restored.run("db", "restore", str(backup))
    restored.start()
    assert_goes_on(restored, *ids)
    restored.close()


@pytest.mark.parametrize("make_service", ["production"], indirect=True)
def test_dump_of_postgresql_goes_on_where_it_is_restored(
    make_service: Callable[..., Service], postgres: PostgresServer, tmp_path: Path
) -> None:
    service = make_service().start()
    ids = fill(service)
    dump, name = tmp_path / "dump", f"restored_{uuid4().hex}"
    plain = service.database_url.replace("+psycopg", "")
    subprocess.run(["pg_dump", "--format=custom", f"--file={dump}", plain], check=True)
    service.stop()
    postgres.execute(f"CREATE DATABASE {name}")
    url = postgres.url(name)
    subprocess.run(["pg_restore", f"--dbname={url.replace('+psycopg', '')}", dump], check=True)
    restored = Service(tmp_path / "elsewhere", url, service.environment["ACTLAB_BROKER_URL"]).start()
    assert_goes_on(restored, *ids)
    restored.close()
