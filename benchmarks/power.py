"""Compare procedures for the differences of groups: how often they report one that is not there, and one that is.

python -m benchmarks.power [--studies 2000] [--quick]

Each design is a study without some true differences, drawn 2,000 times with a fixed seed; a procedure is valid if at
most 5 % of the studies of every design report one of them. Power is the share of the subsets of seeds of 60 real runs
(benchmarks/real_runs.json) in which a difference is found.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from scipy import special, stats

from service.domain.statistics.families import holm, shaffer

SEED = 20_261_130
ALPHA = 0.05
MOST_FALSE_CALLS = 0.065
"""5 %, and three standard errors of a share of 2,000 studies."""
AGAIN = 5
"""Times as many studies in which the worst design of a procedure is repeated."""

Floats = NDArray[np.float64]
Calls = NDArray[np.bool_]
Sides = tuple[NDArray[np.intp], NDArray[np.intp]]
Tails = Literal["normal", "t with 3 degrees of freedom", "one run in 20 bad", "exponential"]
Layout = Literal["all equal", "two equal, the others far off", "pairs of equal groups"]

SPREADS: Mapping[str, Sequence[float]] = {
    "equal": (0.003,),
    "1:5": (0.0026, 0.0131),
    "one 5 times": (0.0131, *(0.0026,) * 29),
    "as in the real runs": (0.0026, 0.0024, 0.0022, 0.0046, 0.0131),
}
"""Standard deviations of the accuracy, in the order of the groups."""


@dataclass(frozen=True)
class Design:
    """The design of a study: accuracies of `groups` over so many seeds and test images.

    `correlation` is that of two groups' accuracies of one seed. With `reference` the family has the pairs with the
    first group. `own_seeds` gives each group other seeds, and every second group that many instead of `seeds`.
    """

    groups: int
    seeds: int
    images: int = 1000
    spreads: str = "equal"
    correlation: float = 0.0
    tails: Tails = "normal"
    layout: Layout = "all equal"
    reference: bool = False
    own_seeds: int | None = None

    @property
    def title(self) -> str:
        seeds = f"{self.seeds} seeds" if self.own_seeds is None else f"{self.seeds} and {self.own_seeds} own seeds"
        words = [f"{self.groups} groups", seeds, f"spreads {self.spreads}", self.layout, f"{self.images} images"]
        words += [f"correlation {self.correlation}"] if self.correlation else []
        words += [self.tails] if self.tails != "normal" else []
        return ", ".join(words)

    @property
    def means(self) -> Floats:
        group = np.arange(self.groups)
        if self.layout == "all equal":
            return np.full(self.groups, 0.96)
        if self.layout == "pairs of equal groups":
            return np.asarray(0.96 - 0.1 * (group // 2 % 8), dtype=np.float64)
        far_off: Floats = np.where(group < 2, 0.96, np.maximum(0.83 - 0.03 * group, 0.1 + 0.001 * group))
        return far_off

    @property
    def sizes(self) -> list[int]:
        """The seeds of each group."""
        return [self.own_seeds if self.own_seeds and group % 2 else self.seeds for group in range(self.groups)]

    @property
    def sides(self) -> Sides:
        if self.reference:
            return np.zeros(self.groups - 1, dtype=np.intp), np.arange(1, self.groups)
        first, second = np.triu_indices(self.groups, 1)
        return first, second

    def without_difference(self) -> Calls:
        """Return the pairs whose means are equal."""
        first, second = self.sides
        return np.asarray(self.means[first] == self.means[second])

    def draw(self, studies: int, part: int = 0) -> Floats:
        """Return accuracies, studies x groups x seeds; a group with fewer seeds than the largest has NaN at the end.

        Another `part` has other studies of the design.
        """
        key = json.dumps([self.title, self.reference, part]).encode()
        rng = np.random.default_rng([SEED, *key])
        shape = studies, self.groups, max(self.sizes)
        noise = _noise(rng, self.tails, shape)
        if self.own_seeds is None:
            sign = np.where(np.arange(self.groups) % 2, -1, 1)[:, None] if self.correlation < 0 else 1
            share = abs(self.correlation)
            shared = rng.standard_normal((studies, 1, shape[2]))
            noise = math.sqrt(share) * sign * shared + math.sqrt(1 - share) * noise
        spreads = np.resize(np.array(SPREADS[self.spreads]), self.groups)
        values = self.means[:, None] + spreads[:, None] * noise
        accuracies = np.clip(np.round(values * self.images) / self.images, 0, 1)
        absent = np.arange(shape[2]) >= np.array(self.sizes)[:, None]
        return np.where(absent, np.nan, accuracies)


def _noise(rng: np.random.Generator, tails: Tails, shape: tuple[int, ...]) -> Floats:
    if tails == "t with 3 degrees of freedom":
        return rng.standard_t(3, shape)
    if tails == "exponential":
        return 1 - rng.standard_exponential(shape)
    noise = rng.standard_normal(shape)
    return noise - 10 * (rng.random(shape) < 0.05) if tails == "one run in 20 bad" else noise


def designs() -> Iterator[Design]:
    """Yield every design, for all pairs and for the pairs with one group."""
    for reference in (False, True):
        for seeds in (3, 4, 5, 7, 10):
            yield from (_designs(partial(Design, seeds=seeds, reference=reference)))


def _designs(make: Callable[..., Design]) -> Iterator[Design]:
    for groups in (2, 3, 5, 8):
        for spreads in SPREADS:
            yield make(groups, spreads=spreads)
    for layout in ("two equal, the others far off", "pairs of equal groups"):
        for spreads in SPREADS:
            for groups in (5, 6, 12, 24):
                yield make(groups, spreads=spreads, layout=layout)
    for groups, spreads in product((12, 30), ("equal", "one 5 times")):
        yield make(groups, spreads=spreads)
    for spreads in ("equal", "1:5", "as in the real runs"):
        for images in (360, 10_000):
            yield make(5, spreads=spreads, images=images)
        yield make(5, spreads=spreads, correlation=0.7)
        yield make(5, spreads=spreads, correlation=0.7, layout="two equal, the others far off")
        for tails in ("t with 3 degrees of freedom", "one run in 20 bad"):
            yield make(5, spreads=spreads, tails=tails)


UNPAIRED = [
    Design(5, seeds, own_seeds=own, spreads=spreads, reference=reference, layout=layout)
    for seeds, own in ((3, 3), (4, 4), (3, 10), (4, 30), (5, 5))
    for spreads in ("equal", "1:5", "one 5 times")
    for reference in (False, True)
    for layout in ("all equal", "pairs of equal groups")
]  # fmt: skip
"""Designs whose groups have other seeds: no test is paired."""

AT_THE_LIMIT = [
    *(Design(2, seeds, correlation=-0.5) for seeds in (3, 4, 5)),
    *(
        Design(5, seeds, spreads="one 5 times", tails="exponential", layout="two equal, the others far off")
        for seeds in (3, 4, 5)
    ),
]
"""Designs that no real run has shown: seeds that are good for one activation and bad for another, and accuracies of
exponential skewness."""


# --- tests of a pair: p of each study and pair ------------------------------------------------------------------------


def _moments(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return n, mean and variance over the seeds, studies x groups."""
    n = (~np.isnan(values)).sum(axis=2)
    return n, np.nanmean(values, axis=2), np.nanvar(values, axis=2, ddof=1)


