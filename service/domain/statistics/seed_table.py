"""The values of groups in one table, a row a group and a column a seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from service.domain.statistics.summary import Floats, Mask


@dataclass(frozen=True)
class SeedTable:
    """Groups by seeds in ascending order: the values, 0 where a group has none, and the mask of those there are."""

    values: Floats
    mask: Mask

    def rows(self, groups: Sequence[int]) -> Self:
        """Return the table of these groups, in this order."""
        return replace(self, values=self.values[groups], mask=self.mask[groups])

    def row(self, group: int) -> Floats:
        """Return the values that a group has, in the order of their seeds."""
        values: Floats = self.values[group, self.mask[group]]
        return values


def seed_table(groups: Sequence[Mapping[int, float]]) -> SeedTable:
    """Return the table of `groups`, each given as value by seed."""
    seeds = [np.fromiter(group, np.int64, len(group)) for group in groups]
    rows = [np.fromiter(group.values(), np.float64, len(group)) for group in groups]
    if seeds and all(np.array_equal(row, seeds[0]) for row in seeds):  # mostly, and without sorting the seeds of each
        order = np.argsort(seeds[0])
        values = np.stack(rows)[:, order]
        return SeedTable(values, np.ones(values.shape, dtype=np.bool_))
    columns = np.unique(np.concatenate([np.empty(0, np.int64), *seeds]))
    values, mask = np.zeros((len(groups), len(columns))), np.zeros((len(groups), len(columns)), dtype=np.bool_)
    for row, of_group in enumerate(rows):
        at = np.searchsorted(columns, seeds[row])
        values[row, at], mask[row, at] = of_group, True
    return SeedTable(values, mask)
