"""A data set in memory, as numpy arrays of unsigned bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from service.domain.datasets import DatasetDefinition
from service.domain.errors import InvalidData

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class DatasetArrays:
    """Images as uint8 (n, channels, height, width), 0 to 255, and labels as uint8 (n,), the numbers of the classes."""

    name: str
    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes

    @classmethod
    def of(cls, definition: DatasetDefinition, arrays: Sequence[Bytes]) -> Self:
        """Build the data set from training images and labels, then test images and labels.

        Images may lack the axis of a single channel. Raises InvalidData where a number or a shape is not the data
        set's.
        """
        train_images, train_labels, test_images, test_labels = arrays
        return cls(
            definition.name,
            _images(definition, train_images, definition.training_images),
            _labels(definition, train_labels, definition.training_images),
            _images(definition, test_images, definition.test_images),
            _labels(definition, test_labels, definition.test_images),
        )


def _images(definition: DatasetDefinition, images: Bytes, number: int) -> Bytes:
    channels, height, width = definition.shape
    shape = (number, channels, height, width)
    if images.shape == shape or (channels == 1 and images.shape == (number, height, width)):
        return images.reshape(shape)
    raise InvalidData(f"{definition.name}: the images have shape {images.shape}, expected {shape}.")


def _labels(definition: DatasetDefinition, labels: Bytes, number: int) -> Bytes:
    if labels.shape != (number,) or (labels >= definition.classes).any():
        raise InvalidData(
            f"{definition.name}: the labels have shape {labels.shape} and values up to {labels.max(initial=0)},"
            f" expected {(number,)} and values below {definition.classes}."
        )
    return labels
