"""The metrics of a worker, and the port that serves them."""

import httpx2
import pytest

from service.domain.errors import ConfigurationError
from service.domain.workers import WorkerMemory
from service.observability.work import WorkMetrics, device_families
from tests.observability.scrapes import rendered, value
from tests.servers import free_port


def get(port: int) -> str:
    return httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text


def test_metrics_start_at_zero() -> None:
    text = rendered(WorkMetrics())
    for outcome in ("renewed", "lost", "failed"):
        assert value(text, "actlab_lease_renewals_total", outcome=outcome) == 0
    assert value(text, "actlab_claim_duration_seconds_count", claimed="true") == 0
    assert "_created" not in text


def test_claims_are_told_by_what_they_brought() -> None:
    metrics = WorkMetrics()
    metrics.claimed(0.01, [])
    metrics.claimed(0.02, [3.0])
    metrics.claimed(0.02, [None])  # of a later attempt
    text = rendered(metrics)
    assert value(text, "actlab_claim_duration_seconds_count", claimed="true") == 2
    assert value(text, "actlab_claim_duration_seconds_count", claimed="false") == 1
    assert value(text, "actlab_queue_wait_seconds_count") == 1
    assert value(text, "actlab_queue_wait_seconds_sum") == 3


def test_workers_of_one_machine_take_one_port_after_the_other() -> None:
    first = free_port()
    ports = []
    for number in (1, 2):
        metrics = WorkMetrics()
        metrics.renewed(number, 0)
        ports.append(metrics.serve("127.0.0.1", first, lambda: device_families("cpu", WorkerMemory(total=9, used=4))))
    assert ports[0] < ports[1]
    for number, port in enumerate(ports, start=1):
        text = get(port)
        assert value(text, "actlab_lease_renewals_total", outcome="renewed") == number
        assert value(text, "actlab_device_memory_used_bytes", device="cpu") == 4
        assert (value(text, "process_resident_memory_bytes") or 0) > 0


def test_serve_refuses_an_address_of_another_machine() -> None:
    with pytest.raises(ConfigurationError, match="ACTLAB_METRICS_HOST"):
        WorkMetrics().serve("192.0.2.1", free_port(), list)
