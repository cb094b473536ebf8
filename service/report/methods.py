"""The methods section: sentences on the statistics that were used."""

from collections.abc import Sequence

from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.summary import margin_text
from service.domain.report import Report, name_of

TESTS = {
    "paired t": "Student's paired t test over the seeds that both groups have",
    "Welch t": "Welch's t test, since the groups share too few seeds",
    "Welch t of log errors": "Welch's t test of the logarithm of the number of errors, since there are 3 or 4 seeds",
}


def methods(report: Report) -> list[str]:
    """Return sentences on the experiments that count, the intervals, the tests and their correction."""
    return [
        "Every group holds one experiment a seed. Experiments with the same seed draw their initial weights, the order"
        " of batches and dropout from the same random streams, so that groups are compared in pairs.",
        "The validation set is a fixed stratified part of the training set; the test set is read once, after training.",
        _family(report.comparison),
        report.comparison.family.decision,
        report.comparison.family.intervals,
        *_margin(report.comparison),
        *_ranks(report.comparison),
        *_seeds(report.comparison),
    ]


def _family(comparison: Comparison) -> str:
    family = comparison.family
    pairs = "pairs of groups" if family.versus is None else f"pairs of a group with {name_of(family.versus)}"
    return (
        f"Decided in one metric, {family.title.lower()}, over {family.pairs} {pairs}: {_tests(comparison)}."
        f" p values are adjusted after {family.p_correction}."
    )


def _ranks(comparison: Comparison) -> list[str]:
    if comparison.family.versus is not None:
        return []
    return [
        "A rank is a range: from 1 + the number of groups significantly better, to the number of groups less those"
        " significantly worse."
    ]


def _margin(comparison: Comparison) -> list[str]:
    if comparison.family.margin is None:
        return ["No margin was set, so that no groups are called equivalent."]
    return [f"The margin within which a difference does not matter is {margin_text(comparison.family)}."]


def _tests(comparison: Comparison) -> str:
    used: Sequence[str] = list(dict.fromkeys(TESTS[pair.test] for pair in comparison.pairs if pair.test is not None))
    return "; ".join(used) or "none could be tested"


def _seeds(comparison: Comparison) -> list[str]:
    needed = comparison.seeds_needed
    if needed is None:
        return []
    pair = f"{name_of(needed.a)} and {name_of(needed.b)}"
    if needed.seeds is None:
        return [f"How many seeds would separate {pair} cannot be estimated from these {needed.n}."]
    return [
        f"Estimate: {needed.seeds} seeds a group would separate {pair} with {needed.power:.0%} power, if the difference"
        f" and spread of these {needed.n} seeds were the true ones."
    ]
