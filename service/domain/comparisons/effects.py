"""Main effects: what each factor does on average over the others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from service.domain.comparisons.answer import ALPHA, Effect, Level
from service.domain.comparisons.cells import Cell, Factor, Factors, key, label
from service.domain.comparisons.metrics import Metric
from service.domain.statistics.summary import Floats, Interval, describe, mean_interval

Column = Sequence[float]
"""One level's mean over the combinations of the other factors, for each seed."""


def effects(cells: Sequence[Cell], metric: Metric) -> list[Effect]:
    """Of each factor that varies; none unless at least two do, for then the groups say it all.

    A mean is only comparable with another over the same things. So a seed counts where every cell that has any value
    has one for it, and a combination of the other factors where every level has values; the rest is left out, counted.
    """
    names = cells[0].factors if cells else {}
    varying = [name for name in names if len({key({name: cell.factors[name]}) for cell in cells}) > 1]
    if len(varying) < 2:
        return []
    seen = [cell for cell in cells if cell.values]
    every = set().union(*(cell.values for cell in seen))
    common = sorted(every.intersection(*(cell.values for cell in seen)))
    values = np.array([[cell.values[seed] for seed in common] for cell in seen])
    return [_effect(name, seen, values, len(every) - len(common), metric) for name in varying]


def _effect(factor: str, cells: Sequence[Cell], values: Floats, left_out: int, metric: Metric) -> Effect:
    """`values` has a row for each cell and a column for each seed."""
    levels, rows = _crossed(cells, factor)
    whole = [row for row in rows if len(row) == len(levels)]
    seeds = values.shape[-1] if len(values) else 0
    columns = {level: _column(values[[row[level] for row in whole]]) for level in levels} if seeds and whole else {}
    best_first = sorted(columns, key=lambda level: _place(columns[level], levels[level], metric))
    largest = _largest([columns[level] for level in best_first])
    return Effect(
        factor=factor,
        levels=[_level(levels[level], columns[level]) for level in best_first],
        n=seeds,
        n_left_out=left_out,
        combinations=len(whole),
        n_combinations_left_out=len(rows) - len(whole),
        range=largest[0],
        range_interval=largest[1],
        reason=None if columns else _reason(seeds),
    )


def _crossed(
    cells: Sequence[Cell], factor: str
) -> tuple[dict[frozenset[object], Factor], list[dict[frozenset[object], int]]]:
    """The levels of a factor, and for each combination of the others the place of the cell of each level."""
    levels: dict[frozenset[object], Factor] = {}
    rows: dict[frozenset[object], dict[frozenset[object], int]] = defaultdict(dict)
    for place, cell in enumerate(cells):
        level = key({factor: cell.factors[factor]})
        levels.setdefault(level, cell.factors[factor])
        rows[key(_others(cell.factors, factor))][level] = place
    return levels, list(rows.values())


def _others(factors: Factors, factor: str) -> Mapping[str, Factor]:
    return {name: value for name, value in factors.items() if name != factor}


def _column(values: Floats) -> Column:
    column: Column = np.sort(values, axis=0).mean(axis=0).tolist()  # sorted: the order of cells must not round it
    return column


def _place(column: Column, level: Factor, metric: Metric) -> tuple[float, str]:
    mean = describe(column).mean or 0.0
    return float(f"{-mean if metric.higher_is_better else mean:.12g}"), label({"": level})


def _level(value: Factor, column: Column) -> Level:
    return Level(value=value, mean=describe(column).mean or 0.0, interval=mean_interval(column))


def _largest(best_first: Sequence[Column]) -> tuple[float | None, Interval | None]:
    """Best level minus worst, with an interval that holds for all pairs of levels."""
    if not best_first:
        return None, None
    differences = [best - worst for best, worst in zip(best_first[0], best_first[-1], strict=True)]
    pairs = max(1, len(best_first) * (len(best_first) - 1) // 2)
    interval = mean_interval(differences, 1 - ALPHA / pairs)
    spread = interval is not None and interval[0] < interval[1]
    return describe(differences).mean, interval if spread else None


def _reason(seeds: int) -> str:
    if not seeds:
        return "No seed has a value in every cell."
    return "No combination of the other factors has a value at every level."
