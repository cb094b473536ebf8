"""Files that are whole or absent after a crash or a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def durable(file: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, and rename it to `file` when the block ends.

    File and folders have then reached the disk. After an error an older file stays. Raises OSError where the disk
    refuses.
    """
    _make_folder(file.parent)
    unfinished = file.with_suffix(".tmp")
    try:
        yield unfinished
        _fsync(unfinished)
        unfinished.rename(file)
    finally:
        unfinished.unlink(missing_ok=True)
    _fsync(file.parent)  # otherwise a power cut may undo the rename


def _make_folder(folder: Path) -> None:
    missing = [ancestor for ancestor in (folder, *folder.parents) if not ancestor.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for ancestor in missing:
        _fsync(ancestor.parent)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
