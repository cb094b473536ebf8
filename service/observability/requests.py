"""Metrics of the API processes on one port: their requests and the delay of events."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric

from service.observability.registries import Reading, new_registry, share, shared_registry

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LAG_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestMetrics:
    """The figures of this process, and those of the others on its port where they share a folder."""

    def __init__(self, folder: Path | None = None, place: int = 0) -> None:
        self._folder = folder
        if folder is not None:
            share(folder, place)
        self._registry = new_registry()
        self._requests = Histogram(
            "actlab_http_request_duration_seconds",
            "Time from a request to the end of its answer, to its begin for streams of events.",
            ["method", "route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=self._registry,
        )
        self._lag = Histogram(
            "actlab_event_lag_seconds",
            "The longest time that a change waited until it was read for listeners.",
            buckets=LAG_BUCKETS,
            registry=self._registry,
        )
        self._series: dict[tuple[str, str, int], Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. `route` is the template of its path, so that there are no more series than routes."""
        key = (method if method in METHODS else "other", route, status)
        series = self._series.get(key)
        if series is None:  # looked up once: labels() takes as long as the rest
            series = self._series[key] = self._requests.labels(*key[:2], str(status))
        series.observe(seconds)

    def lag(self, seconds: float) -> None:
        self._lag.observe(seconds)

    def render(self, accept: str, families: Iterable[Metric]) -> tuple[bytes, str]:
        """Return all figures and these families in the format that a client accepts, with its media type."""
        registry = self._registry if self._folder is None else shared_registry(self._folder)
        encode, media_type = choose_encoder(accept)
        ready = list(families)
        whole = CollectorRegistry()
        whole.register(Reading(lambda: [*ready, *registry.collect()]))
        return encode(whole), media_type
