"""The split of a training set, which depends on the data set alone: every experiment sees the same images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.datasets.stratified import Positions, stratified
from service.domain.errors import InvalidData


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