def paired_t(design: Design, values: Floats, *, least: float = 0.0) -> Floats:
    """Return p of Student's paired t test; the variance of differences is at least `least`."""
    (first, second), n = design.sides, design.seeds
    variance = np.maximum(_variance_of_differences(design, values), least)
    difference = values.mean(axis=2)[:, first] - values.mean(axis=2)[:, second]
    constant = variance < 1e-18
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * special.stdtr(n - 1.0, -np.abs(difference) / np.sqrt(variance / n))
    return np.where(constant, np.where(np.abs(difference) < 1e-9, 1.0, 2.0 ** (1 - n)), p)


def _variance_of_differences(design: Design, values: Floats) -> Floats:
    centred = values - values.mean(axis=2, keepdims=True)
    products = np.einsum("sai,sbi->sab", centred, centred) / (design.seeds - 1)
    first, second = design.sides
    variance: Floats = products[:, first, first] + products[:, second, second] - 2 * products[:, first, second]
    return variance


def paired_t_floored(design: Design, values: Floats) -> Floats:
    return paired_t(design, values, least=1 / (3 * design.images**2))


def welch_t(design: Design, values: Floats, least: Floats | float = 0.0, *, less_freedom: bool = False) -> Floats:
    """Return p of Welch's test; the variance of each group is at least `least`.

    With `less_freedom`, the degrees of freedom lie two thirds of the way from those of the smaller group to Welch's; if
    the sizes differ by more than 1:2, they are those of the smaller group.
    """
    n, mean, variance = _moments(values)
    squared = np.maximum(variance, least) / n
    first, second = design.sides
    total = squared[:, first] + squared[:, second]
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = total**2 / (squared[:, first] ** 2 / (n[:, first] - 1) + squared[:, second] ** 2 / (n[:, second] - 1))
        if less_freedom:
            fewer, more = np.minimum(n[:, first], n[:, second]), np.maximum(n[:, first], n[:, second])
            freedom = fewer - 1 + np.where(more > 2 * fewer, 0, 2 / 3) * (freedom - (fewer - 1))
        p = 2 * special.stdtr(freedom, -np.abs(mean[:, first] - mean[:, second]) / np.sqrt(total))
    return np.where(total == 0, np.where(mean[:, first] == mean[:, second], 1.0, 0.1), p)


