"""The network that a spec describes, as a module: the layers of `service.domain.network` with their activations."""

from torch import Tensor, nn

from service.domain.network import HEAD, POOL_SIDE, Layer, layers
from service.domain.spec import ExperimentSpec
from worker.training.activations import build
from worker.training.initialisation import initialise
from worker.training.layers import BatchNorm, Convolution, Dense, Dropout
from worker.training.randomness import Streams

POOLS = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


class Block(nn.Module):
    """A hidden layer: kernel, batch normalisation (or none), activation, and pooling where the layer is pooled.

    Each output of the kernel is a unit: a channel or a neuron. Pooling comes before the activation where max-pooling
    and a non-decreasing function commute, with equal values and a quarter of the elements (measured, 2 cores, batch
    128: 70 ms a step, and 64 so), else after it.
    """

    def __init__(self, layer: Layer, spec: ExperimentSpec, streams: Streams) -> None:
        super().__init__()
        norm = spec.model.batch_norm
        self.kernel = _kernel(layer, add_bias=not norm)
        self.norm = BatchNorm(layer.units) if norm else nn.Identity()
        self.activation = build(spec.activation, streams.activation)
        self.pool = POOLS[spec.model.pool](POOL_SIDE) if layer.pooled else nn.Identity()
        commutes = spec.model.pool == "max" and spec.activation.definition.non_decreasing
        self.pool_first = layer.pooled and commutes

    def forward(self, x: Tensor) -> Tensor:
        before = self.norm(self.kernel(x))
        pooled: Tensor = self.activation(self.pool(before)) if self.pool_first else self.pool(self.activation(before))
        return pooled


class Network(nn.Module):
    """Maps images as float (N, channels, height, width), 0 to 1, to logits (N, outputs).

    `blocks` are the hidden layers by name, and `output` is the head, which is all of the network where there are no
    blocks: softmax regression. Drop-out follows the last convolution and the last hidden dense layer, as far as there
    are such. Its streams and the activation's come from `streams` and live on their device; weights are made on the
    CPU.
    """

    def __init__(self, spec: ExperimentSpec, streams: Streams) -> None:
        super().__init__()
        *hidden, head = layers(spec)
        self.convolutions = sum(layer.kind == "convolution" for layer in hidden)
        self.blocks = nn.ModuleDict({layer.name: Block(layer, spec, streams) for layer in hidden})
        has_dense = len(hidden) > self.convolutions
        self.conv_dropout = Dropout(spec.dropout.conv if self.convolutions else 0.0, streams.conv_dropout)
        self.dense_dropout = Dropout(spec.dropout.dense if has_dense else 0.0, streams.dense_dropout)
        self.output = Dense(head.inputs[0], head.units, add_bias=True)
        self._regularised = [layer.name for layer in hidden if layer.regularised]
        for kernel in self.kernels().values():
            initialise(kernel.weight, spec, streams.init)

    def forward(self, images: Tensor) -> Tensor:
        blocks = list(self.named_blocks().values())
        x = images
        for convolution in blocks[: self.convolutions]:
            x = convolution(x)
        # In memory channels already come last, so flattening in that order copies nothing (42 ms a step, and 36 so).
        x = self.conv_dropout(x.permute(0, 2, 3, 1).flatten(1))  # (N, height * width * channels)
        for dense in blocks[self.convolutions :]:
            x = dense(x)
        logits: Tensor = self.output(self.dense_dropout(x))
        return logits

    def named_blocks(self) -> dict[str, Block]:
        """Return the hidden layers by name, from the input to the output."""
        return {name: block for name, block in self.blocks.items() if isinstance(block, Block)}

    def kernels(self) -> dict[str, Convolution | Dense]:
        """Return the kernel of every layer by its name, from the input to the head."""
        return {**{name: block.kernel for name, block in self.named_blocks().items()}, HEAD: self.output}

    def norms(self) -> list[BatchNorm]:
        return [module for module in self.modules() if isinstance(module, BatchNorm)]

    def set_momentum(self, momentum: float) -> None:
        """Set the weight of the next batch in the running statistics of every batch normalisation."""
        for norm in self.norms():
            norm.momentum = momentum

    def regularised(self) -> list[nn.Parameter]:
        """Return the weights that the L2 term of the loss includes."""
        kernels = self.kernels()
        return [kernels[name].weight for name in self._regularised]

    def parameter_counts(self) -> tuple[int, int]:
        """Return the numbers of all and of trainable parameters.

        They are counted as Keras does: running statistics are parameters that are not trainable.
        """
        trainable = sum(parameter.numel() for parameter in self.parameters())
        return trainable + sum(buffer.numel() for buffer in self.buffers()), trainable


def _kernel(layer: Layer, *, add_bias: bool) -> Convolution | Dense:
    kind = Convolution if layer.kind == "convolution" else Dense
    return kind(layer.inputs[0], layer.units, add_bias=add_bias)


def momentum_at(step: int, steps_per_epoch: int) -> float:
    """Return batch normalisation's momentum at a step of the run, counted from 1.

    The floor is Keras's 0.99 (0.01 here) at the article's 422 to 469 steps an epoch; shorter epochs get more, because a
    fixed 0.01 lags 100 steps and leaves short runs at 10 % test accuracy. The first steps take a plain mean.
    """
    floor = min(max(4.2 / steps_per_epoch, 0.01), 0.1)
    return max(1 / step, floor)
