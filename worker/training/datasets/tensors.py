"""Data sets as tensors of unsigned bytes."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from service.datasets import loading, packaged
from service.datasets.arrays import DatasetArrays
from service.datasets.download import ReportProgress
from service.datasets.locations import Locations
from service.domain.datasets import DATASETS


@dataclass(frozen=True)
class Dataset:
    """Images as uint8 (n, channels, height, width), 0 to 255, and labels as int64 (n,), the numbers of the classes."""

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor

    @classmethod
    def of(cls, arrays: DatasetArrays) -> Self:
        """Copy arrays into tensors on the CPU."""
        return cls(
            arrays.name,
            torch.from_numpy(arrays.train_images.copy()),
            torch.from_numpy(arrays.train_labels.copy()).long(),
            torch.from_numpy(arrays.test_images.copy()),
            torch.from_numpy(arrays.test_labels.copy()).long(),
        )

    def to(self, device: torch.device | str) -> "Dataset":
        tensors = (self.train_images, self.train_labels, self.test_images, self.test_labels)
        return Dataset(self.name, *(tensor.to(device) for tensor in tensors))


class Datasets:
    """The data sets that a worker has used, each loaded once and kept on one device."""

    def __init__(self, locations: Locations, device: torch.device | str = "cpu") -> None:
        self.locations = locations
        self.device = device
        self._loaded: dict[str, Dataset] = {}

    @property
    def loaded(self) -> frozenset[str]:
        """The names of the data sets that `get` returns at once."""
        return frozenset(self._loaded)

    def get(self, name: str, report: ReportProgress = lambda *_: None) -> Dataset:
        """Return a data set. `report` follows a download. Raises InvalidData where it is damaged or nowhere, and
        DownloadUnavailable, which is one, where it may be downloaded later."""
        if name not in self._loaded:
            self._loaded[name] = load(name, self.locations, report).to(self.device)
        return self._loaded[name]


def load(name: str, locations: Locations, report: ReportProgress = lambda *_: None) -> Dataset:
    """Read a data set from its package or its files, which are downloaded where no folder has them.

    `report` follows a download. Raises InvalidData where the data set is damaged or nowhere, and DownloadUnavailable,
    which is one, where it may be downloaded later.
    """
    definition = DATASETS[name]
    if definition.publication is None:
        return Dataset.of(packaged.load(definition))
    return Dataset.of(loading.load(definition, locations, report))
