"""Checkpoint files: written so that a crash leaves the old one or the new one, read only where their hash agrees."""

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
    """The file is missing, damaged or from another version: training starts over."""


class Checkpoints:
    """Files `<folder>/<experiment>/<attempt>-<step>.pt`: no two attempts ever write the same one."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self._folder = folder
        self._faults = faults

    def write(self, fence: Fence, epoch: int, step: int, snapshot: Snapshot) -> Checkpoint:
        """Durable when it returns: file and folder have reached the disk. OSError where they cannot."""
        file = self.folder(fence.id) / f"{fence.attempt}-{step}.pt"
        # By way of memory: into a file that cannot grow, torch.save fails with a RuntimeError that names no cause.
        content = io.BytesIO()
        torch.save(snapshot, content)
        with durable(file) as unfinished:
            unfinished.write_bytes(content.getbuffer())
            digest = _sha256(unfinished)
            self._faults.reach("checkpoint.before_rename")
        self._faults.reach("checkpoint.after_rename")
        return Checkpoint(epoch, step, str(file.relative_to(self._folder)), digest)

    def read(self, checkpoint: Checkpoint) -> Snapshot:
        """UnusableCheckpoint unless the file is the one that was written, byte for byte."""
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
        """Remove what the pointer has moved past: of this attempt and older ones. A newer attempt's file is none of
        this one's business, whatever it believes to hold."""
        for file in self.folder(fence.id).glob("*.pt"):
            if file != self._folder / keep.path and int(file.name.partition("-")[0]) <= fence.attempt:
                file.unlink(missing_ok=True)

    def drop_all(self, experiment: UUID) -> None:
        """Nothing resumes a terminal experiment."""
        shutil.rmtree(self.folder(experiment), ignore_errors=True)

    def folder(self, experiment: UUID) -> Path:
        return self._folder / str(experiment)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
