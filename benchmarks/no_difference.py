"""Measure how often comparisons separate groups that do not differ, in studies drawn with a fixed seed.

python -m benchmarks.no_difference [--studies 2000]
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import typer

from service.domain.comparisons.cells import Cell
from service.domain.comparisons.compare import compare

SEED = 20_190_514
MOST_CALLED = 0.065
"""5 %, and three standard errors of a share of 2,000 studies."""

Noise = Callable[[random.Random], float]


def normal(rng: random.Random) -> float:
    return rng.gauss(0, 1)


def heavy_tailed(rng: random.Random) -> float:
    """Student's t with 3 degrees of freedom."""
    return rng.gauss(0, 1) / math.sqrt(rng.gammavariate(1.5, 2) / 3)


def with_outliers(rng: random.Random) -> float:
    """Return a normal value that is worse by ten standard deviations once in twenty times."""
    return rng.gauss(0, 1) - (10 if rng.random() < 0.05 else 0)


@dataclass(frozen=True)
class Design:
    """The design of a study: the number of seeds of each group, and the number of test images that accuracies are
    shares of. Groups that are not paired have different seeds."""

    title: str
    seeds: tuple[int, ...]
    images: int = 10_000
    paired: bool = True
    noise: Noise = normal
    spreads: tuple[float, ...] = (1.0,)
    versus: bool = False


DESIGNS = {
    design.title: design
    for design in (
        Design("5 groups, 5 seeds", (5,) * 5),
        Design("5 groups, 3 seeds, 360 test images", (3,) * 5, images=360),
        Design("5 groups, 10 seeds", (10,) * 5),
        Design("5 groups, 3 seeds, spreads from 1 to 5", (3,) * 5, images=1_000, spreads=(1.3, 1.2, 1.1, 2.3, 6.5)),
        Design("5 groups, 4 seeds, spreads from 1 to 5", (4,) * 5, images=1_000, spreads=(1.3, 1.2, 1.1, 2.3, 6.5)),
        Design("5 groups, 5 seeds, 1,000 test images", (5,) * 5, images=1_000),
        Design("10 groups against one, 3 seeds", (3,) * 10, versus=True),
        Design("10 groups against one, 5 seeds", (5,) * 10, versus=True),
        Design("5 groups, 5 seeds each of its own (Welch)", (5,) * 5, paired=False),
        Design("3 to 7 seeds of their own, spreads from 1 to 4 (Welch)", (3, 4, 5, 6, 7), paired=False,
               spreads=(4.0, 1.0, 2.0, 1.0, 3.0)),
        Design("5 groups, 5 seeds, heavy tails", (5,) * 5, noise=heavy_tailed),
        Design("5 groups, 5 seeds, one run in 20 goes badly", (5,) * 5, noise=with_outliers),
    )
}  # fmt: skip


def share_called(design: Design, studies: int) -> float:
    """Return the share of studies in which a pair is called better or worse."""
    rng = random.Random(SEED)
    versus = {"activation": "f0"} if design.versus else None
    drawn = (compare(_study(design, rng), "test_accuracy", versus) for _ in range(studies))
    return sum(any(pair.verdict in ("better", "worse") for pair in comparison.pairs) for comparison in drawn) / studies


def _study(design: Design, rng: random.Random) -> list[Cell]:
    """Draw a study: each seed shifts the groups that share it alike, and each run has its own noise."""
    shifts = [rng.gauss(0.97, 0.002) for _ in range(max(design.seeds))]
    return [_cell(design, rng, group, shifts) for group in range(len(design.seeds))]


def _cell(design: Design, rng: random.Random, group: int, shifts: list[float]) -> Cell:
    spread = 0.002 * design.spreads[group % len(design.spreads)]
    values = {}
    for seed in range(design.seeds[group]):
        centre = shifts[seed] if design.paired else 0.97
        accuracy = round((centre + spread * design.noise(rng)) * design.images) / design.images
        values[seed if design.paired else 1000 * group + seed] = accuracy
    return Cell({"activation": f"f{group}"}, values, images=design.images)


def main(studies: int = 2000) -> None:
    typer.echo(f"{studies} studies of each design without a true difference; at most {MOST_CALLED:.1%} may call one")
    for title, design in DESIGNS.items():
        typer.echo(f"{title:<55} {share_called(design, studies):6.2%}")


if __name__ == "__main__":
    typer.run(main)
