import os
from pathlib import Path

import pytest

from worker.durable import durable


def test_durable_syncs_the_file_then_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a" / "b" / "weights.safetensors"
    seen: list[tuple[int, bool]] = []  # inode, and whether the file had its name

    def fsync(descriptor: int) -> None:
        seen.append((os.fstat(descriptor).st_ino, file.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with durable(file) as unfinished:
        unfinished.write_bytes(b"whole")
        assert not file.exists()
    assert file.read_bytes() == b"whole"
    assert seen[-2:] == [(file.stat().st_ino, False), (file.parent.stat().st_ino, True)]
    made_in = {((tmp_path / "a").stat().st_ino, False), (tmp_path.stat().st_ino, False)}
    assert made_in <= set(seen)


def test_durable_keeps_the_older_file_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"older")
    with pytest.raises(OSError, match="full"):
        write_half(file)
    assert file.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [file]


def write_half(file: Path) -> None:
    with durable(file) as unfinished:
        unfinished.write_bytes(b"ha")
        raise OSError("full")
