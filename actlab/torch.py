"""Trained networks from their files of weights. It needs the extra `worker`, which has torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from actlab.errors import MissingLibrary

try:
    from worker.training import saved_weights
    from worker.training.saved_weights import UnreadableWeights
except ModuleNotFoundError as error:
    raise MissingLibrary(f"{error.name} is not installed: pip install 'actlab[worker]'", name=error.name) from error

if TYPE_CHECKING:
    from worker.training.model import Network

__all__ = ["UnreadableWeights", "load", "metadata"]


def load(file: str | Path, device: str = "cpu") -> Network:
    """Return the network of a file of weights, in evaluation mode, on a device of torch.

    The network maps images as float (N, channels, height, width), 0 to 1, to logits (N, outputs). Raises
    UnreadableWeights for a file that does not contain its spec.
    """
    return saved_weights.load(Path(file), device)


def metadata(file: str | Path) -> dict[str, Any]:
    """Return what a file of weights says about itself, without reading the weights.

    `spec` is the whole spec with its seed, `dataset` its data set, `score` the epoch with its test loss and test
    accuracy, `fingerprint` the versions of torch, numpy and ActLab with the device, and `experiment` the id. Raises
    UnreadableWeights.
    """
    return saved_weights.read_metadata(Path(file))
