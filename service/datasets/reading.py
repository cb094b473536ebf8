"""Read the published files of a data set from the first place that has them, with numpy alone."""

import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.datasets.arrays import DatasetArrays
from service.datasets.idx import decode, encode
from service.datasets.locations import Locations
from service.datasets.published import is_present, md5, read_content
from service.domain.datasets import DatasetDefinition, Publication
from service.domain.errors import InvalidData

KERAS_ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def read(definition: DatasetDefinition, locations: Locations) -> DatasetArrays | None:
    """Read a published data set from the first place that has its files; None where no place has them all.

    Raises InvalidData where a file in a folder of ours is not the published one.
    """
    if definition.publication is None:
        raise ValueError(f"{definition.name} has no published files")
    for folder in locations.own(definition.name):
        if (arrays := _read_folder(folder, definition.publication)) is not None:
            return DatasetArrays.of(definition, arrays)
    for place in locations.foreign(definition.publication):
        read_place = _read_keras if place.suffix == ".npz" else _read_folder
        try:
            arrays = read_place(place, definition.publication)
        except InvalidData:
            continue  # not ours to repair, and not needed: the next place or a mirror has it
        if arrays is not None:
            return DatasetArrays.of(definition, arrays)
    return None


def missing_files(definition: DatasetDefinition, locations: Locations) -> dict[Path, list[str]]:
    """Return the names of the files that a folder lacks, for each folder that has some of a data set's, but not all."""
    if definition.publication is None:
        return {}
    lacking = {}
    for folder in locations.all(definition):
        with suppress(InvalidData):  # a folder that cannot be read has none of them for us
            lacking[folder] = [file.name for file in definition.publication.files if not is_present(folder, file)]
    return {folder: names for folder, names in lacking.items() if 0 < len(names) < len(definition.publication.files)}


def _read_folder(folder: Path, publication: Publication) -> list[NDArray[np.uint8]] | None:
    """Read the four files; None where one of them is missing. Raises InvalidData where one is not the published one."""
    if not all(is_present(folder, file) for file in publication.files):
        return None
    contents = [read_content(folder, file) for file in publication.files]
    return [decode(content) for content in contents if content is not None]


def _read_keras(path: Path, publication: Publication) -> list[NDArray[np.uint8]] | None:
    """Read the four arrays out of Keras's archive; None where there is none. Raises InvalidData as `_read_folder`."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = [np.ascontiguousarray(archive[key]) for key in KERAS_ARRAYS]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as problem:
        raise InvalidData(f"{path} is not Keras's archive: {problem}") from problem
    for array, published in zip(arrays, publication.files, strict=True):
        if md5(encode(array)) != published.content_md5:
            raise InvalidData(f"{path} holds other values than {published.name}")
    return arrays
