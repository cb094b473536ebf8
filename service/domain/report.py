"""The content of a report, apart from its layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.domain.article_claims.answer import ArticleClaim
from service.domain.comparisons.agreement import Agreement
from service.domain.comparisons.answer import Comparison, Group
from service.domain.comparisons.cells import Cell, Factor, Factors
from service.domain.comparisons.curves import Curves
from service.domain.status import ACTIVE, Status


@dataclass(frozen=True)
class SubmittedStudy:
    """The study as it was submitted, or one grid of it, with its present seeds."""

    id: str
    name: str | None
    question: str | None
    spec: Mapping[str, Any]  # the body of POST /studies that repeats it
    created_at: datetime
    grid: str | None = None  # the one grid that the report is limited to


@dataclass(frozen=True)
class Machine:
    """The device, software and settings that some of the experiments were trained with."""

    experiments: int
    device: str
    device_name: str
    instruction_set: str
    threads: int
    precision: str
    execution: str
    versions: Mapping[str, str]  # by package; `actlab` is this project's own
    mixed: bool  # True where a resume had to go on under another fingerprint


@dataclass(frozen=True)
class Unfinished:
    """The experiments of one cell that gave no figure for one reason."""

    factors: Factors
    status: Status
    cause: str | None
    remedy: str | None
    seeds: Sequence[int]


@dataclass(frozen=True)
class Report:
    study: SubmittedStudy
    progress: Mapping[Status, int]
    comparison: Comparison  # of the primary metric
    cells: Sequence[Cell]  # of the comparison
    others: Sequence[Comparison]  # the same groups in other metrics
    curves: Sequence[Curves]
    machines: Sequence[Machine]
    unfinished: Sequence[Unfinished] = ()
    agreement: Sequence[Agreement] = ()  # with the article, where that was asked for
    article_claims: Sequence[ArticleClaim] = ()  # the claims that these runs are evidence for
    protocol: Mapping[str, Any] = field(default_factory=dict)  # the fields that all specs share, by dotted path

    @property
    def title(self) -> str:
        return self.study.name or f"Study {self.study.id}"

    @property
    def active(self) -> int:
        return sum(self.progress.get(status, 0) for status in ACTIVE)

    @property
    def total(self) -> int:
        return sum(self.progress.values())


def name_of(factors: Factors) -> str:
    """Return the name of a group: `relu`, or `relu, batch size 128`. An activation is named by its value alone."""
    if len(factors) == 1:
        return value_text(next(iter(factors.values())))
    return ", ".join(factor_text(name, value) for name, value in factors.items()) or "all"


def value_text(value: Factor) -> str:
    if value is None:
        return "none"
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def names_of(group: Group) -> str:
    """Return all names of a group, joined by =: `silu = swish`."""
    return " = ".join(map(name_of, group.names))


def conclusion(report: Report) -> list[str]:
    """Return the sentences that the verdicts of the comparison justify."""
    comparison = report.comparison
    if all(group.mean is None for group in comparison.groups):
        return comparison.summary
    unfinished = [f"{report.active} of {report.total} experiments are not finished; this is what is known so far."]
    return [*(unfinished if report.active else []), *comparison.summary, *_diverged(comparison)]


def factor_text(name: str, value: Factor) -> str:
    """Return a factor in the name of a group: `relu`, or `batch size 128`."""
    return value_text(value) if name == "activation" else f"{name.replace('_', ' ')} {value_text(value)}"


def _diverged(comparison: Comparison) -> list[str]:
    diverged = [group for group in comparison.groups if group.n_diverged]
    return [
        f"{name_of(group.factors)}: {group.n_diverged} of {group.n + group.n_diverged} runs diverged, so no"
        " test compares it with the others."
        for group in diverged
    ]
