"""Cells: which experiments of one combination of factors count, and as what."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from service.domain.status import Cause, Status

Factor = str | int | float | bool | None
Factors = Mapping[str, Factor]
AnyRun = TypeVar("AnyRun", bound="Run")


@dataclass(frozen=True, slots=True)
class Run:
    """One experiment as a comparison sees it. Ids ascend in the order of creation. `value` is the metric; None or not
    finite where there is none."""

    id: str
    seed: int
    status: Status
    cause: Cause | None = None
    value: float | None = None
    unmeasured: bool = False  # succeeded without this figure's having been taken: no sign of trouble

    @property
    def figure(self) -> float | None:
        succeeded = self.status == Status.SUCCEEDED and self.value is not None and math.isfinite(self.value)
        return self.value if succeeded else None

    @property
    def diverged(self) -> bool:
        """Either the loss became infinite or NaN while training, or this figure of the trained network did."""
        if self.status == Status.SUCCEEDED:
            return self.figure is None and not self.unmeasured
        return self.status == Status.FAILED and self.cause == Cause.DIVERGED


@dataclass(frozen=True)
class Cell:
    """A combination of factors: one value for each seed that has one, and what became of the other experiments. Every
    experiment counts in exactly one of the five."""

    factors: Factors
    values: Mapping[int, float] = field(default_factory=dict)  # by seed
    n_duplicate: int = 0
    n_diverged: int = 0
    n_failed: int = 0
    n_pending: int = 0


def cell(factors: Factors, runs: Iterable[Run], alone: Mapping[int, float] | None = None) -> Cell:
    """The cell of these experiments, which differ in nothing but the seed (a retry repeats its spec, so that a chain of
    them lies within one seed). For each seed the newest that succeeded stands, else the newest that ended.

    `alone` are seeds of which no other run than the one with this value succeeded; `runs` are all that remain.
    """
    values = dict(alone or {})
    seeds: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        seeds[run.seed].append(run)
    ended = pending = 0
    stand: list[Run] = []
    for seed, same in seeds.items():
        over = sum(run.status.terminal for run in same)
        ended, pending = ended + over, pending + len(same) - over
        if seed not in values and over:
            stand.append(standing(same))
    n_diverged = sum(run.diverged for run in stand)
    found = {run.seed: run.figure for run in stand if run.figure is not None}
    return Cell(
        factors=factors,
        values=values | found,
        n_duplicate=ended - len(stand),
        n_diverged=n_diverged,
        n_failed=len(stand) - len(found) - n_diverged,
        n_pending=pending,
    )


def standing(runs: Iterable[AnyRun]) -> AnyRun:
    """Which of the runs of one seed stands for it: the newest that succeeded, else the newest that ended, else the
    newest."""
    return max(runs, key=_standing)


def key(factors: Factors) -> frozenset[object]:
    """Equal for equal factors in any order. Python holds True for equal to 1; 0 and 0.0 are one dropout."""
    return frozenset((name, isinstance(value, bool), value) for name, value in factors.items())


def label(factors: Factors) -> str:
    """`activation=relu, batch_size=128`, in the order given."""
    written = {name: value if isinstance(value, str) else json.dumps(value) for name, value in factors.items()}
    return ", ".join(f"{name}={value}" for name, value in written.items()) or "all"


def _standing(run: Run) -> tuple[bool, bool, str]:
    return run.status == Status.SUCCEEDED, run.status.terminal, run.id
