"""The layers of the network that a spec describes: their names, their shapes, and which are pooled and regularised.

Two convolutions with pooling after the second, hidden dense layers, and the head, a dense layer of logits. All but the
head may be left out. Diagnostics measure every layer.
"""

from dataclasses import dataclass
from itertools import count
from math import prod
from typing import Literal

from service.domain.spec import ExperimentSpec, ModelSpec

KERNEL_SIDE = 3  # pixels; a valid convolution takes one pixel less than that from either side
POOL_SIDE = 2  # pixels
HEAD = "output"

LAYER_PATTERN = rf"^(conv[12]|dense([1-9]|1[0-9]|20)|{HEAD})$"
LAYER_NAMES = f"`conv1`, `conv2`, `dense1` to `dense20`, `{HEAD}`"
"""Every name that a layer may have, for descriptions."""


@dataclass(frozen=True)
class Layer:
    """A layer with a kernel. Shapes are those of one example: (channels, height, width), or (units,) where it is flat.

    `outputs` leaves the kernel and enters the activation; pooling, if there is any, follows. `regularised` tells
    whether the L2 term of the loss includes the kernel.
    """

    name: str
    kind: Literal["convolution", "dense", "head"]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    pooled: bool = False
    regularised: bool = False

    @property
    def units(self) -> int:
        """Channels or neurons."""
        return self.outputs[0]

    @property
    def pooled_outputs(self) -> tuple[int, ...]:
        """The shape of what the next layer receives."""
        if not self.pooled:
            return self.outputs
        channels, *sides = self.outputs
        return (channels, *(side // POOL_SIDE for side in sides))


def layer_names(model: ModelSpec) -> list[str]:
    """Return the names of the layers, from the input to the head."""
    convolutions = [convolution_name(place) for place in range(1, len(model.conv_channels) + 1)]
    return [*convolutions, *(dense_name(depth) for depth in range(1, model.dense_layers + 1)), HEAD]


def convolution_name(place: int) -> str:
    """Return the name of a convolution, counted from 1."""
    return f"conv{place}"


def dense_name(depth: int) -> str:
    """Return the name of a hidden dense layer, counted from 1."""
    return f"dense{depth}"


def layers(spec: ExperimentSpec) -> list[Layer]:
    """Return the layers from the input to the head."""
    shape: tuple[int, ...] = spec.dataset_definition.shape
    convolutions: list[Layer] = []
    for place, channels in enumerate(spec.model.conv_channels, start=1):
        sides = [side - (KERNEL_SIDE - 1) for side in shape[1:]]
        is_last = place == len(spec.model.conv_channels)
        name = convolution_name(place)
        layer = Layer(name, "convolution", shape, (channels, *sides), pooled=is_last, regularised=True)
        convolutions.append(layer)
        shape = layer.pooled_outputs
    widths = [prod(shape), *[spec.model.dense_units] * spec.model.dense_layers]
    dense = [
        Layer(dense_name(depth), "dense", (inputs,), (units,), regularised=depth == 1)
        for depth, inputs, units in zip(count(1), widths, widths[1:], strict=False)
    ]
    return [*convolutions, *dense, Layer(HEAD, "head", (widths[-1],), (output_units(spec),))]


def output_units(spec: ExperimentSpec) -> int:
    """Return one unit a class, and a single one for two classes behind a sigmoid."""
    classes = len(spec.labels)
    return 1 if spec.output == "sigmoid" and classes == 2 else classes


def activated_elements(spec: ExperimentSpec) -> int:
    """Return how many elements of one batch enter an activation."""
    return spec.batch_size * sum(prod(layer.outputs) for layer in layers(spec) if layer.kind != "head")
