"""Registries of metrics, of one process or of several that share a port."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, disable_created_metrics, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""prometheus-client reads the folder of shared files from this variable, whenever a metric is made."""


def share(folder: Path, place: int) -> None:
    """Keep the metrics that this process makes from now on in files of a folder, which other processes read.

    The files have the name of the process's place, not of its id: whoever gets the place after it goes on counting, so
    that the sums of all places never fall.
    """
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)  # type: ignore[no-untyped-call]


def new_registry() -> CollectorRegistry:
    """Return an empty registry, for metrics without a series that tells when each was made."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    return CollectorRegistry()


def shared_registry(folder: Path) -> CollectorRegistry:
    """Return a registry of the metrics of all processes that share a folder."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


class Reading(Collector):
    """A collector of figures that are read when they are asked for."""

    def __init__(self, read: Callable[[], Iterable[Metric]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        return self._read()
