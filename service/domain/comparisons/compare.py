"""The comparison of cells: groups, pairwise tests within one family, verdicts and ranks."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from service.domain.comparisons.answer import (
    ALPHA,
    Comparison,
    Correction,
    Family,
    Group,
    Pair,
    SeedsToDecide,
    Verdict,
)
from service.domain.comparisons.cells import Cell, Factors, key, label
from service.domain.comparisons.effects import effects
from service.domain.comparisons.metrics import Metric, metric_of
from service.domain.comparisons.same import is_named, merged
from service.domain.comparisons.seeds import seeds_for_the_best, seeds_to_decide
from service.domain.comparisons.summary import margin_text, summary
from service.domain.errors import FieldProblem, Invalid
from service.domain.statistics.equivalence import Margin
from service.domain.statistics.exact import compare_rates
from service.domain.statistics.families import holm, rank_ranges, shaffer
from service.domain.statistics.improvement import probabilities_of_more
from service.domain.statistics.seed_table import SeedTable, seed_table
from service.domain.statistics.summary import Floats, Interval, describe, interval_of, within
from service.domain.statistics.t_tests import TTest, t_tests

MOST_PAIRS = 20_000

ImageIntervals = Mapping[frozenset[object], Interval | None]
"""By `cells.key` of a cell's factors."""

Side = tuple[int, int]


class _OfFamily(NamedTuple):
    """The figures of a pair that its family gives: adjusted p values, and the share of runs of a with more than b."""

    p: float
    p_holm: float
    p_equivalence: float
    share_of_more: float | None


_Judged = tuple[Side, TTest, _OfFamily, Verdict]


