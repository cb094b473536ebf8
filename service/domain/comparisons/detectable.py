"""The differences that a study can detect with its seeds, before it is trained."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from service.domain.comparisons.answer import ALPHA, POWER
from service.domain.statistics.power import detectable_difference

ASSUMED_SD = 0.005
"""The spread of test accuracy between seeds that a plan assumes where no runs are known.

Measured on mnist_5k, 3 epochs, 12 seeds each: 0.0022 to 0.0046 for ReLU, leaky ReLU, swish and tanh, and 0.0131 for
sigmoid.
"""

ASSUMED_CORRELATION = 0.4
"""The correlation of two groups over their seeds that a plan assumes.

In the same runs: 0.36 to 0.83 between ReLU, leaky ReLU, swish and tanh, -0.03 to 0.22 with sigmoid, median 0.43.
"""


class Detectable(BaseModel):
    """The smallest difference that a study, or one of its grids, probably finds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    grid: str | None = Field(description="The grid, of a study with several.")
    metric: Literal["test_accuracy"] = "test_accuracy"
    seeds: int
    groups: int
    pairs: int = Field(description="Tests in the family: with the study's reference, or of all pairs.")
    power: float = POWER
    alpha: float = ALPHA
    difference: float | None = Field(
        description="Detected with this power where groups have the median spread; null for one seed or one group."
    )
    difference_widest: float | None = Field(description="The same where one of the two groups has the largest spread.")
    spreads_known: int = Field(description="Groups whose spread is that of earlier runs; for 0 it is assumed.")
    text: str


def detectable(grid: str | None, seeds: int, groups: int, sds: Sequence[float], *, reference: bool) -> Detectable:
    """Return what so many seeds and groups detect.

    `sds` are spreads of test accuracy between seeds in earlier runs of the groups, as fractions; where there are none,
    ASSUMED_SD is taken. `reference` is whether the groups are compared with one of them only. The widest difference is
    that of a group with the largest spread and one with the median, without a correlation.
    """
    spreads = sds or [ASSUMED_SD]
    wide = math.sqrt((max(spreads) ** 2 + median(spreads) ** 2) / 2)
    usual, widest = (
        detectable_difference(sd, seeds, groups, reference=reference, correlation=r, alpha=ALPHA, power=POWER)
        for sd, r in ((median(spreads), ASSUMED_CORRELATION), (wide, 0.0 if sds else ASSUMED_CORRELATION))
    )
    pairs = groups - 1 if reference else groups * (groups - 1) // 2
    return Detectable(
        grid=grid,
        seeds=seeds,
        groups=groups,
        pairs=pairs,
        difference=usual,
        difference_widest=widest,
        spreads_known=len(sds),
        text=_text(seeds, groups, pairs, usual, widest, sds, reference=reference),
    )


def _text(
    seeds: int, groups: int, pairs: int, usual: float | None, widest: float | None, sds: Sequence[float], *,
    reference: bool,
) -> str:  # fmt: skip
    if groups < 2:
        return "There is one group, which is compared with nothing."
    if usual is None or widest is None:
        return "One seed in each group allows no test: no difference can be found."
    tests = f"{pairs} test{'' if pairs == 1 else 's'}{' against the reference' if reference else ' of all pairs'}"
    most = "" if widest <= 1.5 * usual else f", or {_points(widest)} for the group that varies most"
    return (
        f"{seeds} seeds probably find a difference of {_points(usual)} percentage points of test"
        f" accuracy{most}: the power is {POWER:.0%} ({tests}). {_basis(groups, sds)}"
    )


def _basis(groups: int, sds: Sequence[float]) -> str:
    if not sds:
        return f"No spread is known from earlier runs; an sd of {_points(ASSUMED_SD)} points between seeds is assumed."
    spread = _points(sds[0]) if len(sds) == 1 else f"{_points(min(sds))} to {_points(max(sds))}"
    return (
        f"In earlier runs of {min(len(sds), groups)} of the {groups} groups, the sd between seeds is {spread} points."
    )


def _points(fraction: float) -> str:
    """Return a fraction as percentage points with two significant digits."""
    return f"{float(f'{100 * fraction:.2g}'):g}"
