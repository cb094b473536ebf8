import hashlib
import resource
from pathlib import Path

import pytest
import torch

from service.process.faults import Faults, InjectedFault
from service.storage.queue.leases import Checkpoint, Fence
from service.storage.tables.base import new_id
from worker.checkpoints import Checkpoints, UnusableCheckpoint

SNAPSHOT = {"format": 1, "weights": {"w": torch.arange(3.0)}, "order": [1, 2]}


@pytest.fixture
def fence() -> Fence:
    return Fence(new_id(), 2)


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path, Faults())


def test_read_returns_the_written_snapshot(checkpoints: Checkpoints, fence: Fence) -> None:
    written = checkpoints.write(fence, 1, 30, SNAPSHOT)
    assert (written.epoch, written.step, written.path) == (1, 30, f"{fence.id}/2-30.pt")
    read = checkpoints.read(written)
    assert torch.equal(read["weights"]["w"], SNAPSHOT["weights"]["w"])  # type: ignore[index]
    assert read["order"] == [1, 2]


@pytest.mark.parametrize("point", ["checkpoint.before_rename", "checkpoint.after_rename"])
def test_write_leaves_the_older_file_usable_after_a_crash(tmp_path: Path, fence: Fence, point: str) -> None:
    older = Checkpoints(tmp_path, Faults()).write(fence, 1, 30, SNAPSHOT)
    crashing = Checkpoints(tmp_path, Faults.parse(f"{point}:error"))
    with pytest.raises(InjectedFault):
        crashing.write(fence, 2, 60, SNAPSHOT)
    assert crashing.read(older)["format"] == 1
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "other"])
def test_read_rejects_a_file_that_is_not_the_recorded_one(
    checkpoints: Checkpoints, tmp_path: Path, fence: Fence, damage: str
) -> None:
    written = checkpoints.write(fence, 1, 30, SNAPSHOT)
    file = tmp_path / written.path
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(content[:-10])
    elif damage == "flipped":
        file.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    else:
        written = Checkpoint(1, 30, written.path, "0" * 64)
    with pytest.raises(UnusableCheckpoint):
        checkpoints.read(written)


def test_write_raises_os_error_and_leaves_nothing_on_a_full_disk(
    checkpoints: Checkpoints, tmp_path: Path, fence: Fence
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            checkpoints.write(fence, 1, 30, {"weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_read_rejects_a_file_that_would_run_code(checkpoints: Checkpoints, tmp_path: Path, fence: Fence) -> None:
    """A party with write access to the folder and the database still cannot run code in a worker."""
    file = tmp_path / "evil.pt"
    torch.save(Path("/"), file)  # any object that needs its class to be rebuilt
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(UnusableCheckpoint):
        checkpoints.read(Checkpoint(1, 1, "evil.pt", digest))


def test_drop_others_deletes_older_files(checkpoints: Checkpoints, tmp_path: Path, fence: Fence) -> None:
    checkpoints.write(fence, 1, 30, SNAPSHOT)
    newest = checkpoints.write(fence, 2, 60, SNAPSHOT)
    checkpoints.drop_others(fence, newest)
    assert [file.name for file in (tmp_path / str(fence.id)).iterdir()] == ["2-60.pt"]
    checkpoints.drop_all(fence.id)
    assert not (tmp_path / str(fence.id)).exists()


def test_drop_others_keeps_the_file_of_a_newer_attempt(checkpoints: Checkpoints, tmp_path: Path, fence: Fence) -> None:
    """Frozen between moving the pointer and tidying up, it wakes after another attempt has written."""
    mine = checkpoints.write(fence, 1, 30, SNAPSHOT)
    checkpoints.write(Fence(fence.id, fence.attempt + 1), 2, 60, SNAPSHOT)
    checkpoints.drop_others(fence, mine)
    assert sorted(file.name for file in (tmp_path / str(fence.id)).iterdir()) == ["2-30.pt", "3-60.pt"]
