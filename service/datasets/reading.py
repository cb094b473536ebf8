"""Find, check and read the published files of a data set, with numpy alone."""

import gzip
import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.datasets.arrays import DatasetArrays
from service.datasets.idx import decode, encode
from service.datasets.locations import Locations
from service.domain.datasets import DatasetDefinition, Publication, PublishedFile
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


def is_intact(path: Path, file: PublishedFile) -> bool:
    """Return whether this is the published gzip file."""
    return path.is_file() and _md5(path.read_bytes()) == file.md5


def _read_folder(folder: Path, publication: Publication) -> list[NDArray[np.uint8]] | None:
    """Read the four files, packed or unpacked; None where one of them is missing.

    Raises InvalidData where a file is there but is not the published one, or cannot be read.
    """
    paths = [_present(folder, file) for file in publication.files]
    if None in paths:
        return None
    return [_read_file(path, file) for path, file in zip(paths, publication.files, strict=True) if path is not None]


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
        if _md5(encode(array)) != published.content_md5:
            raise InvalidData(f"{path} holds other values than {published.unpacked_name}")
    return arrays


def _present(folder: Path, file: PublishedFile) -> Path | None:
    packed, unpacked = folder / file.name, folder / file.unpacked_name
    if packed.is_file():
        return packed
    return unpacked if unpacked.is_file() and file.content_md5 is not None else None


def _read_file(path: Path, file: PublishedFile) -> NDArray[np.uint8]:
    is_packed = path.name == file.name
    expected = file.md5 if is_packed else file.content_md5
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InvalidData(f"{path} cannot be read: {problem.strerror}.") from problem
    checksum = _md5(content)
    if checksum != expected:
        raise InvalidData(
            f"{path} is not the published file: {_fault(content, is_packed)} ({len(content):,} bytes, MD5 {checksum};"
            f" expected MD5 {expected}). Delete it and run `actlab data fetch`."
        )
    return decode(gzip.decompress(content) if is_packed else content)


def _fault(content: bytes, is_packed: bool) -> str:
    """Say what is wrong with a file whose checksum is."""
    if is_packed and content[:2] != b"\x1f\x8b":
        return f"it is not a gzip file, it begins with {content[:8]!r}"
    try:
        decode(gzip.decompress(content) if is_packed else content)
    except EOFError:
        return "it is truncated"
    except (gzip.BadGzipFile, zlib.error) as problem:
        return f"it is corrupt, {problem}"
    except ValueError as problem:
        return str(problem)
    return "it holds other values"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