def welch_t_of_log_errors(design: Design, values: Floats, *, less_freedom: bool = False) -> Floats:
    errors = design.images * (1 - values)
    share = np.maximum(1 - np.nanmean(values, axis=2), 0.5 / design.images)
    least = 1 / (12 * design.images**2) / share**2
    return welch_t(design, -np.log((errors + 0.5) / (design.images + 1)), least, less_freedom=less_freedom)


def by_seeds(design: Design, values: Floats) -> Floats:
    """Return p of the tests that comparisons use: the number of seeds decides which."""
    if design.own_seeds is None and design.seeds >= 5:
        return paired_t_floored(design, values)
    p_values: Floats = np.where(
        _on_log_scale(design), welch_t_of_log_errors(design, values, less_freedom=True), welch_t(design, values)
    )
    return p_values


def _on_log_scale(design: Design) -> Calls:
    """Return the pairs that comparisons test on the scale of the logarithm."""
    first, second = design.sides
    fewer = np.minimum(np.array(design.sizes)[first], np.array(design.sizes)[second])
    return np.isin(fewer, (3, 4))


# --- corrections: the pairs that are called different -----------------------------------------------------------------


def by_holm(design: Design, p_values: Floats) -> Calls:
    return _adjusted(p_values, holm, p_values.shape[1])


def by_shaffer(design: Design, p_values: Floats) -> Calls:
    sides = list(zip(*(side.tolist() for side in design.sides), strict=True))
    return _adjusted(p_values, lambda row: shaffer(row, sides, design.groups), len(sides))


def by_hochberg(design: Design, p_values: Floats) -> Calls:
    return _adjusted(p_values, _hochberg, 1)


def _adjusted(p_values: Floats, adjust: Callable[[list[float]], list[float]], least: int) -> Calls:
    """Adjust the p values of each study; the correction multiplies the smallest by `least` or more."""
    calls = np.zeros(p_values.shape, dtype=np.bool_)
    for study in np.flatnonzero(p_values.min(axis=1) * least <= ALPHA):
        calls[study] = np.array(adjust(p_values[study].tolist())) <= ALPHA
    return calls


def _hochberg(p_values: list[float]) -> list[float]:
    """Return the p values adjusted after Hochberg (1988), a step-up procedure."""
    order = np.argsort(p_values)[::-1]
    multiplied = np.arange(1, len(order) + 1) * np.array(p_values)[order]
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum.accumulate(multiplied)
    return [float(p) for p in adjusted]


def dunnett(design: Design, values: Floats) -> Calls:
    """Step down over Dunnett's critical values, with one variance of all groups (1955; Naik 1975)."""
    freedom = (design.seeds - 1) * (design.groups - 1)
    rest = values - values.mean(axis=2, keepdims=True) - values.mean(axis=1, keepdims=True)
    rest += values.mean(axis=(1, 2), keepdims=True)
    variance = np.maximum((rest**2).sum(axis=(1, 2)) / freedom, 1e-20)[:, None]
    return _largest_t_steps_down(design, values, np.broadcast_to(2 * variance, (len(values), len(design.sides[0]))),
                                 freedom)  # fmt: skip


