"""Independent random streams of an experiment, each seeded by (seed, purpose).

None depends on the activation, the dropout rates or the batch size, so that experiments with one seed are pairs: they
start from the same weights and see the images in the same order.
"""

import hashlib

import torch
from torch import Tensor


class Streams:
    """The random streams of one experiment.

    `init` lives on the CPU, so that weights do not depend on the device; the others live on the device.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu") -> None:
        self.seed = seed
        self.init = _generator(seed, "init", "cpu")
        # Separate streams: with one, a dropout rate of 0 in one place would shift the masks of the other.
        self.conv_dropout = _generator(seed, "dropout/conv", device)
        self.dense_dropout = _generator(seed, "dropout/dense", device)
        self.activation = _generator(seed, "activation", device)

    def order(self, epoch: int, images: int) -> Tensor:
        """Return the order of the images in an epoch: a permutation, int64 (images,), on the CPU. It has no state."""
        return torch.randperm(images, generator=_generator(self.seed, f"order/{epoch}", "cpu"))

    def state_dict(self) -> dict[str, Tensor]:
        return {name: generator.get_state() for name, generator in self._consumed().items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, generator in self._consumed().items():
            generator.set_state(state[name])

    def _consumed(self) -> dict[str, torch.Generator]:
        """Return the streams that training draws from."""
        return {
            "conv_dropout": self.conv_dropout,
            "dense_dropout": self.dense_dropout,
            "activation": self.activation,
        }


def _generator(seed: int, purpose: str, device: torch.device | str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)
