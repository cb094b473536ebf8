"""The change of a run's weights within the last step of an epoch, and since the start."""

import hashlib

import torch
from torch import Tensor, nn

from service.domain.network import HEAD
from worker.training.model import Network
from worker.training.state import TrainingState

_WEIGHTS, _DIGESTS = "kernels_before_last_step", "digests_at_start"  # in TrainingState.hook_state


def layers(network: Network) -> dict[str, nn.Module]:
    """Return every layer with parameters by its name, from the input to the output."""
    return {**network.named_blocks(), HEAD: network.output}


def kernels(network: Network) -> dict[str, nn.Parameter]:
    """Return the weights (units, inputs, ...) of every layer by its name, from the input to the output."""
    return {name: kernel.weight for name, kernel in network.kernels().items()}


def note_start(state: TrainingState) -> None:
    state.hook_state[_DIGESTS] = _digests(state.network)


def unchanged(state: TrainingState) -> dict[str, bool]:
    """Return by layer whether every parameter has the bits it started with; nothing where the start was not noted."""
    at_start = state.hook_state.get(_DIGESTS)
    return {} if at_start is None else {name: at_start[name] == now for name, now in _digests(state.network).items()}


def note_step(state: TrainingState) -> None:
    """Copy the weights before the last step of an epoch. Call it after every step and after every epoch."""
    if state.step == state.steps_per_epoch - 1:
        state.hook_state[_WEIGHTS] = {name: kernel.detach().clone() for name, kernel in kernels(state.network).items()}


def last_step(state: TrainingState) -> dict[str, float]:
    """Return by layer |change| / |kernel| of the epoch's last step, and drop the copy.

    Nothing is returned where that step was not taken, because training diverged.
    """
    before: dict[str, Tensor] = state.hook_state.pop(_WEIGHTS, {})
    now = kernels(state.network)
    return {name: _ratio(old.to(state.device), now[name].detach()) for name, old in before.items()}


def _ratio(old: Tensor, new: Tensor) -> float:
    """Return |new - old| / |old|; NaN where all old weights are 0."""
    change, size = (torch.linalg.vector_norm(x, dtype=torch.float64) for x in (new - old, old))
    return float(change / size)


def _digests(network: Network) -> dict[str, str]:
    return {name: _digest(layer) for name, layer in layers(network).items()}


def _digest(layer: nn.Module) -> str:
    digest = hashlib.sha256()
    for parameter in layer.parameters():
        digest.update(parameter.detach().contiguous().cpu().numpy().tobytes())
    return digest.hexdigest()
