"""The comparison of cells: groups, pairwise tests within one family, verdicts and ranks."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from service.domain.comparisons.answer import ALPHA, Comparison, Family, Group, Pair, Verdict
from service.domain.comparisons.cells import Cell, Factors, key, label
from service.domain.comparisons.effects import effects
from service.domain.comparisons.metrics import Metric, metric_of
from service.domain.comparisons.same import is_named, merged
from service.domain.comparisons.seeds import seeds_for_the_best
from service.domain.comparisons.summary import summary
from service.domain.errors import FieldProblem, Invalid
from service.domain.statistics.exact import compare_rates
from service.domain.statistics.families import holm, rank_ranges
from service.domain.statistics.summary import Interval, describe, mean_interval
from service.domain.statistics.t_tests import TTest, t_tests

MOST_PAIRS = 20_000

ImageIntervals = Mapping[frozenset[object], Interval | None]
"""By `cells.key` of a cell's factors."""

Side = tuple[int, int]


def compare(
    cells: Iterable[Cell],
    metric: str,
    versus: Factors | None = None,
    images: ImageIntervals | None = None,
    *,
    seeds: bool = False,
    reference: Factors | None = None,
) -> Comparison:
    """Compare these cells by the values of `metric` that they hold; their order does not matter.

    Cells whose runs are equal bit for bit are one group, except in the effects of factors. `versus` restricts the
    family to pairs with one group, named by as many of its factors as tell it apart. `images` holds the intervals over
    test images, by cell. `seeds` adds the value of each seed. `reference` is the study's own, which the answer
    mentions. Raises Invalid where the metric is unknown, `versus` names no group or more than one, or there are too
    many pairs.
    """
    chosen = metric_of(metric)
    ordered = sorted(cells, key=lambda cell: (label(cell.factors), repr(cell.factors)))
    described = [(_group(cell, images or {}, seeds), cell) for cell in merged(ordered, versus)]
    described.sort(key=lambda pair: _place(pair[0], chosen))
    every_cell, groups, ordered = ordered, [group for group, _ in described], [cell for _, cell in described]
    against = None if versus is None else _index_of(versus, ordered)
    sides = _sides(len(groups), against)
    confidence = 1 - ALPHA / max(1, len(sides))
    pairs = _compare_pairs(groups, ordered, sides, confidence, chosen)
    comparison = Comparison(
        metric=metric,
        groups=_ranked(groups, sides, pairs),
        pairs=pairs,
        family=Family(
            metric=metric,
            title=chosen.title,
            unit=chosen.unit,
            higher_is_better=chosen.higher_is_better,
            pairs=len(pairs),
            versus=None if against is None else groups[against].factors,
            reference=None if reference is None else dict(reference),
            interval_confidence=confidence,
            disagreements=sum(pair.interval_disagrees for pair in pairs),
        ),
        seeds_needed=seeds_for_the_best(ordered, len(pairs)),
        effects=effects(every_cell, chosen),
    )
    return comparison.model_copy(update={"summary": summary(comparison)})


def _group(cell: Cell, images: ImageIntervals, seeds: bool) -> Group:
    by_seed = dict(sorted(cell.values.items()))
    values = np.array(list(by_seed.values()))
    return Group(
        factors=dict(cell.factors),
        names=[dict(name) for name in cell.all_names],
        n_duplicate=cell.n_duplicate,
        n_diverged=cell.n_diverged,
        n_failed=cell.n_failed,
        n_pending=cell.n_pending,
        interval=mean_interval(values),
        test_image_interval=images.get(key(cell.factors)),
        seeds=by_seed if seeds else None,
        **vars(describe(values)),
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
    groups: Sequence[Group], cells: Sequence[Cell], sides: Sequence[Side], confidence: float, metric: Metric
) -> list[Pair]:
    # Where runs of a side diverged, the surviving ones are a selected sample: the pair is not tested.
    testable = [(a, b) for a, b in sides if not (groups[a].n_diverged or groups[b].n_diverged)]
    results = dict(zip(testable, t_tests([cell.values for cell in cells], testable, confidence), strict=True))
    tests = [results.get(side) for side in sides]
    # A pair without a test counts with p = 1: the number of pairs is set by the design, not by the runs that survived.
    adjusted = holm([1.0 if test is None else test.p for test in tests])
    return [
        _untested(groups[a], groups[b]) if test is None else _tested(groups[a], groups[b], test, p, metric)
        for (a, b), test, p in zip(sides, tests, adjusted, strict=True)
    ]


def _tested(a: Group, b: Group, test: TTest, p_holm: float, metric: Metric) -> Pair:
    verdict: Verdict = "not separable"
    if p_holm <= ALPHA:
        verdict = "better" if (test.difference > 0) == metric.higher_is_better else "worse"
    contains_0 = test.interval is not None and test.interval[0] <= 0 <= test.interval[1]
    disagrees = contains_0 and verdict != "not separable"
    return Pair(
        a=a.factors, b=b.factors, p_holm=p_holm, verdict=verdict, interval_disagrees=disagrees, **vars(test)
    )  # fmt: skip


def _untested(a: Group, b: Group) -> Pair:
    difference = None if a.mean is None or b.mean is None else a.mean - b.mean
    if not (a.n_diverged or b.n_diverged):
        return Pair(a=a.factors, b=b.factors, difference=difference, verdict="not tested")
    rates = compare_rates(a.n_diverged, a.n_diverged + a.n, b.n_diverged, b.n_diverged + b.n)
    return Pair(a=a.factors, b=b.factors, difference=difference, verdict="not separable (diverged)", diverged=rates)


def _ranked(groups: Sequence[Group], sides: Sequence[Side], pairs: Sequence[Pair]) -> list[Group]:
    decided = [(side, pair.verdict) for side, pair in zip(sides, pairs, strict=True)]
    wins = [(a, b) for (a, b), verdict in decided if verdict == "better"]
    wins += [(b, a) for (a, b), verdict in decided if verdict == "worse"]
    ranks = rank_ranges(len(groups), wins)
    return [group.model_copy(update={"rank": rank}) for group, rank in zip(groups, ranks, strict=True)]
