"""Reading what a scrape gets."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.observability.work import WorkMetrics

Labels = dict[str, str]


def rendered(metrics: WorkMetrics) -> str:
    return generate_latest(metrics.registry).decode()


def names_of(text: str) -> set[str]:
    """Return the names of the samples of a scrape."""
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def value(text: str, name: str, **labels: str) -> float | None:
    """Return the sum of the samples of a name with these labels; None where there is none."""
    found = [
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return sum(found) if found else None
