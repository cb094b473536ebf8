"""Metrics that several processes share."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.observability.scrapes import value

PROGRAM = """
import sys
from pathlib import Path
from service.observability.requests import RequestMetrics

metrics = RequestMetrics(Path(sys.argv[1]), int(sys.argv[2]))
for _ in range(int(sys.argv[3])):
    metrics.request("GET", "/", 200, 0.02)
print(metrics.render("", [])[0].decode())
"""
COUNT = "actlab_http_request_duration_seconds_count"


def run(folder: Path, place: int, requests: int) -> str:
    command = [sys.executable, "-c", PROGRAM, str(folder), str(place), str(requests)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_each_process_tells_what_all_have_counted(tmp_path: Path) -> None:
    assert value(run(tmp_path, 0, 3), COUNT, route="/") == 3
    assert value(run(tmp_path, 1, 4), COUNT, route="/") == 7


def test_process_goes_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    """A counter must not fall, and a process that is replaced again and again must not leave files behind."""
    for count in (2, 4, 6):
        assert value(run(tmp_path, 0, 2), COUNT, route="/") == count
    assert value(run(tmp_path, 0, 0), "actlab_http_request_duration_seconds_bucket", route="/", le="0.01") == 0
    assert len(list(tmp_path.iterdir())) == 1
