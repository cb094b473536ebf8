"""Metrics of a worker process, and the port on which it answers scrapes."""

import errno
from collections.abc import Callable, Iterable, Iterator

import structlog
from prometheus_client import Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from service.domain.errors import ConfigurationError
from service.domain.workers import WorkerMemory
from service.observability.registries import Reading, new_registry

MOST_PORTS = 64
"""The ports from ACTLAB_METRICS_PORT on of which a worker takes the first free one, as several share a machine."""
CLAIM_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43_200.0)
EPOCH_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0)
EXPERIMENT_BUCKETS = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 43_200.0, 86_400.0)
RENEWALS = ("renewed", "lost", "failed")

log = structlog.get_logger(__name__)


class WorkMetrics:
    """The figures of one worker process. Their labels are names of data sets and kinds of device, never ids."""

    def __init__(self) -> None:
        self.registry = registry = new_registry()
        kinds = ["dataset", "device"]
        self._claims = Histogram(
            "actlab_claim_duration_seconds", "Time of a claim, by what it brought.", ["claimed"],
            buckets=CLAIM_BUCKETS, registry=registry,
        )  # fmt: skip
        self._waits = Histogram(
            "actlab_queue_wait_seconds", "Time from the submission of an experiment to its first claim.",
            buckets=WAIT_BUCKETS, registry=registry,
        )  # fmt: skip
        self._epochs = Histogram(
            "actlab_epoch_duration_seconds", "Training time of an epoch.", kinds,
            buckets=EPOCH_BUCKETS, registry=registry,
        )  # fmt: skip
        self._experiments = Histogram(
            "actlab_experiment_duration_seconds", "Time of an attempt that succeeded, data and scoring included.",
            kinds, buckets=EXPERIMENT_BUCKETS, registry=registry,
        )  # fmt: skip
        self._images = Counter("actlab_images_trained", "Images in steps of training.", kinds, registry=registry)
        self._renewals = Counter("actlab_lease_renewals", "Renewals of leases.", ["outcome"], registry=registry)
        for claimed in ("true", "false"):
            self._claims.labels(claimed)
        for renewal in RENEWALS:
            self._renewals.labels(renewal)

    def claimed(self, seconds: float, waits: Iterable[float | None]) -> None:
        """Count a claim: its duration, and for each experiment how long it had waited, None for a later attempt."""
        waited = list(waits)
        self._claims.labels("true" if waited else "false").observe(seconds)
        for wait in waited:
            if wait is not None:
                self._waits.observe(max(0.0, wait))

    def epoch(self, dataset: str, device: str, seconds: float, images: int) -> None:
        self._epochs.labels(dataset, device).observe(seconds)
        self._images.labels(dataset, device).inc(images)

    def experiment(self, dataset: str, device: str, seconds: float) -> None:
        self._experiments.labels(dataset, device).observe(seconds)

    def renewed(self, renewed: int, lost: int) -> None:
        self._renewals.labels("renewed").inc(renewed)
        self._renewals.labels("lost").inc(lost)

    def renewal_failed(self, leases: int) -> None:
        self._renewals.labels("failed").inc(leases)

    def serve(self, host: str, port: int, read: Callable[[], Iterable[Metric]]) -> int:
        """Answer scrapes on the first free port from `port` on, in a thread, and return it.

        `read` returns further figures at each scrape. Raises ConfigurationError where no port is free.
        """
        ProcessCollector(registry=self.registry)
        self.registry.register(Reading(read))
        for candidate in range(port, min(port + MOST_PORTS, 65_536)):
            try:
                start_http_server(candidate, host, self.registry)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise ConfigurationError(
                        f"Metrics cannot be served on {host}:{candidate} (ACTLAB_METRICS_HOST, ACTLAB_METRICS_PORT):"
                        f" {error.strerror}."
                    ) from error
            else:
                return candidate
        raise ConfigurationError(
            f"No port from ACTLAB_METRICS_PORT={port} on is free ({MOST_PORTS} were tried). Name another."
        )


def device_families(device: str, memory: WorkerMemory) -> Iterator[Metric]:
    """Yield the memory of a worker's device, where it is known."""
    for name, figure in (("used", memory.used), ("size", memory.total)):
        if figure is not None:
            family = GaugeMetricFamily(
                f"actlab_device_memory_{name}_bytes", f"Memory of the device, {name}.", labels=["device"]
            )
            family.add_metric([device], figure)
            yield family
