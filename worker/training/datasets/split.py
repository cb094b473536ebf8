"""Stratified choices of images, which depend on the data set alone: every experiment sees the same ones."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.domain.errors import InvalidData

Positions = NDArray[np.intp]
"""Ascending positions in the training set, (n,)."""


@dataclass(frozen=True)
class Split:
    """Two parts of the training set that share no image."""

    train: Positions
    validation: Positions


def split(
    labels: NDArray[np.integer],
    dataset: str,
    fraction: float,
    classes: Sequence[int] | None = None,
    train_samples: int | None = None,
) -> Split:
    """Split a training set of n images with these labels, (n,).

    int(n * fraction) images are set aside for validation, at least one of each class. Then classes other than `classes`
    are dropped, and `train_samples` of the remaining training images are taken. Raises InvalidData where fewer remain.
    """
    least = len(np.unique(labels))
    validation, train = stratified(labels, max(int(len(labels) * fraction), least), dataset)
    if classes is not None:
        train, validation = (part[np.isin(labels[part], classes)] for part in (train, validation))
    if train_samples is not None:
        if train_samples > len(train):
            raise InvalidData(
                f"train_samples asks for {train_samples:,} images, but {dataset} has {len(train):,} of these classes"
                " beside the validation share. Lower train_samples or name more classes."
            )
        train = train[stratified(labels[train], train_samples, dataset)[0]]
    return Split(train, validation)


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
