"""How a run's weights move: within the last step of an epoch, and ever since the start."""

import hashlib

import torch
from torch import Tensor, nn

from worker.training.model import Network
from worker.training.state import Progress

_WEIGHTS, _DIGESTS = "kernels_before_last_step", "digests_at_start"  # in Progress.kept


def layers(network: Network) -> dict[str, nn.Module]:
    """Every layer with parameters, from the input to the output."""
    return {**network.named_blocks(), "output": network.output}


def kernels(network: Network) -> dict[str, nn.Parameter]:
    """By layer, (units, inputs, ...)."""
    blocks = {name: block.kernel.weight for name, block in network.named_blocks().items()}
    return {**blocks, "output": network.output.weight}


def note_start(progress: Progress) -> None:
    progress.kept[_DIGESTS] = _digests(progress.network)


def unchanged(progress: Progress) -> dict[str, bool]:
    """By layer, whether every parameter has the bits it started with; empty where the start was not noted."""
    at_start = progress.kept.get(_DIGESTS)
    return {} if at_start is None else {name: at_start[name] == now for name, now in _digests(progress.network).items()}


def note_step(progress: Progress) -> None:
    """Call it after every step and after every epoch: before the last step of an epoch it keeps a copy."""
    if progress.step == progress.steps_per_epoch - 1:
        progress.kept[_WEIGHTS] = {name: kernel.detach().clone() for name, kernel in kernels(progress.network).items()}


def last_step(progress: Progress) -> dict[str, float]:
    """By layer, |change| / |kernel| of the epoch's last step; empty where it was not done (divergence). Once only."""
    before: dict[str, Tensor] = progress.kept.pop(_WEIGHTS, {})
    now = kernels(progress.network)
    return {name: _ratio(old.to(progress.device), now[name].detach()) for name, old in before.items()}


def _ratio(old: Tensor, new: Tensor) -> float:
    """NaN where all weights are 0."""
    change, size = (torch.linalg.vector_norm(x, dtype=torch.float64) for x in (new - old, old))
    return float(change / size)


def _digests(network: Network) -> dict[str, str]:
    return {name: _digest(layer) for name, layer in layers(network).items()}


def _digest(layer: nn.Module) -> str:
    digest = hashlib.sha256()
    for parameter in layer.parameters():
        digest.update(parameter.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
