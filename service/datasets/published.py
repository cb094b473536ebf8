"""Find a published file in a folder, under the names and in the forms that people have, and check its content."""

import gzip
import hashlib
import re
import zlib
from io import BytesIO
from pathlib import Path

from service.datasets.idx import decode
from service.domain.datasets import MIB, PublishedFile
from service.domain.errors import InvalidData

GZIP = b"\x1f\x8b"
LARGEST_CONTENT = 256 * MIB
"""The most bytes that a file may unpack to. MNIST's training images have 45 MiB."""


class WrongContent(Exception):
    """Bytes are not those of the published file. The message says what they are instead."""


def is_present(folder: Path, file: PublishedFile) -> bool:
    """Return whether a folder has the file, intact or not. Raises InvalidData where the folder cannot be read."""
    return bool(_candidates(folder, file))


def is_intact(folder: Path, file: PublishedFile) -> bool:
    """Return whether a folder has the file with the published content."""
    try:
        return read_content(folder, file) is not None
    except InvalidData:
        return False


def read_content(folder: Path, file: PublishedFile) -> bytes | None:
    """Return the unpacked content of a file in a folder; None where the folder does not have it.

    Raises InvalidData where no file of that name has the published content; it tells the fault of the first. Raises it
    as well where the folder cannot be read.
    """
    faults = []
    for path in _candidates(folder, file):
        try:
            return content_of(path.read_bytes(), file)
        except OSError as problem:
            faults.append(f"{path} cannot be read: {problem.strerror}.")
        except WrongContent as problem:
            faults.append(f"{path} is not the published file: {problem}. Delete it and run `actlab data fetch`.")
    if faults:
        raise InvalidData(faults[0])
    return None


def content_of(stored: bytes, file: PublishedFile) -> bytes:
    """Return the content of a file, unpacked where it is packed by gzip, whatever its name says.

    Raises WrongContent where the MD5 of the content is not the published one.
    """
    try:
        content = _unpacked(stored) if stored.startswith(GZIP) else stored
        _check(content, file)
    except WrongContent as fault:
        raise WrongContent(f"{fault} ({len(stored):,} bytes)") from fault
    return content


def md5(content: bytes) -> str:
    """Return the MD5 by which published files are told from others, as 32 hexadecimal digits."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _candidates(folder: Path, file: PublishedFile) -> list[Path]:
    """Return the files that go by the name of a published one, that name itself first.

    `train-images-idx3-ubyte.gz` goes by `train-images.idx3-ubyte` as well, packed or not, and may lie in a folder of
    its own name, into which some archives unpack it.
    """
    named = _of_one_name(folder, file)
    named += [path for inner in named for path in _of_one_name(inner, file)]
    return sorted((path for path in named if path.is_file()), key=lambda path: path != folder / file.name)


def _of_one_name(folder: Path, file: PublishedFile) -> list[Path]:
    return [path for path in _entries(folder) if _plain(path.name) == _plain(file.name)]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as problem:
        raise InvalidData(f"{folder} cannot be read: {problem.strerror}.") from problem


def _plain(name: str) -> str:
    """Return a name without what differs from one copy to another: letters' case, separators, packing, and the number
    of a browser's second download, as in `train-images-idx3-ubyte (1).gz`."""
    return re.sub(r"[._ ]", "-", re.sub(r" ?\(\d+\)", "", name.lower())).removesuffix("-gz")


def _unpacked(stored: bytes) -> bytes:
    try:
        content = gzip.GzipFile(fileobj=BytesIO(stored)).read(LARGEST_CONTENT + 1)
    except EOFError as problem:
        raise WrongContent("it is truncated") from problem
    except (gzip.BadGzipFile, zlib.error) as problem:
        raise WrongContent(f"it is corrupt, {problem}") from problem
    if len(content) > LARGEST_CONTENT:
        raise WrongContent(f"it unpacks to more than {LARGEST_CONTENT:,} bytes")
    return content


def _check(content: bytes, file: PublishedFile) -> None:
    """Raise WrongContent with the first fault of a content that is not the published one."""
    if (checksum := md5(content)) == file.content_md5:
        return
    if not content:
        raise WrongContent("it is empty")
    if not content.startswith(b"\0\0"):
        raise WrongContent(f"it is no IDX file, packed or not: it begins with {content[:8]!r}")
    try:
        decode(content)
    except ValueError as problem:
        raise WrongContent(str(problem)) from problem
    raise WrongContent(f"it holds other values, of MD5 {checksum} where {file.content_md5} is expected")
