"""Single test images of the data sets whose files this machine has. Nothing is downloaded."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.datasets import packaged, png
from service.datasets.arrays import Bytes, DatasetArrays
from service.datasets.locations import Locations
from service.datasets.reading import read
from service.domain.datasets import DATASETS
from service.domain.errors import DatasetNotFound, DatasetNotOnServer, ImageNotFound, InvalidData

AGAIN_SECONDS = 10.0
"""The shortest time between two looks for the files of a data set: to find a damaged one takes half a second."""


@dataclass(frozen=True)
class _TestSet:
    images: Bytes
    labels: Bytes


@dataclass(frozen=True)
class _Missing:
    reason: str
    seen: float  # by time.monotonic


class ImageSource:
    """The test images that a process has read. It keeps each data set that was asked for: 8 MB of MNIST's size."""

    def __init__(self, locations: Locations) -> None:
        self._locations = locations
        self._sets: dict[str, _TestSet | _Missing] = {}
        self._lock = threading.Lock()

    def png(self, dataset: str, index: int, classes: Sequence[int] = ()) -> bytes:
        """Return a test image as the content of a PNG file.

        `index` counts the test images from 0: those of `classes` alone where it names any, as results do. Raises
        DatasetNotFound, DatasetNotOnServer or ImageNotFound.
        """
        found = self._test_set(dataset)
        places = np.flatnonzero(np.isin(found.labels, classes)) if classes else np.arange(len(found.labels))
        if not 0 <= index < len(places):
            of = f" of the classes {', '.join(map(str, classes))}" if classes else ""
            raise ImageNotFound(
                f"{dataset} has {len(places):,} test images{of}, numbered from 0; none is number {index}."
            )
        return png.encode(found.images[places[index]])

    def missing(self, dataset: str) -> str | None:
        """Return why the images of a data set cannot be shown; None where they can. Raises DatasetNotFound."""
        try:
            self._test_set(dataset)
        except DatasetNotOnServer as problem:
            return problem.detail
        return None

    def _test_set(self, dataset: str) -> _TestSet:
        if dataset not in DATASETS:
            raise DatasetNotFound(f"There is no data set {dataset!r}; there are {', '.join(DATASETS)}.")
        known = self._sets.get(dataset)
        if isinstance(known, _TestSet):
            return known
        with self._lock:  # the others wait while one request reads
            known = self._sets.get(dataset)
            if known is None or (isinstance(known, _Missing) and time.monotonic() - known.seen > AGAIN_SECONDS):
                known = self._sets[dataset] = self._read(dataset)
        if isinstance(known, _Missing):
            raise DatasetNotOnServer(f"This server cannot show images of {dataset}: {known.reason}")
        return known

    def _read(self, dataset: str) -> _TestSet | _Missing:
        try:
            arrays = self._arrays(dataset)
        except InvalidData as problem:
            return _Missing(problem.detail, time.monotonic())
        if arrays is None:
            reason = f"it lacks the files. Run `actlab data fetch {dataset}` on it, or set its ACTLAB_DATA_DIR."
            return _Missing(reason, time.monotonic())
        # Copies, so that the training images can go.
        return _TestSet(arrays.test_images.copy(), arrays.test_labels.copy())

    def _arrays(self, dataset: str) -> DatasetArrays | None:
        definition = DATASETS[dataset]
        return packaged.load(definition) if definition.publication is None else read(definition, self._locations)
