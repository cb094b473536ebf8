"""Cells whose runs are equal bit for bit, such as those of swish and silu: one group with several names."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.comparisons.cells import Cell, Factors, key

OfSeeds = Mapping[int, object]


@dataclass
class _Class:
    """Cells that agree with each other, and what they have for each seed of any of them."""

    cells: list[Cell]
    of_seeds: OfSeeds


def suspects(cells: Sequence[Cell]) -> list[Cell]:
    """Return the cells whose values equal those of another cell for every common seed.

    Only their runs have to be read to tell which cells are the same. Cells are compared if they have the same value for
    the lowest seed of both, so that the time grows with the number of cells and not of pairs.
    """
    classes = _classes(cells, lambda cell: cell.values)
    return [cell for members in classes if len(members) > 1 for cell in members]


def merged(cells: Sequence[Cell], first: Factors | None = None) -> list[Cell]:
    """Merge the cells whose runs are equal bit for bit for every common seed, in place of the first one of them.

    A merged cell keeps the factors of its first member, or of the one that `first` names, and has all of them as
    `names`. Each seed counts once: runs that repeat a value are duplicates.
    """
    return [_merge(members, first) for members in _classes(cells, lambda cell: cell.bits)]


def is_named(cell: Cell, factors: Factors) -> bool:
    """Return whether these factors, or more of them, are among the names of a cell."""
    return any(key(factors) <= key(name) for name in cell.all_names)


def _classes(cells: Sequence[Cell], read: Callable[[Cell], OfSeeds]) -> list[list[Cell]]:
    """Sort cells into classes, each of cells that have the same for the lowest seed and for every common one."""
    classes: list[_Class] = []
    by_lowest_seed: dict[object, list[_Class]] = defaultdict(list)
    for cell in cells:
        of_seeds = read(cell)
        lowest = min(of_seeds, default=None)
        near = [] if lowest is None else by_lowest_seed[lowest, of_seeds[lowest]]
        known = next((other for other in near if _agrees(other.of_seeds, of_seeds)), None)
        if known is None:
            known = _Class([cell], of_seeds)
            classes.append(known)
            near.append(known)
        else:
            known.cells.append(cell)
            known.of_seeds = {**known.of_seeds, **of_seeds}
    return [known.cells for known in classes]


def _agrees(of_seeds: OfSeeds, others: OfSeeds) -> bool:
    return all(of_seeds.get(seed, value) == value for seed, value in others.items())


def _merge(cells: Sequence[Cell], first: Factors | None) -> Cell:
    if len(cells) == 1:
        return cells[0]
    ordered = sorted(cells, key=lambda cell: first is None or not is_named(cell, first))
    values = {seed: value for cell in ordered for seed, value in cell.values.items()}
    # Equal runs diverge together, and mostly fail together; a seed that has a value counts as one that has.
    n_diverged = max(cell.n_diverged for cell in cells)
    n_failed = max(cell.n_failed for cell in cells)
    n_ended = sum(len(cell.values) + cell.n_duplicate + cell.n_diverged + cell.n_failed for cell in cells)
    return replace(
        ordered[0],
        values=values,
        n_duplicate=n_ended - len(values) - n_diverged - n_failed,
        n_diverged=n_diverged,
        n_failed=n_failed,
        n_pending=sum(cell.n_pending for cell in cells),
        names=tuple(cell.factors for cell in ordered),
    )
