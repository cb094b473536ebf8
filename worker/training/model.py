"""The article's network: two convolutions, pooling, dense layers, and an output of logits; all but the output may be
left out."""

from itertools import pairwise

from torch import Tensor, nn

from service.domain.datasets import DATASETS
from service.domain.spec import ExperimentSpec
from worker.training.activations import build
from worker.training.initialisation import initialise
from worker.training.layers import BatchNorm, Convolution, Dense, Dropout
from worker.training.randomness import Streams

SIDE = DATASETS["mnist"].shape[-1]
POOLED_SIDE = (SIDE - 2 - 2) // 2  # pixels
CLASSES = 10


class Block(nn.Module):
    """Kernel, batch normalisation (or none) and activation, with one unit (channel or neuron) an output of the kernel.

    `pool`, where given, shrinks what the kernel and the norm made: before the activation where max-pooling and a
    non-decreasing function commute, with equal values and a quarter of the elements (measured, 2 cores, batch 128:
    70 ms a step, and 64 so), else after it.
    """

    def __init__(
        self, kernel: Convolution | Dense, activation: nn.Module, *, norm: bool, pool: str | None, commutes: bool
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.norm = BatchNorm(len(kernel.bias)) if norm else nn.Identity()
        self.activation = activation
        self.pool = {"max": nn.MaxPool2d(2), "avg": nn.AvgPool2d(2), None: nn.Identity()}[pool]
        self.pool_first = pool == "max" and commutes

    def forward(self, x: Tensor) -> Tensor:
        before = self.norm(self.kernel(x))
        pooled: Tensor = self.activation(self.pool(before)) if self.pool_first else self.pool(self.activation(before))
        return pooled


class Network(nn.Module):
    """Images as float (N, 1, 28, 28), 0 to 1, to logits (N, outputs).

    `blocks` are named conv1, conv2, dense1, dense2, ... in order, as far as there are such; `output` is the last dense
    layer, and all of the network where there are no blocks: softmax regression. Drop-out follows layers that there are.
    Its streams and the activation's come from `streams` and live on their device; weights are made on the CPU.
    """

    def __init__(self, spec: ExperimentSpec, streams: Streams) -> None:
        super().__init__()
        channels, norm = spec.model.conv_channels, spec.model.batch_norm
        flat = POOLED_SIDE**2 * channels[-1] if channels else SIDE**2
        widths = [flat, *[spec.model.dense_units] * spec.model.dense_layers]
        kernels: dict[str, Convolution | Dense] = {}
        for place, (inputs, outputs) in enumerate(pairwise([1, *channels]), start=1):
            kernels[f"conv{place}"] = Convolution(inputs, outputs, add_bias=not norm)
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            kernels[f"dense{depth}"] = Dense(inputs, outputs, add_bias=not norm)
        self.convolutions = len(channels)
        self.blocks = nn.ModuleDict(
            {
                name: Block(
                    kernel,
                    build(spec.activation, streams.activation),
                    norm=norm,
                    pool=spec.model.pool if name == "conv2" else None,
                    commutes=spec.activation.definition.non_decreasing,
                )
                for name, kernel in kernels.items()
            }
        )
        self.conv_dropout = Dropout(spec.dropout.conv if channels else 0.0, streams.conv_dropout)
        self.dense_dropout = Dropout(spec.dropout.dense if len(widths) > 1 else 0.0, streams.dense_dropout)
        self.output = Dense(widths[-1], output_units(spec), add_bias=True)
        for kernel in (*kernels.values(), self.output):
            initialise(kernel.weight, spec, streams.init)

    def forward(self, images: Tensor) -> Tensor:
        blocks = list(self.named_blocks().values())
        x = images
        for convolution in blocks[: self.convolutions]:
            x = convolution(x)  # at last (N, channels, 12, 12)
        # In memory channels already come last, so flattening in that order copies nothing (42 ms a step, and 36 so).
        x = self.conv_dropout(x.permute(0, 2, 3, 1).flatten(1))  # (N, 12 * 12 * channels), or (N, 784)
        for dense in blocks[self.convolutions :]:
            x = dense(x)
        logits: Tensor = self.output(self.dense_dropout(x))
        return logits

    def named_blocks(self) -> dict[str, Block]:
        """From the input to the output: conv1, conv2, dense1, ..."""
        return {name: block for name, block in self.blocks.items() if isinstance(block, Block)}

    def norms(self) -> list[BatchNorm]:
        return [module for module in self.modules() if isinstance(module, BatchNorm)]

    def set_momentum(self, momentum: float) -> None:
        """Weight of the next batch in the running statistics of every batch normalisation."""
        for norm in self.norms():
            norm.momentum = momentum

    def regularised(self) -> list[nn.Parameter]:
        """The kernels that the L2 term holds: those of the convolutions and of the first hidden dense layer."""
        held = ("conv1", "conv2", "dense1")
        return [block.kernel.weight for name, block in self.named_blocks().items() if name in held]

    def parameter_counts(self) -> tuple[int, int]:
        """All and trainable parameters, counted as Keras does: running statistics are parameters, not trainable."""
        trainable = sum(parameter.numel() for parameter in self.parameters())
        return trainable + sum(buffer.numel() for buffer in self.buffers()), trainable


def output_units(spec: ExperimentSpec) -> int:
    """One unit a class, and a single one for two classes behind a sigmoid."""
    classes = CLASSES if spec.classes is None else len(spec.classes)
    return 1 if spec.output == "sigmoid" and classes == 2 else classes


def momentum_at(step: int, steps_per_epoch: int) -> float:
    """Batch normalisation's momentum at a step of the run, counted from 1.

    The floor is Keras's 0.99 (0.01 here) at the article's 422 to 469 steps an epoch; shorter epochs get more, because a
    fixed 0.01 lags 100 steps and leaves short runs at 10 % test accuracy. The first steps take a plain mean.
    """
    floor = min(max(4.2 / steps_per_epoch, 0.01), 0.1)
    return max(1 / step, floor)
