"""Stratified choices of images, which depend on the data set alone: every experiment sees the same ones."""

import zlib

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.intp]
"""Ascending positions in a set of images, (n,)."""


def stratified(labels: NDArray[np.integer], count: int, key: str) -> tuple[Positions, Positions]:
    """Return the positions of `count` of the n labels, each class in proportion, and the positions of the others.

    The choice depends on the labels and the key alone.
    """
    chosen = np.zeros(len(labels), dtype=bool)
    for members, share in zip(_by_class(labels), _shares(labels, count), strict=True):
        # RandomState's streams are frozen (NEP 19); those of numpy's newer generators may change with a release.
        order = np.random.RandomState(zlib.crc32(key.encode())).permutation(len(members))
        chosen[members[order[:share]]] = True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


def _by_class(labels: NDArray[np.integer]) -> list[Positions]:
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _shares(labels: NDArray[np.integer], count: int) -> list[int]:
    """Return how many of each class are taken: in proportion, rounded by the largest remainders.

    On ties the lower class comes first.
    """
    sizes = np.unique(labels, return_counts=True)[1]
    whole, remainders = np.divmod(sizes * count, len(labels))
    most_remaining = np.argsort(-remainders, kind="stable")[: count - whole.sum()]
    whole[most_remaining] += 1
    return [int(share) for share in whole]
