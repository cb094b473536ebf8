"""Scrapes of real processes: several of an API that count together, and a worker."""

import httpx2
import psutil
import pytest

from service.storage.engine.database import Database
from tests.api.holders import bearer, make_key
from tests.observability.scrapes import names_of, value
from tests.servers import free_port
from tests.stack.services import SHORT, Service
from tests.waiting import await_true

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

COUNT = "actlab_http_request_duration_seconds_count"
REQUESTS = 30


def scrape(port: int, key: str = "") -> str:
    """Scrape on a connection of its own, which any of the processes may get."""
    answer = httpx2.get(f"http://127.0.0.1:{port}/metrics", headers=bearer(key) if key else {}, timeout=10)
    assert answer.status_code == 200
    return answer.text


def test_processes_of_a_port_count_together_and_go_on_after_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    service = Service(tmp_path_factory.mktemp("metrics") / "home", ACTLAB_API_PROCESSES="3")
    try:
        service.run("db", "upgrade")
        service.launch("serve")
        service.await_health()
        url = f"http://127.0.0.1:{service.port}/api/v1/queue"
        for _ in range(REQUESTS):  # each on a connection of its own
            httpx2.get(url, timeout=10)
        assert {value(scrape(service.port), COUNT, route="/api/v1/queue") for _ in range(12)} == {REQUESTS}
        parent = psutil.Process(service.processes["serve"].pid)
        for child in parent.children():
            child.kill()
            child.wait(10)
        await_true(lambda: len(parent.children()) == 3 and service.client.healthy(), seconds=60)
        assert value(scrape(service.port), COUNT, route="/api/v1/queue") == REQUESTS
    finally:
        service.close()


def test_worker_serves_its_metrics_and_the_api_those_of_the_database(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    port = free_port()
    service = Service(tmp_path_factory.mktemp("metrics") / "home", ACTLAB_METRICS_PORT=str(port))
    try:
        service.start()
        id = service.client.submit_experiment(SHORT)["id"]
        assert service.finished(id)["status"] == "succeeded"
        text = scrape(port)
        assert value(text, "actlab_epoch_duration_seconds_count", dataset="mnist_5k", device="cpu") == SHORT["epochs"]
        assert value(text, "actlab_images_trained_total") == SHORT["epochs"] * SHORT["train_samples"]
        assert names_of(text) >= {"actlab_device_memory_used_bytes", "actlab_disk_free_bytes", "actlab_build_info"}
        database = Database(service.database_url)
        key = make_key(database).text
        database.close()
        text = await_true(lambda: scrape_if_let(service.port, key))
        assert value(text, "actlab_experiments_ended_total", status="succeeded") == 1
        assert value(text, "actlab_workers", state="idle") == 1
    finally:
        service.close()


def scrape_if_let(port: int, key: str) -> str | None:
    """Return a scrape; None while the service does not know the key yet."""
    answer = httpx2.get(f"http://127.0.0.1:{port}/metrics", headers=bearer(key), timeout=10)
    without = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    return answer.text if answer.status_code == 200 and without.status_code == 401 else None
