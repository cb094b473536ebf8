import hashlib

import numpy as np
import pytest

from service.datasets.arrays import DatasetArrays
from service.datasets.packaged import READERS, load
from service.domain.datasets import DATASETS

DIGESTS = {
    "mnist_5k": "b6a673d65e420af4aee3d6eabda64dbb",
    "digits": "f9a83048249fc987957a94990ba3bb0b",
}


def load_packaged(name: str) -> DatasetArrays:
    return load(DATASETS[name])


def test_every_data_set_is_published_or_packaged() -> None:
    assert READERS.keys() == {name for name, definition in DATASETS.items() if definition.publication is None}


@pytest.mark.parametrize("name", READERS)
def test_packaged_data_set_stays_the_same(name: str) -> None:
    """Stored results of other versions were made with these very images, in this order."""
    definition, dataset = DATASETS[name], load_packaged(name)
    assert dataset.train_images.shape == (definition.training_images, *definition.shape)
    assert dataset.test_images.shape == (definition.test_images, *definition.shape)
    assert dataset.train_images.dtype == np.uint8
    labels = [part.astype(np.int64) for part in (dataset.train_labels, dataset.test_labels)]
    parts = (dataset.train_images, labels[0], dataset.test_images, labels[1])
    content = b"".join(part.tobytes() for part in parts)
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == DIGESTS[name]


def test_mnist_5k_is_stratified() -> None:
    dataset = load_packaged("mnist_5k")
    assert np.bincount(dataset.train_labels).tolist() == [400] * 10
    assert np.bincount(dataset.test_labels).tolist() == [100] * 10


def test_digits_keep_their_range_when_enlarged() -> None:
    dataset = load_packaged("digits")
    assert (int(dataset.train_images.min()), int(dataset.train_images.max())) == (0, 255)
