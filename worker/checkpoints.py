"""Checkpoint files: a crash leaves the old one or the new one, and they are read only where their SHA-256 agrees."""

import hashlib
import io
import pickle
import shutil
from pathlib import Path
from uuid import UUID

import torch

from service.process.faults import Faults
from service.storage.queue.leases import Checkpoint, Fence
from worker.durable import durable
from worker.training.state import Snapshot


class UnusableCheckpoint(Exception):
    """Raised for a checkpoint whose file is missing, damaged or unsafe to load. Training starts over."""


class Checkpoints:
    """Files named `<folder>/<experiment>/<attempt>-<step>.pt`, so that no two attempts write the same one."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self._folder = folder
        self._faults = faults

    def write(self, fence: Fence, epoch: int, step: int, snapshot: Snapshot) -> Checkpoint:
        """Write a snapshot and return its record. File and folder have then reached the disk. Raises OSError where they
        cannot."""
        file = self.folder(fence.id) / f"{fence.attempt}-{step}.pt"
        # Saved to memory first: torch.save into a file that cannot grow raises a RuntimeError that names no cause.
        content = io.BytesIO()
        torch.save(snapshot, content)
        with durable(file) as unfinished:
            unfinished.write_bytes(content.getbuffer())
            digest = _sha256(unfinished)
            self._faults.reach("checkpoint.before_rename")
        self._faults.reach("checkpoint.after_rename")
        return Checkpoint(epoch, step, str(file.relative_to(self._folder)), digest)

    def read(self, checkpoint: Checkpoint) -> Snapshot:
        """Return the snapshot in a checkpoint's file. Raises UnusableCheckpoint unless the file is unchanged."""
        file = self._folder / checkpoint.path
        try:
            if _sha256(file) != checkpoint.sha256:
                raise UnusableCheckpoint(f"{file} is damaged: its SHA-256 is not the one recorded.")
            # weights_only: tensors and plain values, never objects that would run code.
            snapshot: Snapshot = torch.load(file, map_location="cpu", weights_only=True)
        except FileNotFoundError as error:
            raise UnusableCheckpoint(f"{file} does not exist.") from error
        except pickle.UnpicklingError as error:
            raise UnusableCheckpoint(f"{file} holds more than tensors and plain values.") from error
        return snapshot

    def drop_others(self, fence: Fence, keep: Checkpoint) -> None:
        """Delete the files of this attempt and older ones except for `keep`.

        Files of newer attempts stay: an attempt that has lost its lease without noticing must not delete them.
        """
        for file in self.folder(fence.id).glob("*.pt"):
            if file != self._folder / keep.path and int(file.name.partition("-")[0]) <= fence.attempt:
                file.unlink(missing_ok=True)

    def drop_all(self, experiment: UUID) -> None:
        """Delete all checkpoints of an experiment that has ended."""
        shutil.rmtree(self.folder(experiment), ignore_errors=True)

    def folder(self, experiment: UUID) -> Path:
        return self._folder / str(experiment)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
