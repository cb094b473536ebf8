"""Metrics of the database, which are the same whichever process is asked."""

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from service.domain.spec import PRIORITIES
from service.storage.analysis.facts import WORKER_STATES, Facts


def families(facts: Facts | None) -> Iterator[Metric]:
    """Yield the metrics of the database; where it did not answer, nothing but that."""
    yield GaugeMetricFamily("actlab_database_up", "1 if the database answered this scrape.", int(facts is not None))
    if facts is None:
        return
    yield _gauge("actlab_experiments", "Experiments by status.", "status", facts.experiments)
    ended = CounterMetricFamily(
        "actlab_experiments_ended", "Experiments that have ended, deleted ones too.", labels=["status", "cause"]
    )
    for (status, cause), number in facts.ended.items():
        ended.add_metric([status, cause or ""], number)
    yield ended
    yield CounterMetricFamily("actlab_attempts_lost", "Attempts whose worker was lost.", facts.attempts_lost)
    yield from _queue(facts)
    workers = {state: facts.workers.get(state, 0) for state in WORKER_STATES}
    yield _gauge("actlab_workers", "Workers by state, those of the last day.", "state", workers)
    yield _gauge(
        "actlab_workers_last_seen_timestamp_seconds",
        "The newest heartbeat of the workers in a state, in Unix time.",
        "state",
        {state: seen.timestamp() for state, seen in facts.last_seen.items()},
    )


def _queue(facts: Facts) -> Iterator[Metric]:
    """Yield the queue of each priority, 0 where it is empty."""
    queues = {priority: facts.queue.get(priority) for priority in PRIORITIES}
    lengths = {str(priority): queue.experiments if queue else 0 for priority, queue in queues.items()}
    ages = {str(priority): queue.oldest_seconds if queue else 0.0 for priority, queue in queues.items()}
    yield _gauge("actlab_queue_experiments", "Queued experiments by priority.", "priority", lengths)
    yield _gauge("actlab_queue_oldest_seconds", "Age of the oldest queued experiment.", "priority", ages)


def _gauge(name: str, text: str, label: str, figures: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, figure in figures.items():
        family.add_metric([value], figure)
    return family
