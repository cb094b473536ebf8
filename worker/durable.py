"""Files that a crash leaves whole or not at all, a power cut included."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def durable(file: Path) -> Iterator[Path]:
    """Gives a path to write to; when the block ends, that is the file, on the disk with its folders. OSError where it
    cannot be."""
    _make_folder(file.parent)
    unfinished = file.with_suffix(".tmp")
    try:
        yield unfinished
        _fsync(unfinished)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    _fsync(file.parent)  # without it a power cut may forget the rename


def _make_folder(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        _fsync(each.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
