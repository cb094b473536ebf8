"""Cells: the experiments of one combination of factors, counted by their outcome."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from service.domain.status import Cause, Status

Factor = str | int | float | bool | None
Factors = Mapping[str, Factor]
AnyRun = TypeVar("AnyRun", bound="Run")


@dataclass(frozen=True, slots=True)
class Run:
    """An experiment in a comparison. Ids ascend in the order of creation. `value` is the metric; None or not finite
    where there is none."""

    id: str
    seed: int
    status: Status
    cause: Cause | None = None
    value: float | None = None
    unmeasured: bool = False  # succeeded, but this figure is not taken of every success

    @property
    def figure(self) -> float | None:
        succeeded = self.status == Status.SUCCEEDED and self.value is not None and math.isfinite(self.value)
        return self.value if succeeded else None

    @property
    def diverged(self) -> bool:
        """True if the loss became infinite or NaN in training, or this figure of the trained network did."""
        if self.status == Status.SUCCEEDED:
            return self.figure is None and not self.unmeasured
        return self.status == Status.FAILED and self.cause == Cause.DIVERGED


@dataclass(frozen=True)
class Cell:
    """A combination of factors: one value for each seed that has one, and the counts of the other experiments.

    Every experiment counts in exactly one of the five. `bits` identifies what the run of a seed computed, and is read
    only for cells that may be the same as another. `names` are the factors of all cells that were merged into this one.
    """

    factors: Factors
    values: Mapping[int, float] = field(default_factory=dict)  # by seed
    n_duplicate: int = 0
    n_diverged: int = 0
    n_failed: int = 0
    n_pending: int = 0
    images: int | None = None  # that each value is a share of; None for values that are no shares
    bits: Mapping[int, str] = field(default_factory=dict)  # by seed
    names: Sequence[Factors] = ()

    @property
    def all_names(self) -> Sequence[Factors]:
        return self.names or (self.factors,)


def cell(factors: Factors, runs: Iterable[Run], alone: Mapping[int, float] | None = None) -> Cell:
    """Return the cell of these experiments, which differ in nothing but the seed.

    A retry repeats its spec, so that a chain of retries lies within one seed. For each seed the newest experiment that
    succeeded counts, else the newest that ended.

    `alone` holds the values of seeds for which exactly one run succeeded; `runs` are all other runs.
    """
    values = dict(alone or {})
    seeds: dict[int, list[Run]] = defaultdict(list)
    for run in runs:
        seeds[run.seed].append(run)
    ended = pending = 0
    counted: list[Run] = []
    for seed, runs_of_seed in seeds.items():
        n_ended = sum(run.status.terminal for run in runs_of_seed)
        ended, pending = ended + n_ended, pending + len(runs_of_seed) - n_ended
        if seed not in values and n_ended:
            counted.append(standing(runs_of_seed))
    n_diverged = sum(run.diverged for run in counted)
    figures = {run.seed: run.figure for run in counted if run.figure is not None}
    values.update(figures)
    return Cell(
        factors=factors,
        values=values,
        n_duplicate=ended - len(counted),
        n_diverged=n_diverged,
        n_failed=len(counted) - len(figures) - n_diverged,
        n_pending=pending,
    )


def standing(runs: Iterable[AnyRun]) -> AnyRun:
    """Return the run that counts for a seed: the newest that succeeded, else the newest that ended, else the newest."""
    return max(runs, key=_standing)


def key(factors: Factors) -> frozenset[object]:
    """Return a hashable key that is equal for equal factors in any order.

    Python holds True for equal to 1, so that flags are marked; 0 and 0.0 are one dropout.
    """
    return frozenset((name, isinstance(value, bool), value) for name, value in factors.items())


def one_named(factors: Factors | None, cells: Iterable[Cell]) -> Factors | None:
    """Return the factors of the one cell that has these factors; None for none, if no cell has them, or several do."""
    if factors is None:
        return None
    named = [cell.factors for cell in cells if key(factors) <= key(cell.factors)]
    return named[0] if len(named) == 1 else None


def label(factors: Factors) -> str:
    """Return `activation=relu, batch_size=128`, in the order of the factors."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in factors.items()}
    return ", ".join(f"{name}={value}" for name, value in texts.items()) or "all"


def _standing(run: Run) -> tuple[bool, bool, str]:
    return run.status == Status.SUCCEEDED, run.status.terminal, run.id