def dunnett_by_pair(design: Design, values: Floats) -> Calls:
    """Step down over the same critical values, with the variance of each pair's differences."""
    variance = np.maximum(_variance_of_differences(design, values), 1 / (3 * design.images**2))
    return _largest_t_steps_down(design, values, variance, design.seeds - 1)


def _largest_t_steps_down(design: Design, values: Floats, variance: Floats, freedom: int) -> Calls:
    first, second = design.sides
    means = values.mean(axis=2)
    t = np.abs(means[:, first] - means[:, second]) / np.sqrt(variance / design.seeds)
    pairs = t.shape[1]
    order = np.argsort(-t, axis=1)
    critical = np.array([_critical_t(pairs - place, freedom) for place in range(pairs)])
    above = np.logical_and.accumulate(np.take_along_axis(t, order, axis=1) >= critical, axis=1)
    calls = np.zeros_like(above)
    np.put_along_axis(calls, order, above, axis=1)
    return calls


@cache
def _critical_t(pairs: int, freedom: int) -> float:
    """Return the t that the largest of so many exceeds with 5 %, for correlations of 1/2 and one variance."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    scale = np.sqrt(2 * special.gammaincinv(freedom / 2, (np.arange(400) + 0.5) / 400) / freedom)

    def exceeds(t: float) -> float:
        upper, lower = (special.ndtr(nodes[:, None] + sign * math.sqrt(2) * t * scale) for sign in (1, -1))
        return 1 - float((weights[:, None] / weights.sum() * (upper - lower) ** pairs).sum(axis=0).mean())

    low, high = 0.0, 200.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if exceeds(middle) > ALPHA else (low, middle)
    return high


def tukey(design: Design, values: Floats) -> Calls:
    """Compare the studentised range of all groups, with one variance of all (Tukey 1949)."""
    first, second = design.sides
    freedom = design.groups * (design.seeds - 1)
    error = np.sqrt(np.maximum(values.var(axis=2, ddof=1).mean(axis=1), 1e-20) / design.seeds)[:, None]
    means = values.mean(axis=2)
    return np.asarray(np.abs(means[:, first] - means[:, second]) / error > _critical_range(design.groups, freedom))


@cache
def _critical_range(groups: int, freedom: int) -> float:
    return float(stats.studentized_range.ppf(1 - ALPHA, groups, freedom))


Test = Callable[[Design, Floats], Floats]
Correction = Callable[[Design, Floats], Calls]
Procedure = Callable[[Design, Floats], Calls]


def _corrected(test: Test, correction: Correction, design: Design, values: Floats) -> Calls:
    return correction(design, test(design, values))


TESTS: Mapping[str, Test] = {
    "paired t": paired_t,
    "paired t, least variance 1/(3N^2)": paired_t_floored,
    "Welch t": welch_t,
    "Welch t of log errors": welch_t_of_log_errors,
    "the same, less freedom": partial(welch_t_of_log_errors, less_freedom=True),
}


def chosen(*, reference: bool) -> Procedure:
    """Return the procedure of comparisons, for all pairs or for the pairs with one group."""
    return partial(_corrected, by_seeds, by_holm if reference else _by_shaffer_on_one_scale)


def _by_shaffer_on_one_scale(design: Design, p_values: Floats) -> Calls:
    """Correct after Shaffer, or after Holm where some pairs are tested on the scale of the logarithm and some not."""
    return (by_shaffer if len(set(_on_log_scale(design).tolist())) == 1 else by_holm)(design, p_values)


def procedures(*, reference: bool) -> dict[str, Procedure]:
    """Return the procedures for all pairs, or for the pairs with one group."""
    corrections: dict[str, Correction] = {"Holm": by_holm}
    corrections |= {"Hochberg": by_hochberg} if reference else {"Shaffer": by_shaffer}
    made: dict[str, Procedure] = {
        f"{test}, {name}": partial(_corrected, TESTS[test], correction)
        for test in TESTS
        for name, correction in corrections.items()
    }
    others: dict[str, Procedure] = {"Dunnett, step-down": dunnett, "Dunnett by pair, step-down": dunnett_by_pair}
    return made | (others if reference else {"Tukey": tukey})


def false_calls(design: Design, procedure: Procedure, studies: int) -> float:
    """Return the share of studies in which a pair without a true difference is called different."""
    return _share(design, procedure(design, design.draw(studies)))


def _share(design: Design, calls: Calls) -> float:
    return float(calls[:, design.without_difference()].any(axis=1).mean())


# --- power: the real runs ---------------------------------------------------------------------------------------------


REAL_RUNS = Path(__file__).with_name("real_runs.json")
GAPS = {"relu and sigmoid (0.067)": ("relu", "sigmoid"), "relu and tanh (0.018)": ("relu", "tanh")}


def real_runs() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(REAL_RUNS.read_text())
    return content


def found(procedure: Procedure, seeds: int, *, reference: bool) -> dict[str, float]:
    """Return the share of the subsets of so many seeds of the real runs in which each gap is found.

    The gaps are those of sigmoid and of tanh to the others; with a reference, to ReLU.
    """
    runs = real_runs()
    names = list(runs["test_accuracy"])
    table = np.array([list(values.values()) for values in runs["test_accuracy"].values()])
    subsets = np.array(list(combinations(range(table.shape[1]), seeds)))
    design = Design(len(names), seeds, images=runs["images"], reference=reference)
    calls = procedure(design, table[:, subsets].transpose(1, 0, 2))
    sides = [frozenset({names[a], names[b]}) for a, b in zip(*design.sides, strict=True)]
    shares = {title: float(calls[:, sides.index(frozenset(pair))].mean()) for title, pair in GAPS.items()}
    real = [place for place, side in enumerate(sides) if side & {"sigmoid", "tanh"}]
    return {**shares, "all gaps": float(calls[:, real].all(axis=1).mean())}


# --- the command ------------------------------------------------------------------------------------------------------


def main(studies: int = 2000, quick: bool = False) -> None:
    studies = 200 if quick else studies
    typer.echo(
        f"False calls: the worst share over all designs of {studies} studies, and the share of {AGAIN * studies} other"
        f" studies of that design; at most {MOST_FALSE_CALLS:.1%}"
    )
    typer.echo(f"Power: the share of subsets of the real runs that find {', '.join(GAPS)}, all gaps")
    for reference in (False, True):
        typer.echo("\nPairs with one group" if reference else "\nAll pairs")
        for seeds in (3, 4, 5, 7, 10):
            of_seeds = [design for design in designs() if (design.reference, design.seeds) == (reference, seeds)]
            drawn = {design: design.draw(studies) for design in of_seeds[:: 8 if quick else 1]}
            for name, procedure in procedures(reference=reference).items():
                _print_row(name, procedure, drawn, seeds, reference)
    typer.echo("\nThe chosen procedure with other seeds in each group")
    _print_shares(UNPAIRED[:: 8 if quick else 1], studies)
    typer.echo("\nThe chosen procedure in designs that no real runs have shown")
    _print_shares(AT_THE_LIMIT, studies)


def _print_row(name: str, procedure: Procedure, drawn: Mapping[Design, Floats], seeds: int, reference: bool) -> None:
    shares = {design: _share(design, procedure(design, values)) for design, values in drawn.items()}
    worst = max(shares, key=lambda design: shares[design])
    # The largest of many shares is too high an estimate: the design is drawn anew, and more often.
    is_hopeless = shares[worst] > 2 * ALPHA
    repeated = drawn[worst] if is_hopeless else worst.draw(AGAIN * len(drawn[worst]), part=1)
    again = _share(worst, procedure(worst, repeated))
    power = " / ".join(f"{100 * share:3.0f}" for share in found(procedure, seeds, reference=reference).values())
    typer.echo(f"{seeds:2} seeds  {name:43} {shares[worst]:6.2%} {again:6.2%}  power {power}   ({worst.title})")


def _print_shares(some: Sequence[Design], studies: int) -> None:
    for design in some:
        family = "one group" if design.reference else "all pairs"
        share = false_calls(design, chosen(reference=design.reference), studies)
        typer.echo(f"{share:6.2%}  {family}: {design.title}")


if __name__ == "__main__":
    typer.run(main)
