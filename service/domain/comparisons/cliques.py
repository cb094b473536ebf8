"""Mean ranks of groups, and sets of groups between which no difference was found."""

from collections.abc import Iterator, Mapping, Sequence, Set

import numpy as np

from service.domain.comparisons.answer import Comparison
from service.domain.comparisons.cells import Cell, key

Neighbours = Mapping[int, Set[int]]


def mean_ranks(comparison: Comparison, cells: Sequence[Cell]) -> dict[int, float]:
    """Return the mean rank of each group with a figure, by its place in the list of groups; 1 is best.

    Groups are ranked at each seed that all of them have, and by their means where there is no such seed. Equal values
    share the mean of their ranks.
    """
    values_of = {key(cell.factors): cell.values for cell in cells}
    measured = [index for index, group in enumerate(comparison.groups) if group.mean is not None]
    values = [values_of[key(comparison.groups[index].factors)] for index in measured]
    common = sorted(set.intersection(*(set(of_group) for of_group in values))) if values else []
    rows = [[of_group[seed] for of_group in values] for seed in common]
    rows = rows or [[comparison.groups[index].mean or 0.0 for index in measured]]
    signed = np.array(rows) * (-1 if comparison.family.higher_is_better else 1)
    less = (signed[:, None, :] < signed[:, :, None]).sum(axis=2)
    equal = (signed[:, None, :] == signed[:, :, None]).sum(axis=2)  # itself included
    ranks = less + (equal + 1) / 2  # (seeds, groups)
    return dict(zip(measured, ranks.mean(axis=0).tolist(), strict=True))


def not_different(comparison: Comparison) -> list[list[int]]:
    """Return the largest sets of groups of which no pair is better or worse, as places in the list of groups.

    Sets of one group are left out. A group may be in several sets, since "no difference was found" is not transitive.
    The comparison must be one of all pairs. Groups without a figure are in no set.
    """
    place = {key(group.factors): index for index, group in enumerate(comparison.groups) if group.mean is not None}
    neighbours: dict[int, set[int]] = {index: set() for index in place.values()}
    for pair in comparison.pairs:
        a, b = place.get(key(pair.a)), place.get(key(pair.b))
        if a is not None and b is not None and pair.verdict not in ("better", "worse"):
            neighbours[a].add(b)
            neighbours[b].add(a)
    return sorted(sorted(clique) for clique in _maximal(set(), set(neighbours), set(), neighbours) if len(clique) > 1)


def _maximal(chosen: set[int], open_: set[int], seen: set[int], neighbours: Neighbours) -> Iterator[set[int]]:
    """Yield the maximal cliques with all of `chosen`, any of `open_` and none of `seen` (Bron and Kerbosch 1973)."""
    if not open_ and not seen:
        yield chosen
    if not open_:
        return
    pivot = max(open_ | seen, key=lambda index: len(neighbours[index] & open_))
    for index in sorted(open_ - neighbours[pivot]):
        yield from _maximal(chosen | {index}, open_ & neighbours[index], seen & neighbours[index], neighbours)
        open_ = open_ - {index}
        seen = seen | {index}
