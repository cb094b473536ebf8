"""MNIST's files: the IDX format, which files make a data set, and whether what lies in a folder is really that.

Format: two zero bytes, a type (8: unsigned byte), the number of axes, each axis's length as a big-endian 32-bit
integer, then the values row by row. Source: http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from service.domain.errors import InvalidData
from service.domain.spec import DatasetName

UNSIGNED_BYTE = 8


@dataclass(frozen=True)
class IdxFile:
    """One file of a data set. `content_md5` is of the unpacked file, where it is known."""

    name: str
    md5: str
    content_md5: str | None = None

    @property
    def unpacked_name(self) -> str:
        return self.name.removesuffix(".gz")


@dataclass(frozen=True)
class Source:
    """A data set published as four IDX files: training images and labels, then test images and labels."""

    dataset: DatasetName
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    mirrors: tuple[str, ...]  # URLs to which a file's name is appended
    torchvision: str  # the folder's name under torchvision's root
    keras: str  # the file or folder under ~/.keras/datasets


SOURCES: dict[str, Source] = {
    "mnist": Source(
        dataset="mnist",
        files=(
            IdxFile(
                "train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", "6bbc9ace898e44ae57da46a324031adb"
            ),
            IdxFile(
                "train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", "a25bea736e30d166cdddb491f175f624"
            ),
            IdxFile(
                "t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", "2646ac647ad5339dbf082846283269ea"
            ),
            IdxFile(
                "t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", "27ae3e4e09519cfbb04c329615203637"
            ),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        torchvision="MNIST",
        keras="mnist.npz",
    ),
    "fashion_mnist": Source(
        dataset="fashion_mnist",
        files=(
            IdxFile("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            IdxFile("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            IdxFile("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            IdxFile("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        torchvision="FashionMNIST",
        keras="fashion-mnist",
    ),
}


def read_folder(folder: Path, source: Source) -> list[NDArray[np.uint8]] | None:
    """The four arrays: images (n, 28, 28), labels (n,), packed or unpacked; None where one of the files is missing.

    Raises InvalidData where a file is there but is not the published one, or cannot be read.
    """
    paths = [_present(folder, file) for file in source.files]
    if None in paths:
        return None
    return [_read(path, file) for path, file in zip(paths, source.files, strict=True) if path is not None]


def read_npz(path: Path, source: Source) -> list[NDArray[np.uint8]] | None:
    """The four arrays out of Keras's archive, or None where there is none. Raises InvalidData as `read_folder`."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = [np.ascontiguousarray(archive[key]) for key in ("x_train", "y_train", "x_test", "y_test")]
    except (OSError, ValueError, KeyError, EOFError, zlib.error, zipfile.BadZipFile) as problem:
        raise InvalidData(f"{path} is not Keras's archive: {problem}") from problem
    for array, published in zip(arrays, source.files, strict=True):
        if _md5(encode(array)) != published.content_md5:
            raise InvalidData(f"{path} holds other values than {published.unpacked_name}")
    return arrays


def encode(array: NDArray[np.uint8]) -> bytes:
    """The content of an unpacked IDX file with these values."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def decode(content: bytes) -> NDArray[np.uint8]:
    """The values of an unpacked IDX file of unsigned bytes. Raises ValueError saying what was found instead."""
    if len(content) < 4 or content[:3] != bytes((0, 0, UNSIGNED_BYTE)):
        raise ValueError(f"the magic number is {content[:4].hex() or 'missing'}, not 000008nn")
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError("it ends inside its header")
    shape = struct.unpack(f">{axes}I", content[4:start])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - start != expected:
        raise ValueError(f"it holds {len(content) - start:,} values where its header promises {expected:,}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def intact(path: Path, file: IdxFile) -> bool:
    """Whether this is the published gzip file."""
    return path.is_file() and _md5(path.read_bytes()) == file.md5


def _present(folder: Path, file: IdxFile) -> Path | None:
    packed, unpacked = folder / file.name, folder / file.unpacked_name
    if packed.is_file():
        return packed
    return unpacked if unpacked.is_file() and file.content_md5 is not None else None


def _read(path: Path, file: IdxFile) -> NDArray[np.uint8]:
    packed = path.name == file.name
    expected = file.md5 if packed else file.content_md5
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise InvalidData(f"{path} cannot be read: {problem.strerror}.") from problem
    found = _md5(content)
    if found != expected:
        raise InvalidData(
            f"{path} is not the published file: {_fault(content, packed)} ({len(content):,} bytes, MD5 {found};"
            f" expected MD5 {expected}). Delete it and run `actlab data fetch`."
        )
    return decode(gzip.decompress(content) if packed else content)


def _fault(content: bytes, packed: bool) -> str:
    """What is wrong with a file whose checksum is."""
    if packed and content[:2] != b"\x1f\x8b":
        return f"it is not a gzip file, it begins with {content[:8]!r}"
    try:
        decode(gzip.decompress(content) if packed else content)
    except EOFError:
        return "it is truncated"
    except (gzip.BadGzipFile, zlib.error) as problem:
        return f"it is corrupt, {problem}"
    except ValueError as problem:
        return str(problem)
    return "it holds other values"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
