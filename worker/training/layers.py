"""The layers of the network: PyTorch's own with explicit random streams and the article's constants."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from service.domain.network import KERNEL_SIDE

BATCH_NORM_EPSILON = 1e-3  # Keras's default, which the article ran with; PyTorch's is 1e-5
SIXTEEN_BITS = 2**16


class Convolution(nn.Conv2d):
    """A valid 3x3 convolution of (N, inputs, H, W) to (N, outputs, H - 2, W - 2), its weight in channels-last format.

    Before batch normalisation the bias is not added: it would be subtracted again, and its gradient is rounding noise
    that Adam scales up to full steps. It stays a parameter at 0, so that counts and exported weights are the
    article's. Leaving it out took a step on 2 cores from 74 to 70 ms.
    """

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, inputs: int, outputs: int, *, add_bias: bool) -> None:
        super().__init__(inputs, outputs, KERNEL_SIDE)
        self.weight = nn.Parameter(self.weight.to(memory_format=torch.channels_last))
        self.add_bias = add_bias

    def reset_parameters(self) -> None:
        """Set the bias to 0. The network fills the weight: torch would draw it from the global random stream."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias if self.add_bias else None)


class Dense(nn.Linear):
    """A fully connected layer, (N, inputs) to (N, outputs). The bias is as in `Convolution`."""

    weight: nn.Parameter
    bias: nn.Parameter

    def __init__(self, inputs: int, outputs: int, *, add_bias: bool) -> None:
        super().__init__(inputs, outputs)
        self.add_bias = add_bias

    def reset_parameters(self) -> None:
        """Set the bias to 0, as in `Convolution`."""
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias if self.add_bias else None)


class BatchNorm(nn.Module):
    """Batch normalisation of (N, channels, ...) over all axes but the second.

    `momentum` is the weight of the newest batch in the running statistics (PyTorch's convention, 1 - Keras's); the
    training loop sets it before each step.

    It is no subclass of PyTorch's: checkpoints and exported weights hold `running_variance` under that name, and
    PyTorch's buffer `num_batches_tracked` would be one more parameter than the article counts.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_variance", torch.ones(channels))
        self.momentum = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_variance,
            self.weight,
            self.bias,
            self.training,
            self.momentum,
            BATCH_NORM_EPSILON,
        )


class Dropout(nn.Dropout):
    """Set a share of the elements to 0 while training, and scale the others so that the mean stays.

    Masks come from `generator` alone, four elements from each random 64-bit integer: drawing a float per element costs
    more than the convolutions (measured, 2 cores, batch 128: 64 ms a step, and 42 so). The share is therefore a
    multiple of 2**-16, which 0.25 and 0.5 are.
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__(share)
        self.dropped = min(round(share * SIXTEEN_BITS), SIXTEEN_BITS - 1)
        self.generator = generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.dropped == 0:
            return x
        # The scale apart from the mask, where bfloat16 would round 4/3 up by 0.2 %.
        return x * self._mask(x) * (SIXTEEN_BITS / (SIXTEEN_BITS - self.dropped))

    def _mask(self, x: Tensor) -> Tensor:
        """Return ones to keep and zeros to drop, in the shape and dtype of x.

        The comparison writes into that dtype, which takes half the time of a boolean mask.
        """
        words = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device)
        words.random_(torch.iinfo(torch.int64).min, None, generator=self.generator)
        pieces = words.view(torch.int16)[: x.numel()].view(x.shape)
        mask = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        return torch.ge(pieces, self.dropped - SIXTEEN_BITS // 2, out=mask)
