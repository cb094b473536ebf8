"""Main effects: the mean of each level of a factor, averaged over the other factors."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from service.domain.comparisons.answer import ALPHA, Effect, Level
from service.domain.comparisons.cells import Cell, Factor, Factors, key, label
from service.domain.comparisons.metrics import Metric
from service.domain.statistics.seed_table import SeedTable
from service.domain.statistics.summary import Floats, Interval, describe, mean_interval, within

Column = Sequence[float]
"""One level's mean over the combinations of the other factors, for each seed."""


def effects(cells: Sequence[Cell], table: SeedTable, metric: Metric) -> list[Effect]:
    """Return the main effect of each factor that varies; empty where fewer than two do, since the groups then say it.

    `table` has the values of the cells, in their order. Means are comparable only over the same seeds and combinations.
    A seed counts where every cell that has any value has one for it, and a combination of the other factors counts
    where every level has values; the rest is left out, and counted.
    """
    names = cells[0].factors if cells else {}
    varied = [name for name in names if len({key({name: cell.factors[name]}) for cell in cells}) > 1]
    if len(varied) < 2:
        return []
    filled = np.flatnonzero(table.mask.any(axis=1))
    common = np.flatnonzero(table.mask[filled].all(axis=0))
    n_left_out = table.mask.shape[1] - len(common)
    values = table.values[np.ix_(filled, common)]
    measured = [cells[row] for row in filled.tolist()]
    return [_effect(name, measured, values, n_left_out, metric) for name in varied]


def _effect(factor: str, cells: Sequence[Cell], values: Floats, left_out: int, metric: Metric) -> Effect:
    """`values` has a row for each cell and a column for each seed."""
    levels, rows = _crossed(cells, factor)
    whole = [row for row in rows if len(row) == len(levels)]
    seeds = values.shape[-1] if len(values) else 0
    columns = {level: _column(values[[row[level] for row in whole]]) for level in levels} if seeds and whole else {}
    best_first = sorted(columns, key=lambda level: _place(columns[level], levels[level], metric))
    largest = _largest([columns[level] for level in best_first], metric)
    return Effect(
        factor=factor,
        levels=[_level(levels[level], columns[level], metric) for level in best_first],
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
    """Return the levels of a factor, and for each combination of the other factors the index of the cell of each
    level."""
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
    # Sorted, so that the order of the cells does not change the rounding.
    column: Column = np.sort(values, axis=0).mean(axis=0).tolist()
    return column


def _place(column: Column, level: Factor, metric: Metric) -> tuple[float, str]:
    mean = describe(column).mean or 0.0
    return float(f"{-mean if metric.higher_is_better else mean:.12g}"), label({"": level})


def _level(value: Factor, column: Column, metric: Metric) -> Level:
    interval = within(mean_interval(column), metric.lowest, metric.highest)
    return Level(value=value, mean=describe(column).mean or 0.0, interval=interval)


def _largest(best_first: Sequence[Column], metric: Metric) -> tuple[float | None, Interval | None]:
    """Return best level minus worst, with an interval that holds for all pairs of levels."""
    if not best_first:
        return None, None
    differences = [best - worst for best, worst in zip(best_first[0], best_first[-1], strict=True)]
    pairs = max(1, len(best_first) * (len(best_first) - 1) // 2)
    interval = mean_interval(differences, 1 - ALPHA / pairs)
    spread = interval is not None and interval[0] < interval[1]
    widest = metric.highest - metric.lowest
    return describe(differences).mean, within(interval, -widest, widest) if spread else None


def _reason(seeds: int) -> str:
    if not seeds:
        return "No seed has a value in every cell."
    return "No combination of the other factors has a value at every level."
