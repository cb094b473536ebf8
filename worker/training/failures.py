"""Exceptions that end training without a result, other than those of a callback or of the machine."""

import torch

POISONS = ("CUDA error", "CUDA driver error", "cuDNN error")
"""Parts of the messages of errors after which CUDA may fail in this process for ever."""


def is_poison(error: BaseException) -> bool:
    """Return whether an error, or one that led to it, says that CUDA can no longer be used in this process.

    A failed kernel leaves PyTorch's context on the device in error, so that each later call fails as well. Memory that
    PyTorch's allocator could not get is no such error.
    """
    if isinstance(error, torch.OutOfMemoryError):
        return False
    if isinstance(error, torch.AcceleratorError):
        return True
    if isinstance(error, RuntimeError) and any(part in str(error) for part in POISONS):
        return True
    origin = error.__cause__ or error.__context__
    return origin is not None and is_poison(origin)


class Diverged(Exception):
    """Raised where the loss became infinite or NaN, first at this step of this epoch (both counted from 1)."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__(f"The loss became infinite or NaN in epoch {epoch}, step {step}.")
        self.epoch = epoch
        self.step = step


class TimedOut(Exception):
    """Raised where training took longer than the spec's max_seconds, which are `seconds`."""

    def __init__(self, seconds: float, epoch: int, step: int) -> None:
        super().__init__(f"{seconds:,.0f} s were allowed; they ended in epoch {epoch}, step {step}.")
        self.seconds = seconds
        self.epoch = epoch
        self.step = step


class UnknownSnapshot(Exception):
    """Raised for a snapshot of another version of ActLab, which this one cannot continue."""