def compare(
    cells: Iterable[Cell],
    metric: str,
    versus: Factors | None = None,
    images: ImageIntervals | None = None,
    *,
    seeds: bool = False,
    reference: Factors | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compare these cells by the values of `metric` that they hold; their order does not matter.

    Cells whose runs are equal bit for bit are one group, except in the effects of factors. `versus` restricts the
    family to pairs with one group, named by as many of its factors as tell it apart. `images` holds the intervals over
    test images, by cell. `seeds` adds the value of each seed. `reference` is the study's own, which the answer
    mentions. `margin` is the largest difference that does not matter, a share of the figure unless it is an accuracy;
    None takes the metric's own, and 0 no margin. Raises Invalid where the metric is unknown, `versus` names no group or
    more than one, or there are too many pairs.
    """
    chosen = metric_of(metric)
    ordered = sorted(cells, key=lambda cell: (label(cell.factors), repr(cell.factors)))
    of_cells = seed_table([cell.values for cell in ordered])
    different = merged(ordered, versus)
    table = of_cells if len(different) == len(ordered) else seed_table([cell.values for cell in different])
    described = [_group(cell, table.row(row), chosen, images or {}, seeds) for row, cell in enumerate(different)]
    best_first = sorted(range(len(different)), key=lambda row: _place(described[row], chosen))
    groups, table = [described[row] for row in best_first], table.rows(best_first)
    every_cell, ordered = ordered, [different[row] for row in best_first]
    against = None if versus is None else _index_of(versus, ordered)
    sides = _sides(len(groups), against)
    value = chosen.default_margin() if margin is None else margin
    family = Family(
        metric=metric,
        title=chosen.title,
        unit=chosen.unit,
        higher_is_better=chosen.higher_is_better,
        pairs=len(sides),
        versus=None if against is None else groups[against].factors,
        reference=None if reference is None else dict(reference),
        interval_confidence=1 - ALPHA / max(1, len(sides)),
        margin=value or None,
        relative_margin=bool(value) and chosen.scored_on is None,
    )
    pairs, correction = _compare_pairs(groups, ordered, table, sides, family, chosen)
    comparison = Comparison(
        metric=metric,
        groups=_ranked(groups, sides, pairs),
        pairs=pairs,
        family=family.model_copy(
            update={
                "p_correction": correction,
                "disagreements": sum(pair.interval_disagrees for pair in pairs),
                "decision": _decision(correction, family),
            }
        ),
        seeds_needed=seeds_for_the_best(ordered, sides),
        effects=effects(every_cell, of_cells, chosen),
    )
    return comparison.model_copy(update={"summary": summary(comparison)})


def _decision(correction: Correction, family: Family) -> str:
    difference = (
        f"Two groups differ where p, adjusted after {correction} for all pairs of this family, is at most {ALPHA}. The"
        " intervals hold together (Bonferroni) and are stricter: one may contain 0 where the groups differ."
        " No interval reaches beyond the figure's scale."
    )
    if family.margin is None:
        return difference
    return (
        f"{difference} Other groups are equivalent where two one-sided tests, adjusted after Holm, show a difference of"
        f" less than {margin_text(family)}; what neither shows is undecided."
    )


def _group(cell: Cell, values: Floats, metric: Metric, images: ImageIntervals, seeds: bool) -> Group:
    summary = describe(values)
    return Group(
        factors=dict(cell.factors),
        names=[dict(name) for name in cell.all_names],
        n_duplicate=cell.n_duplicate,
        n_diverged=cell.n_diverged,
        n_failed=cell.n_failed,
        n_pending=cell.n_pending,
        interval=within(interval_of(summary), metric.lowest, metric.highest),
        test_image_interval=images.get(key(cell.factors)),
        seeds=dict(sorted(cell.values.items())) if seeds else None,
        **vars(summary),
    )


def _place(group: Group, metric: Metric) -> tuple[bool, float, str]:
    direction = -1 if metric.higher_is_better else 1
    # To 12 digits: means of the same number of correct answers may differ in the last bit.
    return group.mean is None, direction * float(f"{group.mean or 0.0:.12g}"), label(group.factors)


def _index_of(versus: Factors, cells: Sequence[Cell]) -> int:
    matches = [index for index, cell in enumerate(cells) if is_named(cell, versus)]
    if len(matches) == 1:
        return matches[0]
    names, code = (f"{len(matches)} groups", "ambiguous_group") if matches else ("none", "unknown_group")
    detail = f"versus must name one of the groups by its factors; {label(versus)} names {names}"
    raise Invalid(detail, errors=[FieldProblem("versus", detail, code, dict(versus))])


def _sides(groups: int, against: int | None) -> list[Side]:
    """Return the pairs of the family as indices of a and b: the better placed first, or each against one group."""
    if against is not None:
        return [(index, against) for index in range(groups) if index != against]
    if groups * (groups - 1) // 2 > MOST_PAIRS:
        reason = (
            f"{groups} groups make more than {MOST_PAIRS:,} pairs; name one group to compare the others with, group by"
            " fewer fields, or narrow the filter"
        )
        raise Invalid(f"{reason}.", errors=[FieldProblem("versus", reason, "too_many_pairs")])
    return list(combinations(range(groups), 2))


def _compare_pairs(
    groups: Sequence[Group],
    cells: Sequence[Cell],
    table: SeedTable,
    sides: Sequence[Side],
    family: Family,
    metric: Metric,
) -> tuple[list[Pair], Correction]:
    # Where runs of a side diverged, the surviving ones are a selected sample: the pair is not tested.
    testable = [(a, b) for a, b in sides if not (groups[a].n_diverged or groups[b].n_diverged)]
    margin = metric.margin(family.margin or 0.0)
    results = t_tests(
        table, testable, family.interval_confidence, images=[cell.images for cell in cells], margin=margin
    )
    of_pair = dict(zip(testable, results, strict=True))
    tests = [of_pair.get(side) for side in sides]
    # A pair without a test counts with p = 1: the number of pairs is set by the design, not by the runs that survived.
    p_values = [1.0 if test is None else test.p for test in tests]
    after_holm = holm(p_values)
    correction = _correction(tests, family)
    adjusted = after_holm if correction == "Holm" else shaffer(p_values, sides, len(groups))
    equivalence = holm([1.0 if test is None or test.p_equivalence is None else test.p_equivalence for test in tests])
    improvement = probabilities_of_more(table, sides)
    of_family = [_OfFamily(*figures) for figures in zip(adjusted, after_holm, equivalence, improvement, strict=True)]
    judged = [
        (side, test, figures, _verdict(test, figures, family))
        for side, test, figures in zip(sides, tests, of_family, strict=True)
        if test is not None
    ]
    estimates = _estimates(judged, groups, family, margin)
    ends = _ends_of_differences(metric)
    pairs = {
        (a, b): _tested(groups[a], groups[b], test, figures, verdict, estimates.get((a, b)), family, ends)
        for (a, b), test, figures, verdict in judged
    }
    return [pairs.get((a, b)) or _untested(groups[a], groups[b]) for a, b in sides], correction


def _estimates(
    judged: Sequence[_Judged], groups: Sequence[Group], family: Family, margin: Margin | None
) -> dict[Side, SeedsToDecide | None]:
    """Return the seeds that would decide each undecided pair."""
    undecided = [(side, test) for side, test, _, verdict in judged if verdict == "undecided"]
    half_widths = None
    if margin is not None:
        half_widths = [margin.half_width(groups[b].mean or 0.0) for (_, b), _ in undecided]
    estimates = seeds_to_decide([test for _, test in undecided], family.pairs, half_widths)
    return {side: estimate for (side, _), estimate in zip(undecided, estimates, strict=True)}


def _correction(tests: Sequence[TTest | None], family: Family) -> Correction:
    """Return Shaffer's correction for all pairs.

    It relies on all hypotheses being about the same means: if a equals b, and b equals c, then a equals c. Of tests on
    two scales, some of means of accuracies and some of logarithms, that would be an approximation.
    """
    of_log_errors = {test.test == "Welch t of log errors" for test in tests if test is not None}
    return "Shaffer" if family.versus is None and len(of_log_errors) == 1 else "Holm"


def _verdict(test: TTest, figures: _OfFamily, family: Family) -> Verdict:
    if figures.p <= ALPHA:
        return "better" if (test.difference > 0) == family.higher_is_better else "worse"
    return "equivalent" if family.margin is not None and figures.p_equivalence <= ALPHA else "undecided"


def _tested(
    a: Group,
    b: Group,
    test: TTest,
    figures: _OfFamily,
    verdict: Verdict,
    estimate: SeedsToDecide | None,
    family: Family,
    ends: tuple[float, float],
) -> Pair:
    contains_0 = test.interval is not None and test.interval[0] <= 0 <= test.interval[1]
    interval = within(test.interval, *ends)
    share = _improvement(figures.share_of_more, family)
    values = {
        "a": a.factors,
        "b": b.factors,
        "test": test.test,
        "difference": test.difference,
        "interval": interval,
        "p": test.p,
        "p_adjusted": figures.p,
        "p_holm": figures.p_holm,
        "p_attainable": test.p_attainable,
        "hedges_g": test.hedges_g,
        "wilcoxon_p": test.wilcoxon_p,
        "probability_of_improvement": share,
        "p_equivalence": None if family.margin is None else figures.p_equivalence,
        "within_margin": None if family.margin is None else figures.p_equivalence <= ALPHA,
        "verdict": verdict,
        "interval_disagrees": contains_0 and figures.p <= ALPHA,
        "seeds_to_decide": estimate,
        "diverged": None,
    }
    numbers = (test.difference, test.p, test.p_attainable, test.hedges_g, test.wilcoxon_p, *figures, *(interval or ()))
    # Validation refuses a figure that is not finite, and names its field.
    return Pair.unchecked(values) if _finite(numbers) else Pair(**values)


def _finite(figures: Iterable[float | None]) -> bool:
    return math.isfinite(sum(filter(None, figures)))


def _ends_of_differences(metric: Metric) -> tuple[float, float]:
    widest = metric.highest - metric.lowest
    return -widest, widest


def _improvement(share_of_more: float | None, family: Family) -> float | None:
    if share_of_more is None:
        return None
    return share_of_more if family.higher_is_better else 1 - share_of_more


def _untested(a: Group, b: Group) -> Pair:
    difference = None if a.mean is None or b.mean is None else a.mean - b.mean
    if not (a.n_diverged or b.n_diverged):
        return Pair(a=a.factors, b=b.factors, difference=difference, verdict="not tested")
    rates = compare_rates(a.n_diverged, a.n_diverged + a.n, b.n_diverged, b.n_diverged + b.n)
    return Pair(a=a.factors, b=b.factors, difference=difference, verdict="undecided (diverged)", diverged=rates)


def _ranked(groups: Sequence[Group], sides: Sequence[Side], pairs: Sequence[Pair]) -> list[Group]:
    decided = [(side, pair.verdict) for side, pair in zip(sides, pairs, strict=True)]
    wins = [(a, b) for (a, b), verdict in decided if verdict == "better"]
    wins += [(b, a) for (a, b), verdict in decided if verdict == "worse"]
    ranks = rank_ranges(len(groups), wins)
    return [group.model_copy(update={"rank": rank}) for group, rank in zip(groups, ranks, strict=True)]
