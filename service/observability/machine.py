"""Metrics of the program and the machine that it runs on."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric


def families(version: str, home: Path) -> Iterator[Metric]:
    """Yield the version, and the space of the file system that holds ACTLAB_HOME; none where it cannot be read."""
    yield InfoMetricFamily("actlab_build", "The version of ActLab.", {"version": version})
    try:
        disk = shutil.disk_usage(home)
    except OSError:
        return
    yield GaugeMetricFamily("actlab_disk_free_bytes", "Free space of the file system of ACTLAB_HOME.", disk.free)
    yield GaugeMetricFamily("actlab_disk_size_bytes", "Size of the file system of ACTLAB_HOME.", disk.total)
