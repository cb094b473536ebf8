"""The log of a whole service where no person reads it: one JSON object a line, from every process and library."""

import json
from collections.abc import Callable

import httpx2
import pytest

from tests.stack.services import SHORT, Service

CELERY = ("", "worker: Warm shutdown (MainProcess)")
"""The line that Celery writes to stdout when it stops."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_every_line_of_every_process_is_json(make_service: Callable[..., Service]) -> None:
    service = make_service(ACTLAB_LOG_FORMAT="auto", ACTLAB_LOG_LEVEL="debug").start()
    id = service.client.submit_experiment(SHORT)["id"]
    assert service.finished(id)["status"] == "succeeded"
    httpx2.get(f"http://127.0.0.1:{service.port}/%00", timeout=10)
    names = list(service.processes)
    service.stop()
    lines = [line for name in names for line in service.output(name).splitlines()]
    records = [json.loads(line) for line in lines if line not in CELERY]
    assert all(record.keys() >= {"event", "level", "timestamp"} for record in records)
    (claimed,) = [record for record in records if record["event"] == "claimed"]
    assert (claimed["experiment"], claimed["attempt"]) == (id, 1)
    (started,) = [record for record in records if record["event"] == "worker_started"]
    assert claimed["worker"] == started["worker"] == started["id"]
